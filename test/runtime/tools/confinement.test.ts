import { execFileSync, spawn } from 'node:child_process'
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Confinement } from '../../../src/runtime/tools/files/confinement.ts'
import { CAN_PIN } from '../../../src/runtime/tools/files/directory-pin.ts'
import { isAgentryError } from '../../../src/errors.ts'
import { readFileBytes } from '../../../src/runtime/tools/files/read-bytes.ts'
import { errorWith } from '../../error-with.ts'
import { scratchDirectory } from '../processes/processes.ts'
import { toolBench, type ToolBench } from './file-tools.ts'

interface Yard extends ToolBench {
  /** Beside the working directory, not allowed. Holds `secret.txt` with the text SECRET. */
  outside: string
}

function yard(options: { allowed?: string[]; data?: string } = {}): Yard {
  const root = scratchDirectory()
  const directory = join(root, 'work')
  const outside = join(root, 'outside')
  mkdirSync(directory)
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret.txt'), 'SECRET')
  const allowedPaths = (options.allowed ?? []).map((name) => join(root, name))
  const dataDirectory = options.data === undefined ? undefined : join(root, options.data)
  return { ...toolBench({ directory, allowedPaths, dataDirectory }), outside }
}

const UNREACHABLE = errorWith('path_refused', 'outside of the working directory')

/** Every tool that takes a path, at a path that must be refused. */
async function expectRefused(bench: Yard, path: string, error: Error = UNREACHABLE): Promise<void> {
  await expect(bench.run('read', { path })).rejects.toThrow(error)
  await expect(bench.run('write', { path, content: 'x' })).rejects.toThrow(error)
  await expect(bench.run('edit', { path, oldText: 'S', newText: 'x' })).rejects.toThrow(error)
  await expect(bench.run('grep', { path, pattern: '.' })).rejects.toThrow(error)
  await expect(bench.run('list', { path })).rejects.toThrow(error)
  await expect(bench.run('glob', { path, pattern: '**' })).rejects.toThrow(error)
  expect(readFileSync(join(bench.outside, 'secret.txt'), 'utf8')).toBe('SECRET')
  expect(readdirSync(bench.outside)).toEqual(['secret.txt'])
}

describe('what lies outside is refused', () => {
  test.each([
    '../outside/secret.txt',
    './a/../../outside/secret.txt',
    '..',
    '../work-beside',
    '/etc/passwd',
    '/',
  ])('by the path %s', async (path) => {
    const bench = yard()
    mkdirSync(join(bench.directory, 'a'))
    await expectRefused(bench, path)
  })

  test('through a link to a file, to a directory, to nothing, and through links of links', async () => {
    const bench = yard()
    const link = (target: string, name: string) => symlinkSync(target, join(bench.directory, name))
    link(join(bench.outside, 'secret.txt'), 'file')
    link('../outside', 'dir')
    link('../outside/new.txt', 'dangling')
    link('dir', 'dir2')
    link('..', 'up')
    for (const path of [
      'file',
      'dir',
      'dir/secret.txt',
      'dir/new/deep.txt',
      'dangling',
      'dir2/secret.txt',
      'up',
    ]) {
      await expectRefused(bench, path)
    }
  })

  test('saying the same whether it exists or not', async () => {
    const { run, outside, directory } = yard()
    symlinkSync(outside, join(directory, 'dir'))
    const told = async (path: string) => {
      const error: unknown = await run('read', { path }).catch((thrown: unknown) => thrown)
      return error instanceof Error ? error.message.replace(/refused: \S+/, '') : ''
    }
    const refusal = ' is outside of the working directory and of the allowed paths'
    for (const path of [
      '../outside/secret.txt',
      '../outside/none',
      'dir/secret.txt',
      'dir/secret.txt/x',
      'dir/none/../y',
    ]) {
      expect(await told(path)).toBe(refusal)
    }
  })

  test('and a link that stays inside is followed, for reading and for writing', async () => {
    const { run, directory, subject } = yard()
    mkdirSync(join(directory, 'real'))
    symlinkSync('real', join(directory, 'link'))
    symlinkSync('link/new.txt', join(directory, 'file'))
    expect(await run('write', { path: 'file', content: 'text' })).toBe('made real/new.txt (4 bytes)')
    expect(await run('read', { path: 'link/new.txt' })).toContain('text')
    // Rules are matched with where a path leads: a link is no way around one.
    expect(subject('read', { path: 'link/new.txt' })).toEqual({
      kind: 'path',
      text: join(directory, 'real/new.txt'),
    })
  })

  test('a loop of links is told as one', async () => {
    const { run, directory } = yard()
    symlinkSync('b', join(directory, 'a'))
    symlinkSync('a', join(directory, 'b'))
    await expect(run('read', { path: 'a' })).rejects.toThrow(errorWith('tool_failed', 'loop'))
    await expect(run('write', { path: 'a/x', content: '' })).rejects.toThrow(errorWith('tool_failed', 'loop'))
  })

  test('an allowed path is reached, what lies beside it is not', async () => {
    const bench = yard({ allowed: ['outside', 'absent'] })
    const path = join(bench.outside, 'secret.txt')
    expect(await bench.run('read', { path })).toContain('SECRET')
    expect(await bench.run('read', { path: '../outside/secret.txt' })).toContain('SECRET')
    await bench.run('write', { path: join(bench.outside, 'new.txt'), content: '1' })
    expect(readFileSync(join(bench.outside, 'new.txt'), 'utf8')).toBe('1')
    await expect(bench.run('read', { path: `${bench.outside}-beside/x` })).rejects.toThrow(UNREACHABLE)
  })
})

