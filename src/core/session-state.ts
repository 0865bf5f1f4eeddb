/** The state of a session: what its records add up to, and what its snapshot file holds. */
import type { WireError } from '../errors.ts'
import type { Json, JsonObject } from './json.ts'
import type { Message } from './record.ts'
import type { Usage, UsageTotal } from './usage.ts'

/** The version of journal and snapshot that this code writes, and the highest that it reads. */
export const FORMAT_VERSION = 1

/** How many finished turns a session remembers by taskId, to answer a repeated taskId from. */
export const MAX_TASKS = 200

/** How many messages one turn takes in while it runs. Further ones stay in the queue, for turns of their own or the next one. */
export const MAX_STEERED = 100

export const SESSION_STATUSES = ['active', 'suspended', 'terminated'] as const
export type SessionStatus = (typeof SESSION_STATUSES)[number]

/** How a turn ended. `interrupted`: a crash or stop cut it off and it is not continued. */
export type TurnStatus = 'completed' | 'failed' | 'cancelled' | 'interrupted'

/** How a tool call ended. `unknown`: a crash came between its start and its end; it may have had any effect. */
export type ToolOutcome = 'ok' | 'error' | 'unknown'

export type { Usage, UsageTotal } from './usage.ts'

export interface ToolCall {
  toolCallId: string
  name: string
  input: Json
  /** Why the call cannot be run, for the model to read. Where the arguments are no JSON, `input` is their text. */
  problem?: string
}

/** One entry of the conversation: our own format, turned into a provider's only at the model's edge. */
export interface MemoryEntry {
  /**
   * The seq of the record that brought it: 1 for all that a fork, an import or a repaired session started with, 0 for what a summary
   * stood for when the session was repaired.
   */
  seq: number
  at: string
  turnId: string
  role: 'user' | 'assistant' | 'tool'
  content: string
  toolCalls?: ToolCall[]
  toolCallId?: string
  /** Of an assistant's: `provider/model`. */
  model?: string
  /** What a model said of its thinking; shown, never sent to a model again. */
  reasoning?: string
  /** Of a tool's: how the call ended. Left out by older versions. */
  outcome?: ToolOutcome
  usage?: Usage
}

/** One tool call of the unfinished turn. `announced`: a model asked for it, it has not started. */
export interface OpenCall {
  toolCallId: string
  name: string
  state: 'announced' | 'running' | ToolOutcome
  /** Set where the call asks another agent: its answer is fetched by this taskId, after a crash too. */
  asked?: { agentId: string; taskId: string }
  /** The answer to the last question about the call, until it starts or ends, with what was asked about. */
  answer?: ApprovalAnswer & { /** Left out by older versions. */ subject?: string }
}

export interface ApprovalAnswer {
  decision: ApprovalDecision
  /** What the person gave with a no. */
  reason?: string
  /** `timeout`: nobody answered in time. */
  by: 'person' | 'timeout'
}

export const APPROVAL_DECISIONS = ['once', 'session', 'deny'] as const
/** `session`: the same again is allowed for the rest of the session. */
export type ApprovalDecision = (typeof APPROVAL_DECISIONS)[number]

/** A question to a person: may this call run? It stays over restarts, until it is answered or its time is over (then: deny). */
export interface Approval {
  /** UUIDv7. */
  approvalId: string
  turnId: string
  toolCallId: string
  tool: string
  /**
   * What the tool would do: the command line, the path, the URL, whole; of a tool that says nothing of its calls all that it is given, as
   * JSON, in which a long text is cut. Older versions left it empty there.
   */
  subject: string
  /** What else it was given, for people to read, long values cut: the content of a file. Left out: nothing else. */
  detail?: string
  /** Why it is asked, in words. */
  reason: string
  /** What the answer `session` would allow. */
  grant: Grant
  askedAt: string
  expiresAt: string
}

/** What a person has allowed for the rest of a session. */
export interface Grant {
  tool: string
  /** A pattern as permission rules have them; left out: the tool whatever it is given. */
  pattern?: string
}

/** The turn that is under way. */
export interface OpenTurn extends Message {
  startedAt: string
  attempt: number
  calls: OpenCall[]
  /** Model steps. */
  steps: number
  usage: UsageTotal
  /** Messages that were taken into this turn while it ran: they end with it. */
  steered: { turnId: string; taskId: string }[]
}

/** A finished turn, kept for repeated taskIds. Its result is the last memory entry of the turn. */
export interface TaskEntry {
  taskId: string
  turnId: string
  status: TurnStatus
  error?: WireError
  exitCode?: number
  /** The turn that the message was taken into: it has the result. */
  into?: string
  /** Left out where no model was asked. */
  usage?: UsageTotal
}

/** The keys are in the order in which the snapshot file has them. */
export interface SessionState {
  formatVersion: number
  /** UUIDv7. */
  id: string
  agentId: string
  name: string
  description: string
  status: SessionStatus
  createdAt: string
  /** Changed by loads and turns only. */
  lastAccessedAt: string
  /** The seq of the last record folded in. */
  seq: number
  /** The claim token of the last record folded in. */
  epoch: number
  /** Bytes of the journal that are folded in: the tail starts here. */
  journalOffset: number
  /**
   * Grows with every activation of any session of the agent. Of several active sessions (a crash between making one
   * current and suspending the one before) the highest is the current one.
   */
  activation: number
  /** Set while the session is in the trash. */
  trashedAt?: string
  forkedFrom?: { sessionId: string; seq: number }
  counts: { turns: number; entries: number } & UsageTotal
  workingDir: string
  prompt: string
  vars: { [name: string]: string }
  metadata: JsonObject
  /** What stands for the entries up to `throughSeq` where the conversation is given to a model; they stay in `memory`. */
  summary?: {
    text: string
    throughSeq: number
    /** The seq of its record: what is counted behind it was counted with the summary. Left out by older versions. */
    seq?: number
  }
  grants: Grant[]
  turn: OpenTurn | null
  /** Accepted, not started, in order. */
  queue: Message[]
  /** Questions of the open turn without an answer. */
  approvals: Approval[]
  /** The last MAX_TASKS finished turns, oldest first; all messages of the last one, however many it took in. */
  tasks: TaskEntry[]
  memory: MemoryEntry[]
}

/** A session without its conversation: what lists and catalogs hold. */
export type SessionHeader = Omit<SessionState, 'memory'>
