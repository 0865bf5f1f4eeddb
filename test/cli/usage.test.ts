import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { EXIT, exitCodeOf } from '../../src/cli/exit-codes.ts'
import type { EndingSignal } from '../../src/cli/signals.ts'
import { ERROR_CODES, type ErrorCode } from '../../src/errors.ts'
import { until } from '../fakes/until.ts'
import { createCli } from './harness.ts'

describe('the command line', () => {
  test('alone serves where there is no terminal, and says why', async () => {
    const listeners: ((signal: EndingSignal) => void)[] = []
    const cli = createCli({
      onSignal(listener) {
        listeners.push(listener)
        return () => undefined
      },
    })
    const running = cli.run('--json', '--port', '0', '--log-level', 'silent')
    await until('the server', () => existsSync(join(cli.cwd, 'sessions/.agentry/token')))
    for (const listener of listeners) listener('SIGTERM')
    const { code, stdout, stderr } = await running
    expect({ code, stderr: JSON.parse(stderr) as unknown }).toEqual({
      code: 0,
      stderr: { note: 'standard input is no terminal: serving without the dashboard' },
    })
    expect(JSON.parse(stdout)).toMatchObject({ pid: process.pid })
  })

  test.each([
    ['--help', /^Usage: agentry /],
    ['sessions --help', /^Usage: agentry sessions /],
    ['sessions create --help', /^Usage: agentry sessions create [^]*Global Options:[^]*--data <dir>/],
    ['help send', /^Usage: agentry send \[options\] <agent> <text\.\.\.>/],
    ['--version', /^\d+\.\d+\.\d+\n$/],
  ])('%s answers on stdout with exit code 0', async (line, expected) => {
    const { code, stdout, stderr } = await createCli().run(...line.split(' '))
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(expected)
  })

  test.each([
    ['sesions list', 'unknown_command', "unknown command 'sesions' (Did you mean sessions?)"],
    ['sessions lst', 'unknown_command', "unknown command 'lst' (Did you mean list?)"],
    ['send', 'invalid_input', "missing required argument 'agent'"],
    ['send ops', 'invalid_input', "missing required argument 'text'"],
    ['agents list --stats', 'invalid_input', "unknown option '--stats'"],
    ['sessions list extra', 'invalid_input', 'too many arguments'],
    ['sessions list --status lost', 'invalid_input', "argument 'lost' is invalid"],
    ['serve --port 99999', 'invalid_input', 'Expected a port: 0 to 65535.'],
    ['serve --port x', 'invalid_input', 'Expected a whole number.'],
    ['serve --keep --port 99999', 'invalid_input', 'Expected a port: 0 to 65535.'],
    ['--prot 0', 'invalid_input', "unknown option '--prot'"],
    ['completion csh', 'invalid_input', "'csh' is invalid for argument 'shell'"],
    ['attach', 'invalid_input', 'expected a terminal to draw the dashboard on'],
    ['--data', 'invalid_input', "option '--data <dir>' argument missing"],
  ])('refuses %j as %s, and touches nothing', async (line, code, message) => {
    const cli = createCli()
    const text = await cli.run(...line.split(' '))
    expect(text).toMatchObject({ code: 2, stdout: '' })
    expect(text.stderr).toMatch(/^agentry: /)
    expect(text.stderr.split('\n')[0]).toContain(message)
    expect(text.stderr.split('\n')[0]).toMatch(new RegExp(` \\(${code}\\)$`))
    const json = await cli.run('--json', ...line.split(' '))
    expect(json).toMatchObject({ code: 2, stdout: '' })
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code } })
    expect(existsSync(join(cli.cwd, 'sessions'))).toBe(false)
  })

  test('shows the help of a group that is named alone, as a usage error', async () => {
    const { code, stdout, stderr } = await createCli().run('sessions')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^Usage: agentry sessions /)
  })

  test('names every problem of the configuration file with its line, and touches nothing', async () => {
    const cli = createCli()
    writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agnts: []\nretention: { maxAge: 3 }\n')
    const { code, stdout, stderr } = await cli.run('sessions', 'list')
    const file = join(cli.cwd, 'agentry.yaml')
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: '',
      stderr:
        `agentry: ${file}:1:1: agnts: unknown key; did you mean "agents"? (invalid_config)\n` +
        `  ${file}:2:14: retention.maxAge: expected string, received 3\n`,
    })
    expect(existsSync(join(cli.cwd, 'sessions'))).toBe(false)
    expect(await cli.fail('--config', 'none.yaml', 'sessions', 'list')).toMatchObject({
      code: 2,
      error: { code: 'invalid_config' },
    })
  })

  test('reports a fault of its own by its message, and with AGENTRY_DEBUG by its place', async () => {
    const createTeam = async (): Promise<never> => {
      throw new TypeError('x is not a function')
    }
    const { code, stdout, stderr } = await createCli({ createTeam }).run('agents', 'list')
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^agentry: x is not a function \(internal\)\nhint: [^\n]*AGENTRY_DEBUG[^\n]*\n$/)
    const debugged = await createCli({ createTeam, env: { AGENTRY_DEBUG: '1' } }).run('agents', 'list')
    expect(debugged.stderr).toMatch(/\n {4}at withTeam /)
  })

  test('colours a status on a terminal, unless NO_COLOR or a dumb terminal say no', async () => {
    const list = async (env: Record<string, string>, isTTY = true) => {
      const cli = createCli({ isTTY, env })
      await cli.run('sessions', 'create', 'work')
      return (await cli.run('sessions', 'list')).stdout
    }
    const green = '\u001b[32mactive *\u001b[39m'
    expect(await list({})).toContain(green)
    for (const plain of [
      await list({ NO_COLOR: '1' }),
      await list({ TERM: 'dumb' }),
      await list({}, false),
    ]) {
      expect(plain).not.toContain('\u001b')
      expect(plain).toContain('active *')
    }
  })
})

describe('exit codes', () => {
  test('are 0 for no error code, and stay clear of what shells use', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const exitCode = exitCodeOf(code)
      expect(Object.values(EXIT)).toContain(exitCode)
      expect(exitCode).not.toBe(EXIT.ok)
    }
  })

  test.each<[ErrorCode, number]>([
    ['invalid_config', 2],
    ['unknown_command', 2],
    ['message_too_large', 2],
    ['agent_not_found', 3],
    ['session_not_found', 3],
    ['directory_owned', 4],
    ['session_terminated', 4],
    ['mailbox_full', 5],
    ['storage_full', 5],
    ['session_damaged', 6],
    ['directory_invalid', 6],
    ['interrupted', 7],
    ['cancelled', 130],
    ['internal', 1],
  ])('%s is %i, as documented', (code, exitCode) => {
    expect(exitCodeOf(code)).toBe(exitCode)
  })
})