describe('the data directory is refused', () => {
  test('inside of the working directory, by every name, and searches pass it over', async () => {
    const bench = yard({ data: 'work/sessions' })
    const data = join(bench.directory, 'sessions')
    mkdirSync(join(data, '.agentry'), { recursive: true })
    writeFileSync(join(data, 'a.json'), 'PRIVATE')
    symlinkSync('sessions', join(bench.directory, 'link'))
    const refused = errorWith('path_refused', 'data directory')
    for (const path of [
      'sessions',
      'sessions/a.json',
      'link/a.json',
      'sessions/.agentry/token',
      'sessions/../sessions/x',
    ]) {
      await expectRefused(bench, path, refused)
    }
    expect(readdirSync(data).sort()).toEqual(['.agentry', 'a.json'])
    expect(await bench.run('grep', { pattern: 'PRIVATE' })).toBe('[no line matches]')
    expect(await bench.run('glob', { pattern: '**/*.json' })).toBe('[no file matches]')
  })

  test('even where it is allowed, or the working directory lies in it', async () => {
    const bench = yard({ data: 'outside', allowed: ['outside'] })
    const refused = errorWith('path_refused', 'data directory')
    await expectRefused(bench, join(bench.outside, 'secret.txt'), refused)
    const inside = { ...bench.context, workingDir: bench.outside }
    await expect(bench.run('read', { path: 'secret.txt' }, inside)).rejects.toThrow(refused)
  })
})

