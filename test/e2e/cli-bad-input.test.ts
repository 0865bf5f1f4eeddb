import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import type { ErrorCode, WireError } from '../../src/errors.ts'
import { OwnerProcess } from '../fakes/owner-process.ts'
import { type RunOptions, runCli, temporaryFolder, treeOf } from './built-cli.ts'

const NOBODY = 65_534
const isRoot = process.getuid?.() === 0

interface Refusal {
  code: number | null
  error: WireError | undefined
  stderr: string
}

/** Runs with --json; the error that came on stderr. Nothing may come on stdout. */
async function refused(argv: readonly string[], options: RunOptions): Promise<Refusal> {
  const { code, stdout, stderr } = await runCli(['--json', ...argv], options)
  expect(stdout).toBe('')
  const lines = stderr
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { error?: WireError })
  return { code, error: lines.findLast((line) => line.error)?.error, stderr }
}

interface TeamFolder {
  cwd: string
  /** Of the agent main: the current one. */
  current: string
  /** Of the agent main. */
  terminated: string
  /** Of the agent other. */
  others: string
}

/** A team of two agents with three sessions, small limits, and nothing running. */
async function teamFolder(): Promise<TeamFolder> {
  const cwd = temporaryFolder()
  writeFileSync(
    join(cwd, 'agentry.yaml'),
    'agents: [{ id: main, behavior: shell }, { id: other, behavior: echo }]\nlimits: { messageBytes: 1000 }\n',
  )
  writeFileSync(join(cwd, 'broken.mjs'), "throw new Error('no good')\n")
  writeFileSync(join(cwd, 'empty.mjs'), 'export const run = 1\n')
  const create = async (...argv: string[]): Promise<string> => {
    const { stdout } = await runCli(['sessions', 'create', ...argv, '--json'], { cwd })
    return (JSON.parse(stdout) as SessionInfo).id
  }
  const terminated = await create('done')
  await runCli(['sessions', 'terminate', terminated], { cwd })
  const others = await create('theirs', '--agent', 'other')
  const current = await create('work')
  return { cwd, current, terminated, others }
}

describe('bad input is refused by name, with nothing changed on disk:', () => {
  let folder: TeamFolder

  beforeAll(async () => {
    // Made once: that no test may change it is what they are about.
    folder = await teamFolder()
  })

  test.each<[string, (team: TeamFolder) => string[], number, ErrorCode, RegExp]>([
    [
      'an unknown agent',
      () => ['send', 'mian', 'pwd'],
      3,
      'agent_not_found',
      /received "mian"; did you mean "main"\?/,
    ],
    ['an agent id that is no id', () => ['send', '../main', 'pwd'], 2, 'invalid_id', /received "\.\.\/main"/],
    [
      'an unknown session',
      () => ['sessions', 'show', 'nothing'],
      3,
      'session_not_found',
      /received "nothing"/,
    ],
    ['a path as a session', () => ['sessions', 'show', '../../etc/passwd'], 3, 'session_not_found', /passwd/],
    [
      'an unknown session to send to',
      () => ['send', 'main', '--session', 'no', 'pwd'],
      3,
      'session_not_found',
      /"no"/,
    ],
    [
      'a session of another agent',
      ({ others }) => ['send', 'main', '--session', others, 'pwd'],
      3,
      'session_not_found',
      /agent main/,
    ],
    [
      'a session of another agent to load',
      ({ others }) => ['sessions', 'load', others, '--agent', 'main'],
      3,
      'session_not_found',
      /agent main/,
    ],
    [
      'a terminated session',
      ({ terminated }) => ['send', 'main', '--session', terminated, 'pwd'],
      4,
      'session_terminated',
      /terminated/,
    ],
    [
      'a terminated session to load',
      () => ['sessions', 'load', 'done'],
      4,
      'session_terminated',
      /terminated/,
    ],
    [
      'a task id that is none',
      () => ['send', 'main', '--task-id', 'a b', 'pwd'],
      2,
      'invalid_id',
      /received "a b"/,
    ],
    [
      'a message over the limit',
      () => ['send', 'main', 'x'.repeat(1001)],
      2,
      'message_too_large',
      /at most 1000 bytes, received 1001/,
    ],
    ['a message that is no text', () => ['sessions', 'rename', 'work', ' '], 2, 'invalid_input', /name/],
    [
      'an unknown command',
      () => ['sessions', 'shwo'],
      2,
      'unknown_command',
      /'shwo' \(Did you mean show\?\)/,
    ],
    [
      'an unknown behavior',
      () => ['agents', 'spawn', 'x', '--behavior', 'ehco'],
      2,
      'invalid_config',
      /expected llm, shell, echo or the path.*received "ehco"/,
    ],
    [
      'a behavior module that does not load',
      () => ['agents', 'spawn', 'x', '--behavior', './broken.mjs'],
      1,
      'start_failed',
      /no good/,
    ],
    [
      'a behavior module without a behavior',
      () => ['agents', 'spawn', 'x', '--behavior', './empty.mjs'],
      1,
      'start_failed',
      /defineBehavior/,
    ],
    [
      'another spec for an agent',
      () => ['agents', 'spawn', 'other', '--behavior', 'shell'],
      4,
      'agent_exists',
      /other/,
    ],
    ['an import of something else', () => ['sessions', 'import', 'agentry.yaml'], 2, 'invalid_input', /JSON/],
  ])('%s', async (_, argv, exitCode, code, message) => {
    const { cwd } = folder
    const before = treeOf(join(cwd, 'sessions'))
    const { code: received, error } = await refused(argv(folder), { cwd })
    expect({ exitCode: received, code: error?.code }).toEqual({ exitCode, code })
    expect(error?.message).toMatch(message)
    expect(treeOf(join(cwd, 'sessions'))).toEqual(before)
  })

  test('an unknown key of the configuration', async () => {
    const { cwd } = folder
    const before = treeOf(join(cwd, 'sessions'))
    writeFileSync(join(cwd, 'wrong.yaml'), 'agents:\n  - { id: main, behaviour: shell }\n')
    const { code, error } = await refused(['--config', 'wrong.yaml', 'send', 'main', 'pwd'], { cwd })
    expect({ code, error: error?.code }).toEqual({ code: 2, error: 'invalid_config' })
    expect(error?.message).toContain(
      'wrong.yaml:2:17: agents[0].behaviour: unknown key; did you mean "behavior"?',
    )
    expect(treeOf(join(cwd, 'sessions'))).toEqual(before)
  })

  test('a data directory that another supervisor owns, within 2 s and with its pid and url', async () => {
    const { cwd } = folder
    const owner = await OwnerProcess.start(join(cwd, 'sessions'), 'http://127.0.0.1:7420')
    onTestFinished(() => owner.kill())
    await owner.open()
    const before = treeOf(join(cwd, 'sessions'))
    const started = performance.now()
    const { code, error } = await refused(['send', 'main', 'pwd'], { cwd })
    expect(performance.now() - started).toBeLessThan(2_000)
    expect({ code, error: error?.code }).toEqual({ code: 4, error: 'directory_owned' })
    expect(error?.data).toMatchObject({ pid: owner.pid, url: 'http://127.0.0.1:7420' })
    const { stderr } = await runCli(['sessions', 'list'], { cwd })
    expect(stderr).toMatch(
      new RegExp(`^agentry: .*pid ${owner.pid}.*\\(directory_owned\\)\nhint: end process ${owner.pid} `),
    )
    expect(treeOf(join(cwd, 'sessions'))).toEqual(before)
    await owner.kill()
    expect(await runCli(['send', 'main', 'echo free'], { cwd })).toMatchObject({ code: 0, stdout: 'free\n' })
  })
})

