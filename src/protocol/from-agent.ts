/** Agent to supervisor. One frame holds all envelopes of one tick, in order (see port.ts). */
import type { WireError } from '../errors.ts'
import type { Json } from '../core/json.ts'
import type { SessionRecord } from '../core/record.ts'
import type {
  Approval,
  ApprovalAnswer,
  SessionHeader,
  ToolOutcome,
  TurnStatus,
  Usage,
  UsageTotal,
} from '../core/session-state.ts'
import type { SessionNote } from '../store/session-store.ts'
import type { TeamRequest } from './team-requests.ts'

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
  /** Of all model steps of the turn; left out where no model was asked. */
  usage?: UsageTotal
}

/** What a turn does while it runs. Text is transient (merged, capped); steps are recorded before they are sent. */
export type TurnEvent =
  | { type: 'turn-started'; turnId: string; sessionId: string; attempt: number }
  | {
      type: 'text'
      text: string
      /** Text before or within this one was dropped: there was too much, or the reader was too slow. */ dropped?: true
    }
  /** What a model says of its thinking: transient like text. */
  | { type: 'reasoning'; text: string; dropped?: true }
  /** A model request failed and is tried again after `delayMs`: text and reasoning since the last step are void. */
  | { type: 'retry'; model: string; attempt: number; delayMs: number; reason: string; fallback?: string }
  /** A model step is recorded: all of its text, reasoning and calls are in the session. */
  | { type: 'step-finished'; model?: string; toolCalls: number; usage?: Usage }
  /** Older entries of the conversation are summed up for the model from now on. */
  | { type: 'compacted'; throughSeq: number; usage?: Usage }
  /** A message that came meanwhile became a part of this turn. */
  | { type: 'steered'; turnId: string; input: string }
  | { type: 'agent-asked'; toolCallId: string; agentId: string }
  | { type: 'approval-asked'; approval: Approval }
  | ({ type: 'approval-answered'; approvalId: string; toolCallId: string } & ApprovalAnswer)
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
  /** The message with this id was taken in by another turn: its sender sees the events of that turn, and is answered by its own end. */
  | { type: 'following'; id: number; turnId: string }
  /** Of every turn, once; `turn-finished` is also the answer to each message that waits for the turn. */
  | { type: 'turn-event'; turnId: string; sessionId: string; event: TurnEvent }
  /** The running turn waits, for a person or for other agents, and does nothing else; or it does something again. */
  | { type: 'waiting'; waiting: boolean }
  /** The agent needs something of the team; answered by `team-response` or `team-failure`. */
  | { type: 'team-request'; id: number; request: TeamRequest }
  /** The answer to a `rest` that does not fit: something is under way. The stay goes on. */
  | { type: 'busy' }
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
