/** Real processes that want the same data directory. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { tryDirectoryLock } from '../../src/store/directory-lock.ts'
import { openDirectory, readOwner } from '../../src/store/directory.ts'
import { OwnerProcess } from '../fakes/owner-process.ts'

const RACES = 20

let parent: string
let directory: string
const started: OwnerProcess[] = []

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'agentry-race-'))
  directory = join(parent, 'data')
})
afterEach(async () => {
  for (const owner of started.splice(0)) await owner.kill()
  rmSync(parent, { recursive: true })
})

async function start(url: string): Promise<OwnerProcess> {
  const owner = await OwnerProcess.start(directory, url)
  started.push(owner)
  return owner
}

async function startOwner(url: string): Promise<OwnerProcess> {
  const owner = await start(url)
  expect(await owner.open()).toHaveProperty('epoch')
  return owner
}

test(`in each of ${RACES} races one process gets the directory; the other exits within 2 s and names the winner`, async () => {
  let lastEpoch = 0
  for (let race = 1; race <= RACES; race++) {
    const urls = [`http://127.0.0.1:${race}`, `http://127.0.0.1:${1_000 + race}`]
    const runners = await Promise.all(urls.map(start))
    const startedAt = performance.now()
    const answers = await Promise.all(runners.map((runner) => runner.open()))

    const winner = answers.findIndex((answer) => answer?.epoch !== undefined)
    const loser = answers.findIndex((answer) => answer?.error !== undefined)
    expect(new Set([winner, loser])).toEqual(new Set([0, 1]))
    const { error } = answers[loser] ?? {}
    const pid = runners[winner]?.pid
    const url = urls[winner]
    expect(error?.code).toBe('directory_owned')
    expect(error?.message).toContain(`pid ${pid} (${url})`)
    expect(error?.data).toMatchObject({ pid, url })
    expect(await runners[loser]?.exited).toBe(1)
    expect(performance.now() - startedAt).toBeLessThan(2_000)

    const epoch = answers[winner]?.epoch ?? 0
    expect(epoch).toBeGreaterThan(lastEpoch)
    lastEpoch = epoch
    // The next race begins in what a killed owner left.
    await runners[winner]?.kill()
  }
}, 60_000)

test('an owner killed with SIGKILL leaves the directory free at once', async () => {
  for (let round = 1; round <= 5; round++) {
    const owner = await startOwner('')
    await owner.kill()
    expect(readOwner(directory)?.pid).toBe(owner.pid)
    const lock = tryDirectoryLock(join(directory, '.agentry', 'lock'))
    expect(lock).toBeDefined()
    lock?.release()
    ;(await openDirectory({ directory })).close()
  }
})

test('a stopped owner keeps the directory, and goes on owning it', async () => {
  const owner = await startOwner('http://127.0.0.1:7420')
  process.kill(owner.pid, 'SIGSTOP')
  // Nothing in it depends on how long: no timer of the owner's runs, and nobody measures one. A second stands for a minute.
  for (let attempt = 1; attempt <= 10; attempt++) {
    await expect(openDirectory({ directory })).rejects.toMatchObject({
      code: 'directory_owned',
      data: { pid: owner.pid, url: 'http://127.0.0.1:7420' },
    })
    await sleep(100)
  }
  process.kill(owner.pid, 'SIGCONT')
  expect(await owner.end()).toBe(0)
  expect(readOwner(directory)).toBeUndefined()
})

test('a stopped owner that is killed leaves the directory free', async () => {
  const owner = await startOwner('')
  process.kill(owner.pid, 'SIGSTOP')
  await owner.kill()
  ;(await openDirectory({ directory })).close()
})

test('a directory that its owner closed is free, with nobody named', async () => {
  const owner = await startOwner('')
  expect(await owner.end()).toBe(0)
  expect(readOwner(directory)).toBeUndefined()
  ;(await openDirectory({ directory })).close()
})

test('a process that the owner started does not hold the directory after the owner’s death', async () => {
  const owner = await startOwner('')
  const childPid = await owner.startChild()
  await owner.kill()
  try {
    ;(await openDirectory({ directory })).close()
  } finally {
    process.kill(childPid, 'SIGKILL')
  }
})