describe('only ordinary files with one name are opened', () => {
  test('a hard link is refused for reading and writing, and named by a search', async () => {
    const bench = yard()
    linkSync(join(bench.outside, 'secret.txt'), join(bench.directory, 'hard'))
    const refused = errorWith('path_refused', 'hard links')
    await expect(bench.run('read', { path: 'hard' })).rejects.toThrow(refused)
    await expect(bench.run('write', { path: 'hard', content: '' })).rejects.toThrow(refused)
    await expect(bench.run('edit', { path: 'hard', oldText: 'S', newText: '' })).rejects.toThrow(refused)
    expect(readFileSync(join(bench.outside, 'secret.txt'), 'utf8')).toBe('SECRET')
    const found = await bench.run('grep', { pattern: 'SECRET' })
    expect(found).toMatch(/^\[… 1 files were not read: refused: hard has 2 names/)
  })

  test('a FIFO, a socket and a device are refused without waiting', async () => {
    const bench = yard({ allowed: ['../../dev/null', 'work'] })
    execFileSync('mkfifo', [join(bench.directory, 'fifo')])
    const server = createServer().listen(join(bench.directory, 'socket'))
    onTestFinished(() => void server.close())
    await new Promise((resolve) => server.once('listening', resolve))
    for (const path of ['fifo', 'socket']) {
      const refused = errorWith('path_refused', `refused: ${path} is no regular file`)
      await expect(bench.run('read', { path })).rejects.toThrow(refused)
      await expect(bench.run('write', { path, content: '' })).rejects.toThrow(refused)
      await expect(bench.run('grep', { path: '.', pattern: 'x' })).resolves.toBe('[no line matches]')
    }
    expect(await bench.run('list', {})).toBe('fifo (no regular file)\nsocket (no regular file)')
  })
})

/**
 * A process of its own that swaps, as fast as it can: `link` between a directory inside and one outside, `dir` and `file` for a link to
 * the outside and back.
 */
async function whileSwapping(directory: string, outside: string, work: () => Promise<void>): Promise<void> {
  const script = `
    const { renameSync, symlinkSync } = require('node:fs')
    process.chdir(process.argv[1])
    process.stdout.write('ready')
    const swap = (name) => {
      renameSync(name, name + '.real'); renameSync(name + '.link', name)
      renameSync(name, name + '.link'); renameSync(name + '.real', name)
    }
    for (const end = Date.now() + 20000; Date.now() < end;) {
      for (const target of [process.argv[2], 'inside']) { symlinkSync(target, 'next'); renameSync('next', 'link') }
      swap('dir')
      swap('file')
    }`
  mkdirSync(join(directory, 'dir'))
  mkdirSync(join(directory, 'inside'))
  for (const name of ['dir/secret.txt', 'inside/secret.txt', 'file'])
    writeFileSync(join(directory, name), 'INSIDE')
  symlinkSync(outside, join(directory, 'dir.link'))
  symlinkSync(join(outside, 'secret.txt'), join(directory, 'file.link'))
  const child = spawn(process.execPath, ['-e', script, directory, outside], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  try {
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await work()
    expect(child.exitCode).toBeNull()
  } finally {
    child.kill('SIGKILL')
    await ended
  }
}

test.runIf(CAN_PIN)(
  'links that are swapped in while tools run lead none of them outside',
  { timeout: 30_000 },
  async () => {
    const bench = yard()
    const { directory, outside, run, otherSession } = bench
    let inside = 0
    let refused = 0
    await whileSwapping(directory, outside, async () => {
      // The gap between a look at a file and its opening is small: many tries, nothing else.
      const files = new Confinement({ allowedPaths: [] })
      for (const end = performance.now() + 2_000; performance.now() < end;) {
        try {
          const read = files.with('file', { workingDir: directory }, ({ directory: pin, rest, shown }) =>
            readFileBytes(pin, rest[0] ?? '', shown).bytes.toString(),
          )
          expect(read).toBe('INSIDE')
        } catch (error) {
          if (!isAgentryError(error)) throw error
        }
      }
      const end = performance.now() + 2_000
      // Longer where the machine is busy and little of the race was run by then.
      const latest = end + 15_000
      const goesOn = () => performance.now() < (Math.min(inside, refused) > 10 ? end : latest)
      for (let round = 0; goesOn(); round++) {
        const session = otherSession()
        const outputs = await Promise.allSettled([
          run('read', { path: 'dir/secret.txt' }, session),
          run('read', { path: 'link/secret.txt' }, session),
          run('read', { path: 'file' }, session),
          run('grep', { pattern: '.' }, session),
          run('list', { path: 'dir' }, session),
          run('write', { path: `link/new-${round}.txt`, content: 'x' }, session),
          run('write', { path: `link/made-${round}/new.txt`, content: 'x' }, session),
          run('edit', { path: 'file', oldText: 'SECRET', newText: 'CHANGED' }, session),
          run('edit', { path: 'dir/secret.txt', oldText: 'SECRET', newText: 'CHANGED' }, session),
        ])
        for (const output of outputs) {
          const told: unknown = output.status === 'fulfilled' ? output.value : output.reason
          expect(String(told)).not.toContain('SECRET')
          if (String(told).includes('INSIDE')) inside++
          if (String(told).includes('refused: ')) refused++
        }
      }
    })
    // The race was run: tools got through, and links were met.
    expect(inside).toBeGreaterThan(10)
    expect(refused).toBeGreaterThan(10)
    expect(readFileSync(join(outside, 'secret.txt'), 'utf8')).toBe('SECRET')
    expect(readdirSync(outside)).toEqual(['secret.txt'])
  },
)

describe.each([true, false].filter((pinned) => CAN_PIN || !pinned))(
  'with directories pinned: %s',
  (pinned) => {
    test('paths lead where they should, and links outside nowhere', () => {
      const { directory, outside } = yard()
      const confinement = new Confinement({ allowedPaths: [], pinned })
      mkdirSync(join(directory, 'a/b'), { recursive: true })
      symlinkSync('a/b', join(directory, 'in'))
      symlinkSync(outside, join(directory, 'out'))
      const led = (path: string) =>
        confinement.with(path, { workingDir: directory }, ({ shown, rest }) => ({ shown, rest }))
      expect(led('.')).toEqual({ shown: '.', rest: [] })
      expect(led('in/x/y')).toEqual({ shown: 'a/b/x/y', rest: ['x', 'y'] })
      // As the system goes: up from where the link leads.
      expect(led('in/../c')).toEqual({ shown: 'a/c', rest: ['c'] })
      expect(led(join(directory, 'a'))).toEqual({ shown: 'a', rest: [] })
      expect(() => led('out/x')).toThrow(UNREACHABLE)
      expect(() => led('x/../../outside')).toThrow(errorWith('tool_failed', 'x does not exist'))
    })

    test('a directory that was swapped for another is noticed, or does not matter', () => {
      const { directory, outside } = yard()
      const confinement = new Confinement({ allowedPaths: [], pinned })
      mkdirSync(join(directory, 'a'))
      writeFileSync(join(directory, 'a/secret.txt'), 'INSIDE')
      confinement.with('a/secret.txt', { workingDir: directory }, (place) => {
        renameSync(join(directory, 'a'), join(directory, 'b'))
        symlinkSync(outside, join(directory, 'a'))
        if (pinned) expect(readFileSync(place.directory.at('secret.txt'), 'utf8')).toBe('INSIDE')
        expect(place.directory.verify()).toBe(pinned)
      })
    })

    test('no descriptor stays open', () => {
      const { directory, outside } = yard()
      const confinement = new Confinement({ allowedPaths: [], pinned })
      mkdirSync(join(directory, 'a/b/c'), { recursive: true })
      symlinkSync(outside, join(directory, 'a/b/out'))
      symlinkSync('loop', join(directory, 'loop'))
      const open = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
      const before = open()
      for (let round = 0; round < 50; round++) {
        for (const path of ['a/b/c', 'a/b/c/d/e', 'a/b/out/x', 'loop', '../x', 'a/../a/b']) {
          try {
            confinement.open(path, { workingDir: directory }).close()
          } catch {
            // Refused: nothing to close.
          }
        }
      }
      expect(open()).toBe(before)
    })
  },
)
