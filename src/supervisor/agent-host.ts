/**
 * The port behind which an agent lives for one stay: on a thread (thread-host.ts), or in process (local-host.ts, for tests and
 * for programs that want no threads). One contract suite (test/contracts/agent-host.ts) runs over both.
 *
 * Invariants:
 * H1  `exited` settles once, and only after nothing of the stay can run or write any more.
 * H2  envelopes arrive in order; none arrives after `exited`.
 * H3  terminate() is idempotent, and ends a thread that is stuck in a loop.
 * H4  a stay that loaded a user's module leaves no trace for the next one: its thread is ended.
 */
import type { SessionState } from '../core/session-state.ts'
import type { FromAgent } from '../protocol/from-agent.ts'
import type { StayOptions, StoreOptions } from '../protocol/stay.ts'
import type { ToAgent } from '../protocol/to-agent.ts'

/** How a stay ended. `stopped`: cleanly. `code`: of process.exit in the thread. */
export type StayEnd =
  | { kind: 'stopped' }
  | { kind: 'exit'; code: number }
  | { kind: 'error'; message: string; stack?: string; code?: string }
  | { kind: 'terminated'; reason: string }

/** Use of one stay, read from outside: it answers while the thread is in an endless loop. */
export interface StayUsage {
  /** V8's used heap, bytes. */
  heapBytes: number
  /** Memory outside the heap that V8 knows of (Buffers), bytes. */
  externalBytes: number
  /** CPU time since the thread started, ms. */
  cpuMs: number
  /** Part of the time since the last reading in which the event loop was busy, 0 to 1. */
  loopUtilization: number
}

export interface Stay {
  send(envelope: ToAgent): void
  readonly exited: Promise<StayEnd>
  /** Ends the stay now, unfinished work cut off. `reason` comes back in the StayEnd. */
  terminate(reason: string): void
  /** Undefined before the thread reported in, after it ended, and where the host cannot tell (in process). */
  usage(): Promise<StayUsage | undefined>
}

export interface AgentHost {
  /** Starts a stay. Envelopes from it come to `receive`, never before start() has returned. */
  start(options: StayOptions, receive: (envelope: FromAgent) => void): Stay
  /**
   * Reads a whole session from disk beside the caller's event loop, without a claim: nothing is changed. Throws like
   * SessionStore.load.
   */
  read(store: StoreOptions, sessionId: string): Promise<SessionState>
  /** Stays that can run at once. */
  readonly capacity: number
  /** Terminates what still runs and frees the threads. */
  close(): Promise<void>
}

export type { StayLimits, StayOptions, StoreOptions } from '../protocol/stay.ts'
