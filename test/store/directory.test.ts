import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { MAX_TOKEN } from '../../src/store/claims.ts'
import { tryDirectoryLock } from '../../src/store/directory-lock.ts'
import { openDirectory, type OwnedDirectory, readOwner } from '../../src/store/directory.ts'
import { createDurableFs, type DurableFs, type SystemCalls, systemCalls } from '../../src/store/durable-fs.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

let parent: string
let directory: string
const opened: OwnedDirectory[] = []

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'agentry-directory-'))
  directory = join(parent, 'data')
})
afterEach(() => {
  for (const owned of opened.splice(0)) owned.close()
  rmSync(parent, { recursive: true })
})

async function open(options: Partial<Parameters<typeof openDirectory>[0]> = {}): Promise<OwnedDirectory> {
  const owned = await openDirectory({ directory, ...options })
  opened.push(owned)
  return owned
}

const own = (name: string): string => join(directory, '.agentry', name)

/** The real file system, where `call` fails with `errno`: always, or for the paths (or descriptors) that `when` picks. */
function failing(call: keyof SystemCalls, errno: string, when = (_subject: unknown) => true): DurableFs {
  const real = systemCalls[call] as (...args: unknown[]) => unknown
  return createDurableFs({
    ...systemCalls,
    [call]: (...args: unknown[]) => {
      if (when(args[0])) throw Object.assign(new Error(`injected ${errno}`), { code: errno })
      return real(...args)
    },
  })
}

describe('opening a data directory', () => {
  test('makes it, for its owner alone, and says who owns it', async () => {
    directory = join(parent, 'deep', 'data')
    const clock = new SimulatedClock()
    const owned = await open({ url: 'http://127.0.0.1:7420', clock })
    expect(owned.directory).toBe(directory)
    expect(owned.notes).toEqual([])
    for (const folder of [directory, ...['', 'quarantine', 'trash'].map(own)]) {
      expect(statSync(folder).mode & 0o777).toBe(0o700)
    }
    for (const file of ['lock', 'epoch', 'owner.json']) {
      expect(statSync(own(file)).mode & 0o777).toBe(0o600)
    }
    expect(readOwner(directory)).toEqual({
      pid: process.pid,
      url: 'http://127.0.0.1:7420',
      epoch: 1,
      startedAt: '2026-01-01T00:00:00.000Z',
    })
  })

  test('takes a relative path from the working directory', async () => {
    const owned = await open({ directory: relative(process.cwd(), directory) })
    expect(owned.directory).toBe(directory)
  })

  test('goes through a symlink to a directory, and knows that it is the same one', async () => {
    mkdirSync(directory)
    const link = join(parent, 'link')
    symlinkSync(directory, link)
    await open({ directory: link })
    await expect(open()).rejects.toMatchObject({ code: 'directory_owned' })
  })

  test('begins a new epoch each time, and gives claims in it', async () => {
    for (const epoch of [1, 2, 3]) {
      const owned = await open()
      expect(owned.epoch).toBe(epoch)
      expect(owned.claims.claim('coder').token).toBe(epoch * 1_000_000 + 1)
      owned.close()
    }
  })

  test('removes the temp files that crashes left, and says so', async () => {
    ;(await open()).close()
    const temps = [
      join(directory, `${createId()}.json.tmp-0123456789ab`),
      own('owner.json.tmp-0123456789ab'),
      own('epoch.tmp-0123456789ab'),
    ]
    for (const temp of temps) writeFileSync(temp, 'half')
    const owned = await open()
    expect(owned.notes.map(({ kind }) => kind)).toEqual(temps.map(() => 'temp-removed'))
    expect(temps.filter((temp) => existsSync(temp))).toEqual([])
  })

  test('leaves nothing in the directory but its own folder', async () => {
    await open()
    expect(readdirSync(directory)).toEqual(['.agentry'])
    expect(readdirSync(own('')).sort()).toEqual(['epoch', 'lock', 'owner.json', 'quarantine', 'trash'])
  })
})

