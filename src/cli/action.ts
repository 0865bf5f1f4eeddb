/** What the definitions of commands share. */
import { InvalidArgumentError } from 'commander'
import type { ExitCode } from './exit-codes.ts'
import type { CommandContext } from './open-team.ts'

/** Makes the action of a command out of the function that does it: with the context first, its exit code kept. */
export type ActionOf = <Args extends unknown[]>(
  run: (context: CommandContext, ...args: Args) => Promise<ExitCode | void>,
) => (...args: Args) => Promise<void>

/** Reads the value of an option as a whole number from 0 on. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new InvalidArgumentError('Expected a whole number.')
}

/** Reads the value of an option as a TCP port; 0 is any free one. */
export function portNumber(text: string): number {
  const port = wholeNumber(text)
  if (port <= 65_535) return port
  throw new InvalidArgumentError('Expected a port: 0 to 65535.')
}

/** Gathers the values of an option that may be repeated. */
export function collect(value: string, values: string[] = []): string[] {
  return [...values, value]
}
