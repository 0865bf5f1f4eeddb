/** The end of a process that was started with a channel. */
import type { ChildProcess } from 'node:child_process'

/** Resolves when it has ended and everything it said was heard; with the reason where it has never begun. */
export function endOf(child: ChildProcess): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  child.on('exit', () => {
    // What it said last may come after its end.
    if (child.connected) child.once('disconnect', () => resolve(undefined))
    else resolve(undefined)
  })
  child.on('error', (error) => {
    // Of one that runs it is a signal or a message that could not be sent: its exit comes.
    if (child.pid === undefined) resolve(error)
  })
  return promise
}

/** What the system refused, and not a mistake of ours: some refusals are thrown by the start itself. */
export function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}