describe('a path that can be no data directory is refused by name', () => {
  const refused = (reason: RegExp) => ({
    code: 'directory_invalid',
    message: expect.stringMatching(reason) as string,
    data: { directory },
  })

  test('a file, which is left as it is', async () => {
    writeFileSync(directory, 'mine')
    await expect(open()).rejects.toMatchObject(refused(/is a file, or leads through one/))
    expect(readFileSync(directory, 'utf8')).toBe('mine')
  })

  test('a path through a file', async () => {
    writeFileSync(directory, 'mine')
    directory = join(directory, 'data')
    await expect(open()).rejects.toMatchObject(refused(/is a file, or leads through one/))
  })

  test('a loop of symlinks', async () => {
    symlinkSync(join(parent, 'other'), directory)
    symlinkSync(directory, join(parent, 'other'))
    await expect(open()).rejects.toMatchObject(refused(/symbolic links form a loop/))
  })

  test('a symlink to nothing', async () => {
    symlinkSync(join(parent, 'nothing'), directory)
    await expect(open()).rejects.toMatchObject(refused(/it is not a directory/))
    expect(existsSync(join(parent, 'nothing'))).toBe(false)
  })

  test('a name that is too long', async () => {
    directory = join(parent, 'x'.repeat(300))
    await expect(open()).rejects.toMatchObject(refused(/too long/))
  })

  test('a file in the place of its own folder', async () => {
    mkdirSync(directory)
    writeFileSync(own(''), 'mine')
    await expect(open()).rejects.toMatchObject(refused(/is a file.*\.agentry/))
  })

  test('a symlink in the place of the lock', async () => {
    mkdirSync(own(''), { recursive: true })
    symlinkSync(join(parent, 'elsewhere'), own('lock'))
    await expect(open()).rejects.toMatchObject(refused(/symbolic link.*lock/))
    expect(existsSync(join(parent, 'elsewhere'))).toBe(false)
  })

  test.each([
    ['not writable', 'EACCES', /this user may not write there/],
    ['read-only', 'EROFS', /read-only file system/],
  ])('a %s place for a new directory', async (_, errno, reason) => {
    await expect(open({ fs: failing('mkdir', errno) })).rejects.toMatchObject(refused(reason))
  })

  test.each([
    ['not writable', 'EACCES', /this user may not write there/],
    ['read-only', 'EROFS', /read-only file system/],
  ])('a directory that has become %s, and it is free again afterwards', async (_, errno, reason) => {
    ;(await open()).close()
    const fs = failing('open', errno, (path) => String(path).endsWith('.json.tmp-') || isProbe(path))
    await expect(open({ fs })).rejects.toMatchObject(refused(reason))
    expect((await open()).epoch).toBe(2)
  })

  test.skipIf(process.getuid?.() === 0)('a directory without write permission', async () => {
    mkdirSync(directory)
    chmodSync(directory, 0o500)
    await expect(open()).rejects.toMatchObject(refused(/this user may not write there/))
  })

  const isProbe = (path: unknown): boolean => /[0-9a-f-]{36}\.json\.tmp-[0-9a-f]+$/.test(String(path))
})

describe('a data directory that is owned', () => {
  test('is refused to another, with what the owner says of itself', async () => {
    await open({ url: 'http://127.0.0.1:7420', clock: new SimulatedClock() })
    await expect(open()).rejects.toMatchObject({
      code: 'directory_owned',
      message: `${directory} is owned by the supervisor with pid ${process.pid} (http://127.0.0.1:7420), started at 2026-01-01T00:00:00.000Z`,
      data: {
        directory,
        pid: process.pid,
        url: 'http://127.0.0.1:7420',
        startedAt: '2026-01-01T00:00:00.000Z',
      },
    })
  })

  test('is refused within 2 s where the owner does not say who it is', async () => {
    ;(await open()).close()
    const lock = tryDirectoryLock(own('lock'))
    const start = performance.now()
    await expect(open()).rejects.toMatchObject({ code: 'directory_owned', data: { directory } })
    expect(performance.now() - start).toBeLessThan(2_000)
    lock?.release()
  })

  test('is not said to be owned by the dead: the new owner is waited for until it has named itself', async () => {
    ;(await open()).close()
    const lock = tryDirectoryLock(own('lock'))
    const dead = spawnSync(process.execPath, ['--version']).pid
    const owner = (pid: number) => JSON.stringify({ pid, epoch: 2, startedAt: '2026-01-01T00:00:00.000Z' })
    writeFileSync(own('owner.json'), owner(dead))
    const second = open()
    writeFileSync(own('owner.json'), owner(process.pid))
    await expect(second).rejects.toMatchObject({ data: { pid: process.pid } })
    lock?.release()
  })

  test('goes to one who waits when its owner has gone in the meantime', async () => {
    ;(await open()).close()
    const lock = tryDirectoryLock(own('lock'))
    const waiting = open()
    lock?.release()
    expect((await waiting).epoch).toBe(2)
  })

  test('is free after close, which can be called again', async () => {
    const owned = await open()
    owned.close()
    expect(readOwner(directory)).toBeUndefined()
    const next = await open()
    owned.close()
    expect(readOwner(directory)?.epoch).toBe(2)
    await expect(open()).rejects.toMatchObject({ code: 'directory_owned' })
    next.close()
  })

  test('is free after close even where its note about the owner could not be removed', async () => {
    const owned = await open({ fs: failing('unlink', 'EIO', (path) => path === own('owner.json')) })
    expect(() => owned.close()).toThrowError(expect.objectContaining({ code: 'storage_failed' }))
    expect((await open()).epoch).toBe(2)
  })

  test('is free after an opening that failed', async () => {
    const fs = failing('write', 'ENOSPC')
    await expect(open({ fs })).rejects.toMatchObject({ code: 'storage_full' })
    expect((await open()).epoch).toBeGreaterThan(0)
  })

  test('says where its gateway listens once that is known', async () => {
    const owned = await open()
    expect(readOwner(directory)).not.toHaveProperty('url')
    owned.setUrl('http://127.0.0.1:9')
    expect(readOwner(directory)).toMatchObject({ url: 'http://127.0.0.1:9', epoch: 1, pid: process.pid })
  })

  test('is not written by one who has given it up', async () => {
    const owned = await open()
    owned.close()
    await open({ url: 'http://127.0.0.1:1' })
    for (const late of [() => owned.setUrl('http://127.0.0.1:2'), () => owned.outrank(9_000_000)]) {
      expect(late).toThrowError(expect.objectContaining({ code: 'team_closed' }))
    }
    expect(readOwner(directory)).toMatchObject({ url: 'http://127.0.0.1:1', epoch: 2 })
  })
})