describe('a data directory is refused', () => {
  test('where it is a file', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'sessions'), 'mine')
    const before = treeOf(cwd)
    const { code, error } = await refused(['send', 'ops', 'pwd'], { cwd })
    expect({ code, error: error?.code }).toEqual({ code: 6, error: 'directory_invalid' })
    expect(error?.message).toContain(join(cwd, 'sessions'))
    expect(treeOf(cwd)).toEqual(before)
  })

  test('where it lies below a file', async () => {
    const cwd = temporaryFolder()
    writeFileSync(join(cwd, 'file'), 'mine')
    const { code, error } = await refused(['--data', 'file/sessions', 'send', 'ops', 'pwd'], { cwd })
    expect({ code, error: error?.code }).toEqual({ code: 6, error: 'directory_invalid' })
    expect(treeOf(cwd)).toEqual({ file: 'mine' })
  })

  test('where it cannot be written, as an ordinary user', async () => {
    const cwd = temporaryFolder()
    const as = isRoot ? { cwd, uid: NOBODY } : { cwd }
    if (isRoot) chownSync(cwd, NOBODY, NOBODY)
    expect(await runCli(['send', 'ops', 'pwd'], as)).toMatchObject({ code: 0 })
    const data = join(cwd, 'sessions')
    const folders = [data, join(data, '.agentry')]
    for (const folder of folders.toReversed()) chmodSync(folder, 0o500)
    // An ordinary user could not remove them otherwise.
    onTestFinished(() => folders.forEach((folder) => chmodSync(folder, 0o700)))
    const before = treeOf(data)
    const { code, error } = await refused(['send', 'ops', 'pwd'], as)
    expect({ code, error: error?.code }).toEqual({ code: 6, error: 'directory_invalid' })
    expect(treeOf(data)).toEqual(before)
  })

  test('where it cannot be made', async () => {
    const cwd = temporaryFolder()
    mkdirSync(join(cwd, 'closed'))
    const as = isRoot ? { cwd, uid: NOBODY } : { cwd }
    chmodSync(join(cwd, 'closed'), 0o555)
    const { code, error } = await refused(['--data', 'closed/sessions', 'send', 'ops', 'pwd'], as)
    expect({ code, error: error?.code }).toEqual({ code: 6, error: 'directory_invalid' })
    expect(existsSync(join(cwd, 'closed', 'sessions'))).toBe(false)
    expect(readdirSync(cwd)).toEqual(['closed'])
  })
})
