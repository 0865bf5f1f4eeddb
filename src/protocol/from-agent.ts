/** Agent to supervisor. One frame holds all envelopes of one tick, in order (see port.ts). */
import type { WireError } from '../errors.ts'
import type { Json } from '../core/json.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionHeader, ToolOutcome, TurnStatus, Usage } from '../core/session-state.ts'
import type { SessionNote } from '../store/session-store.ts'

/** What a turn came to, or how far it is. The same in answers, over HTTP and from a repeated taskId. */
export interface Outcome {
  status: 'accepted' | 'running' | TurnStatus
  /** The text that the behavior gave; empty until the turn is finished. */
  result: string
  error?: WireError
  /** For behaviors that run commands. */
  exitCode?: number
  turnId: string
  taskId: string
  agentId: string
  sessionId: string
  usage?: Usage
}

/** What a turn does while it runs. Text is transient (merged, capped); steps are recorded before they are sent. */
export type TurnEvent =
  | { type: 'turn-started'; turnId: string; sessionId: string; attempt: number }
  | {
      type: 'text'
      text: string
      /** Text before or within this one was dropped: there was too much, or the reader was too slow. */ dropped?: true
    }
  | { type: 'tool-started'; toolCallId: string; name: string; input: Json }
  | { type: 'tool-finished'; toolCallId: string; outcome: ToolOutcome; exitCode?: number }
  | { type: 'turn-finished'; outcome: Outcome }

export type FromAgent =
  /** Once per stay: the behavior is loaded, the current session (if any) is open. Sessions and notes may come before it. */
  | { type: 'ready'; threadId: number }
  /** The answer to a command, a cancel, or a message with `ack: 'accepted'` or a finished taskId (an Outcome). */
  | { type: 'reply'; id: number; value: unknown }
  | { type: 'failure'; id: number; error: WireError }
  /** The message with this id has the taskId of an unfinished turn: it gets that turn's outcome. */
  | { type: 'joined'; id: number; turnId: string }
  /** Of every turn, once; `turn-finished` is also the answer to each message that waits for the turn. */
  | { type: 'turn-event'; turnId: string; sessionId: string; event: TurnEvent }
  /** A session was opened or changed by a command; `gone` when it went to the trash or was purged. */
  | { type: 'session'; header: SessionHeader; gone?: true }
  /** Records that became durable, their long texts cut (`summarizeRecord`): the catalog folds them into its header. */
  | { type: 'records'; sessionId: string; records: SessionRecord[]; journalOffset: number }
  /** A snapshot was written, of that many bytes. */
  | { type: 'saved'; sessionId: string; snapshotBytes: number }
  /** What user code printed, merged and capped in the thread. */
  | { type: 'log'; stream: 'stdout' | 'stderr'; text: string; droppedBytes: number }
  | { type: 'note'; note: SessionNote }
  | { type: 'pong'; id: number }
  /** Last envelope of a stay: everything is durable and closed. */
  | { type: 'stopped' }