describe('what owner.json says', () => {
  test.each([
    ['nothing', undefined],
    ['half of it', '{"pid": 1'],
    ['something else', '[]'],
    ['a pid that is none', '{"pid": -1, "epoch": 1, "startedAt": "x"}'],
  ])('is no owner where it is %s', (_, content) => {
    mkdirSync(own(''), { recursive: true })
    if (content !== undefined) writeFileSync(own('owner.json'), content)
    expect(readOwner(directory)).toBeUndefined()
  })
})

describe('the epoch', () => {
  test('is never lowered by a damaged file where the last owner was killed, whatever bit is wrong', async () => {
    await openedAndKilled(12)
    const whole = readFileSync(own('epoch'))
    const owner = readFileSync(own('owner.json'))
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const damaged = Buffer.from(whole)
      damaged[bit >> 3] = (damaged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      writeFileSync(own('epoch'), damaged)
      writeFileSync(own('owner.json'), owner)
      const owned = await open()
      expect(owned.epoch).toBe(13)
      expect(owned.notes).toMatchObject([
        { kind: 'damage', message: expect.stringContaining(own('epoch')) as string },
      ])
      owned.close()
    }
    expect(readdirSync(own('quarantine'))).toHaveLength(whole.length * 8)
  })

  test.each([
    ['gone', () => rmSync(own('epoch'))],
    ['empty', () => writeFileSync(own('epoch'), '')],
    ['a folder', () => (rmSync(own('epoch')), mkdirSync(own('epoch')))],
    ['a symlink', () => (rmSync(own('epoch')), symlinkSync(own('lock'), own('epoch')))],
  ])('goes on behind the highest in the sessions where its file is %s', async (_, damage) => {
    await openedAndKilled(12)
    rmSync(own('owner.json'))
    damage()
    const owned = await open()
    owned.outrank(12_000_034)
    expect(owned.epoch).toBe(13)
    expect(owned.claims.claim('coder').token).toBe(13_000_001)
    expect(readOwner(directory)?.epoch).toBe(13)
    owned.close()
    expect((await open()).epoch).toBe(14)
  })

  test('stays where no record outranks it', async () => {
    await openedAndKilled(12)
    const owned = await open()
    owned.outrank(12_999_999)
    expect(owned.epoch).toBe(13)
    owned.outrank(owned.claims.claim('coder').token)
    expect(owned.epoch).toBe(13)
  })

  test('is raised over the records of a session that was copied in, the present claims kept', async () => {
    const owned = await open()
    const living = owned.claims.claim('coder')
    owned.outrank(40_000_002)
    expect(owned.epoch).toBe(41)
    expect(living.word[0]).toBe(1)
    expect(owned.claims.claim('ops').token).toBe(41_000_001)
  })

  test('is not raised for a token that nobody can have given, nor where that cannot be made durable', async () => {
    let full = false
    const owned = await open({ fs: failing('write', 'ENOSPC', () => full) })
    expect(() => owned.outrank(MAX_TOKEN + 1)).toThrowError(
      expect.objectContaining({ code: 'session_damaged' }),
    )
    full = true
    expect(() => owned.outrank(5_000_000)).toThrowError(expect.objectContaining({ code: 'storage_full' }))
    expect(owned.epoch).toBe(1)
    expect(owned.claims.claim('coder').token).toBe(1_000_001)
  })

  /** Opens until the epoch is `epoch`, and leaves the directory like a killed owner does: owner.json still there. */
  async function openedAndKilled(epoch: number): Promise<void> {
    const owned = await open()
    owned.outrank(epoch * 1_000_000 - 1)
    expect(owned.epoch).toBe(epoch)
    const owner = readFileSync(own('owner.json'))
    owned.close()
    writeFileSync(own('owner.json'), owner)
  }
})
