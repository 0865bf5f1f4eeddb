/** Whether there is somebody at a terminal that can show the dashboard. */
import type { CliIo } from './io.ts'

export interface Terminal {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
}

/** The terminal, or why there is none. */
export function terminalOf({ terminal, env }: Pick<CliIo, 'terminal' | 'env'>): Terminal | string {
  if (!terminal.stdin.isTTY) return 'standard input is no terminal'
  if (!terminal.stdout.isTTY) return 'standard output is no terminal'
  return env['TERM'] === 'dumb' ? 'TERM is dumb' : terminal
}
