/** A crash at every file call of taking a directory over, of changing its epoch, and of giving it up. */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { systemFs } from '../../src/store/durable-fs.ts'
import { FailingFs } from '../fakes/failing-fs.ts'
import { Crash } from '../fakes/observe-calls.ts'
import { OwnerProcess } from '../fakes/owner-process.ts'

let parent: string
/** A directory as it was before the crash; each crash happens in a copy of it. */
let before: string
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'agentry-crash-'))
  before = join(parent, 'before')
})
afterEach(() => rmSync(parent, { recursive: true }))

/** Opened `count` times, the last owner closed in good order, or as good as killed: owner.json and temp files are still there. */
async function openedBefore(count: number, last: 'closed' | 'killed'): Promise<void> {
  for (let epoch = 1; epoch < count; epoch++) (await openDirectory({ directory: before })).close()
  const owned = await openDirectory({ directory: before })
  const owner = readFileSync(join(before, '.agentry', 'owner.json'))
  owned.close()
  if (last === 'closed') return
  writeFileSync(join(before, '.agentry', 'owner.json'), owner)
  writeFileSync(join(before, '.agentry', 'epoch.tmp-0123456789ab'), 'half')
  writeFileSync(join(before, `${createId()}.json.tmp-0123456789ab`), 'half')
}

/**
 * Runs `act` in a copy of `before`, crashing at its n-th file call, for n from 1 until it gets through; `check` looks at what each
 * crash left. Returns how many crashes there were.
 */
async function crashEverywhere(
  act: (directory: string, fs: FailingFs, n: number) => Promise<void>,
  check: (directory: string) => Promise<void>,
): Promise<number> {
  for (let n = 1; ; n++) {
    const directory = join(parent, `crash-${n}`)
    cpSync(before, directory, { recursive: true })
    try {
      await act(directory, new FailingFs(), n)
      return n - 1
    } catch (error) {
      if (!isCrash(error)) throw error
    }
    await check(directory)
  }
}

/** The file system wraps what its calls throw. */
function isCrash(error: unknown): boolean {
  return error instanceof Crash || (error instanceof Error && isCrash(error.cause))
}

/** The next opening works, in a higher epoch than any before, and leaves no trace of the crash. */
async function opensAbove(directory: string, epoch: number): Promise<void> {
  const next = await openDirectory({ directory })
  expect(next.epoch).toBeGreaterThan(epoch)
  next.close()
  expect(readdirSync(directory)).toEqual(['.agentry'])
  expect(readdirSync(join(directory, '.agentry')).sort()).toEqual(['epoch', 'lock', 'quarantine', 'trash'])
}

async function open(directory: string, failing: FailingFs, n: number): Promise<void> {
  failing.crashAt(n, { tearing: true })
  const owned = await openDirectory({ directory, fs: failing.fs })
  owned.close()
}

describe('after a crash at any file call of', () => {
  test('the first opening, the next one works', async () => {
    systemFs.makeDirectory(before)
    const crashes = await crashEverywhere(open, (directory) => opensAbove(directory, 0))
    expect(crashes).toBeGreaterThan(20)
  })

  test.each(['closed', 'killed'] as const)(
    'an opening after an owner that was %s, the next one works in a higher epoch',
    async (last) => {
      await openedBefore(3, last)
      const crashes = await crashEverywhere(open, (directory) => opensAbove(directory, 3))
      expect(crashes).toBeGreaterThan(20)
    },
  )

  test('an opening that finds its epoch file damaged, the next one works in a higher epoch', async () => {
    await openedBefore(3, 'killed')
    writeFileSync(join(before, '.agentry', 'epoch'), '1 crc32:00000000\n')
    const crashes = await crashEverywhere(open, (directory) => opensAbove(directory, 3))
    expect(crashes).toBeGreaterThan(20)
  })

  test('raising the epoch, the next one is above all that was given out', async () => {
    await openedBefore(3, 'closed')
    let given = 0
    const raise = async (directory: string, failing: FailingFs, n: number): Promise<void> => {
      const owned = await openDirectory({ directory, fs: failing.fs })
      given = owned.epoch
      failing.crashAt(n, { tearing: true })
      try {
        owned.outrank(9_000_001)
        given = owned.epoch
      } finally {
        owned.close()
      }
    }
    const crashes = await crashEverywhere(raise, (directory) => opensAbove(directory, given))
    expect(given).toBe(10)
    expect(crashes).toBeGreaterThan(8)
  })

  test('an opening, in a real process that is killed there, the next one works in a higher epoch', async () => {
    await openedBefore(3, 'killed')
    let last = 3
    let killed = 0
    for (let n = 1; ; n += 5) {
      const owner = await OwnerProcess.start(before, '', n)
      const answer = await owner.open()
      await owner.kill()
      const next = await openDirectory({ directory: before })
      expect(next.epoch).toBeGreaterThan(Math.max(last, answer?.epoch ?? 0))
      last = next.epoch
      next.close()
      if (answer !== undefined) break
      killed += 1
    }
    expect(killed).toBeGreaterThan(3)
  })
})
