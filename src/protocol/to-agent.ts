/** Supervisor to agent. One frame holds all envelopes of one tick, in order (see port.ts). */
import type { Message } from '../core/record.ts'
import type { SessionCommand } from './commands.ts'

export type ToAgent =
  /**
   * A message. With `ack: 'accepted'` it is answered by a reply once message.accepted is durable, else by the `turn-finished`
   * event of its turn.
   */
  | {
      type: 'message'
      id: number
      message: Message
      ack: 'accepted' | 'finished'
      /** Refuse with `session_not_found` unless this is the current session when the message is accepted. */
      sessionId?: string
    }
  /** With `cancelTurn` the running turn and the queue are cancelled first, instead of waited for. */
  | { type: 'command'; id: number; command: SessionCommand; cancelTurn: boolean }
  /** Cancels the running turn, or the queued or running one of `turnId`; answers whether there was one. */
  | { type: 'cancel'; id: number; turnId?: string }
  | { type: 'ping'; id: number }
  /**
   * The last envelope of a stay. A running turn has `graceMs` to finish, then it ends `interrupted`; accepted messages stay queued
   * on disk; everything else that waits fails with `agent_stopped`. Then the session is closed and `stopped` is sent.
   */
  | { type: 'stop'; graceMs: number }
