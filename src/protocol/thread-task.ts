/** What passes between the thread host and its threads (workers/agent.ts) beside the envelopes of an agent. */
import type { SessionState } from '../core/session-state.ts'
import { describeThrown, type WireError } from '../errors.ts'
import type { FromAgent } from './from-agent.ts'
import type { FarEnd } from './port.ts'
import type { StayOptions, StoreOptions } from './stay.ts'

/** A thread's work for the length of one stay. It is over when the thread has sent `ended`. */
export interface StayTask {
  options: StayOptions
  port: FarEnd
}

export type FromThread =
  | FromAgent
  /**
   * The last envelope of a thread that ends a stay of its own accord: nothing of the stay runs any more. `reusable`: no code but
   * Agentry's ran, the thread may take another agent; otherwise it waits to be terminated.
   */
  | { type: 'ended'; reusable: boolean; error?: ThreadError }

export interface ThreadError {
  message: string
  stack?: string
  /** The `code` that the error carried: Agentry's, Node's or a module's. */
  code?: string
}

/** Anything that was thrown, as data: Error objects lose their class and their own fields on the way between threads. */
export function toThreadError(thrown: unknown): ThreadError {
  const message = describeThrown(thrown)
  if (!(thrown instanceof Error)) return { message }
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
  return {
    message,
    ...(thrown.stack !== undefined && { stack: thrown.stack }),
    ...(code !== undefined && { code }),
  }
}

/** Work for a thread between stays: read a session, change nothing. */
export interface ReadTask {
  store: StoreOptions
  sessionId: string
}

export type ReadResult = { state: SessionState } | { error: WireError }
