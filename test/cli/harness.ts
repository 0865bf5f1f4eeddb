/** The command line as a function, in a folder of its own: real teams on real files, all in this process. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { CliIo } from '../../src/cli/io.ts'
import { run } from '../../src/cli/main.ts'
import { systemClock } from '../../src/core/clock.ts'
import type { WireError } from '../../src/errors.ts'
import { createTeam } from '../../src/team.ts'
import { createTextSink } from './text-sink.ts'

export interface CliRun {
  code: number
  stdout: string
  stderr: string
}

export interface Cli {
  /** The current directory of the commands; removed after the test. */
  readonly cwd: string
  run(...argv: string[]): Promise<CliRun>
  /** Runs with --json, expects exit code 0 and gives what stdout holds. */
  json<T>(...argv: string[]): Promise<T>
  /** Runs with --json, and gives the exit code and the error on stderr. */
  fail(...argv: string[]): Promise<{ code: number; error: WireError }>
}

export function createCli(overrides: Partial<CliIo> & { isTTY?: boolean } = {}): Cli {
  const { isTTY = false, ...io } = overrides
  const cwd = mkdtempSync(join(tmpdir(), 'agentry-cli-'))
  onTestFinished(() => rmSync(cwd, { recursive: true }))

  const execute = async (...argv: string[]): Promise<CliRun> => {
    const stdout = createTextSink(isTTY)
    const stderr = createTextSink(isTTY)
    const code = await run(argv, {
      stdout,
      stderr,
      readStdin: async () => '',
      env: {},
      cwd,
      clock: systemClock,
      terminal: NO_TERMINAL,
      runDashboard: neverAsked('the dashboard'),
      startKeeper: neverAsked('a keeper'),
      createTeam: (options) => createTeam({ ...options, host: 'in-process' }),
      onSignal: () => () => undefined,
      forceExit: () => undefined,
      ...io,
    })
    return { code, stdout: stdout.text(), stderr: stderr.text() }
  }
  return {
    cwd,
    run: execute,
    async json<T>(...argv: string[]): Promise<T> {
      const { code, stdout, stderr } = await execute('--json', ...argv)
      if (code !== 0) throw new Error(`${argv.join(' ')} exited with ${code}: ${stderr}`)
      return JSON.parse(stdout) as T
    },
    async fail(...argv) {
      const { code, stderr } = await execute('--json', ...argv)
      const lines = stderr
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { error?: WireError })
      const error = lines.find((line) => line.error !== undefined)?.error
      if (error === undefined)
        throw new Error(`${argv.join(' ')} exited with ${code} and without an error: ${stderr}`)
      return { code, error }
    },
  }
}

const NO_TERMINAL = { stdin: { isTTY: false }, stdout: { isTTY: false } } as unknown as CliIo['terminal']

/** For what a test has to bring itself where a command wants it. */
function neverAsked(what: string): () => never {
  return () => {
    throw new Error(`expected no need of ${what}`)
  }
}
