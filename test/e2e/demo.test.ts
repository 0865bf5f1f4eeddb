/** The demo, as a newcomer runs it: it must tell a true story, and be unable to tell a false one. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const TIMEOUT_MS = 60_000

let folder: string
let temporary: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentry-demo-test-'))
  temporary = join(folder, 'tmp')
  mkdirSync(temporary)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

interface Story {
  exitCode: number | null
  text: string
  claims: number
}

/** Without a terminal, and with a folder for temporary files that is its own. */
function tell(root: string): Story {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['examples/demo/main.ts'], {
    cwd: root,
    encoding: 'utf8',
    env: { ...process.env, TMPDIR: temporary },
    timeout: TIMEOUT_MS,
  })
  return { exitCode: status, text: stdout + stderr, claims: stdout.split('✔').length - 1 }
}

/** What a tarball of the sources holds, in a folder with no git history above it. */
function copySources(): string {
  const copy = join(folder, 'agentry')
  for (const part of ['src', 'workers', 'examples', 'test', 'package.json']) {
    cpSync(join(ROOT, part), join(copy, part), { recursive: true })
  }
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'))
  return copy
}

test(
  'tells its story from real commands, holds all its claims, and leaves nothing behind',
  { timeout: TIMEOUT_MS },
  () => {
    const { exitCode, text, claims } = tell(ROOT)
    expect(text).toContain('Everything that was claimed above was checked, and holds.')
    expect(exitCode).toBe(0)
    expect(claims).toBeGreaterThanOrEqual(10)
    expect(text).not.toContain('✘')
    // oxlint-disable-next-line no-control-regex -- what must not be there
    expect(text).not.toMatch(/\u001b/)
    if (existsSync(join(ROOT, '.git'))) {
      const head = execFileSync('git', ['log', '-1', '--format=%h'], { cwd: ROOT, encoding: 'utf8' }).trim()
      expect(text).toContain(head)
    }
    const [, data = ''] = /removed at the end: (\S+)/.exec(text) ?? []
    expect(data).toContain(temporary)
    expect(existsSync(data)).toBe(false)
  },
)

test('works without a git history, and says so', { timeout: TIMEOUT_MS }, () => {
  const { exitCode, text } = tell(copySources())
  expect(text).toContain('There is no git history here')
  expect(text).toMatch(/ls -t src\S+ \| head -4\n +│ src\//)
  expect(text).toContain('holds.')
  expect(exitCode).toBe(0)
})

test('fails where a command did run twice', { timeout: TIMEOUT_MS }, () => {
  const copy = copySources()
  // The log of the second life has every line of the first one twice.
  execFileSync(
    'sed',
    ['-i.bak', 's|^const log = readLog(stage)|&.flatMap((line) => [line, line])|', 'examples/demo/after.ts'],
    {
      cwd: copy,
    },
  )
  const { exitCode, text } = tell(copy)
  expect(text).toContain('THIS DOES NOT HOLD')
  expect(exitCode).toBe(1)
})
