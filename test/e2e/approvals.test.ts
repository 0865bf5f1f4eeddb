/** Questions of agents, answered by the built command: at its own terminal, and from another one. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ApprovalInfo } from '../../src/api.ts'
import { bareEnvironment } from '../fakes/bare-environment.ts'
import type { Relay } from '../fakes/behaviors/relay.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'
import { noTerminalHere, openTerminal, type Terminal } from '../terminal/terminal.ts'
import { BIN, ended, runCli, startCli, temporaryFolder } from './built-cli.ts'

function newTeam(): { cwd: string; file: string } {
  const cwd = temporaryFolder()
  const agents = ['a', 'b', 'c'].map((id) => ({ id, behavior: fakeBehavior('relay') }))
  writeFileSync(join(cwd, 'agentry.yaml'), JSON.stringify({ agents }))
  return { cwd, file: join(cwd, 'log') }
}

/** A shell that runs the command and then says how the terminal is set: raw mode that is left on shows there. */
function sendAtTerminal(cwd: string, relay: Relay): Terminal {
  const send = `"${process.execPath}" "${BIN}" send a '${JSON.stringify(relay)}'`
  return openTerminal({
    command: '/bin/sh',
    args: [
      '-c',
      `${send}; echo "exit code $?"; stty -a | tr ' ;' '\\n\\n' | grep -x -e -icanon -e icanon -e -isig -e isig`,
    ],
    cwd,
    env: bareEnvironment({ HOME: cwd }),
    columns: 100,
    rows: 40,
  })
}

const KEYS = '[y]es once / [a]lways this session / [n]o'

describe.skipIf(noTerminalHere() !== undefined)('a question at the terminal', () => {
  test('is answered with one key, and what was allowed is done', async () => {
    const { cwd, file } = newTeam()
    await using terminal = sendAtTerminal(cwd, { say: 'done:', approve: { file, line: 'npm publish' } })
    await terminal.waitFor(KEYS)
    expect(terminal.text()).toContain('? a asks for append: npm publish')
    expect(existsSync(file)).toBe(false)
    terminal.press('y')
    await terminal.exited
    expect(terminal.text()).toMatch(/allowed once\n→ append [^\n]*\ndone: appended\nexit code 0\n/)
    expectSane(terminal)
    expect(readFileSync(file, 'utf8')).toBe('npm publish\n')
  })

  test('of an agent that was asked by one that was asked is put too, and a no is heard', async () => {
    const { cwd, file } = newTeam()
    const innermost: Relay = { approve: { file, line: 'drop table' } }
    const asked: Relay = { ask: [{ agent: 'c', relay: innermost }] }
    await using terminal = sendAtTerminal(cwd, { ask: [{ agent: 'b', relay: asked }] })
    await terminal.waitFor(KEYS)
    expect(terminal.text()).toContain('? c (asked by b) asks for append: drop table')
    terminal.press('n')
    await terminal.exited
    expect(terminal.text()).toContain('denied\n')
    expect(terminal.text()).toContain('a b c refused: no\nexit code 0\n')
    expectSane(terminal)
    expect(existsSync(file)).toBe(false)
  })

  test('is left by Ctrl-C with the turn cancelled and the terminal as it was', async () => {
    const { cwd, file } = newTeam()
    await using terminal = sendAtTerminal(cwd, { approve: { file, line: 'x' } })
    await terminal.waitFor(KEYS)
    terminal.press('ctrl+c')
    await terminal.exited
    expect(terminal.text()).toContain('(cancelled)\nexit code 130\n')
    expectSane(terminal)
    const { approvals } = JSON.parse((await runCli(['--json', 'approvals'], { cwd })).stdout) as {
      approvals: ApprovalInfo[]
    }
    expect(approvals).toEqual([])
    expect(existsSync(file)).toBe(false)
  })

  test('is left by SIGTERM with the terminal as it was; the question stays open', async () => {
    const { cwd, file } = newTeam()
    await using terminal = sendAtTerminal(cwd, { approve: { file, line: 'x' } })
    await terminal.waitFor(KEYS)
    const owner = JSON.parse(readFileSync(join(cwd, 'sessions/.agentry/owner.json'), 'utf8')) as {
      pid: number
    }
    process.kill(owner.pid, 'SIGTERM')
    await terminal.exited
    expect(terminal.text()).toMatch(/exit code 7\n/)
    expectSane(terminal)
    expect(JSON.parse((await runCli(['--json', 'approvals'], { cwd })).stdout)).toMatchObject({
      approvals: [{ agentId: 'a', subject: 'x' }],
    })
    expect(existsSync(file)).toBe(false)
  })
})

describe('a question with nobody at the terminal', () => {
  test('is answered by another process, which the note on stderr names', async () => {
    const { cwd, file } = newTeam()
    const relay: Relay = { say: 'done:', approve: { file, line: 'npm publish' } }
    const child = startCli(['send', 'a', JSON.stringify(relay)], { cwd })
    let stderr = ''
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
    const done = ended(child)
    const [, id = ''] = await until('the note', () => /approvals answer (\S+) once/.exec(stderr) ?? undefined)
    expect(await runCli(['approvals', 'answer', id, 'once'], { cwd })).toMatchObject({
      code: 0,
      stdout: 'allowed once: append npm publish, for a\n',
    })
    expect(await done).toMatchObject({ code: 0, stdout: 'done: appended' })
    expect(readFileSync(file, 'utf8')).toBe('npm publish\n')
  })
})

/** The terminal reads lines, and Ctrl-C is a signal. */
function expectSane(terminal: Terminal): void {
  const lines = terminal.screen().map((line) => line.trim())
  expect(lines).toContain('icanon')
  expect(lines).toContain('isig')
}
