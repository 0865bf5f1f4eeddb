/** Supervisor to agent. One frame holds all envelopes of one tick, in order (see port.ts). */
import type { Message } from '../core/record.ts'
import type { ApprovalDecision } from '../core/session-state.ts'
import type { WireError } from '../errors.ts'
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
  /** Answers an open question of the current session; answers nothing back but that it is recorded. Fails with `approval_not_found`. */
  | { type: 'approval'; id: number; approvalId: string; decision: ApprovalDecision; reason?: string }
  | { type: 'team-response'; id: number; value: unknown }
  | { type: 'team-failure'; id: number; error: WireError }
  | { type: 'ping'; id: number }
  /**
   * Asks for the thread: where nothing is under way, or the turn only waits, the session is closed, a waiting turn left open, and
   * `stopped` is sent; who waits for a turn gets no answer then, the next stay gives it. Else `busy` is sent.
   */
  | { type: 'rest' }
  /**
   * The last envelope of a stay. A running turn has `graceMs` to finish, then it ends `interrupted`; accepted messages stay queued
   * on disk; everything else that waits fails with `agent_stopped`. Then the session is closed and `stopped` is sent.
   */
  | { type: 'stop'; graceMs: number }
