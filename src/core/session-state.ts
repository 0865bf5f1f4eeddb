/** The state of a session: what its records add up to, and what its snapshot file holds. */
import type { WireError } from '../errors.ts'
import type { Json, JsonObject } from './json.ts'
import type { Message } from './record.ts'

/** The version of journal and snapshot that this code writes, and the highest that it reads. */
export const FORMAT_VERSION = 1

/** How many finished turns a session remembers by taskId, to answer a repeated taskId from. */
export const MAX_TASKS = 200

export const SESSION_STATUSES = ['active', 'suspended', 'terminated'] as const
export type SessionStatus = (typeof SESSION_STATUSES)[number]

/** How a turn ended. `interrupted`: a crash or stop cut it off and it is not continued. */
export type TurnStatus = 'completed' | 'failed' | 'cancelled' | 'interrupted'

/** How a tool call ended. `unknown`: a crash came between its start and its end; it may have had any effect. */
export type ToolOutcome = 'ok' | 'error' | 'unknown'

export interface Usage {
  inputTokens: number
  outputTokens: number
}

export interface ToolCall {
  toolCallId: string
  name: string
  input: Json
}

/** One entry of the conversation: our own format, turned into a provider's only at the model's edge. */
export interface MemoryEntry {
  /** The seq of the record that brought it (1 for all that a fork or import started with). */
  seq: number
  at: string
  turnId: string
  role: 'user' | 'assistant' | 'tool'
  content: string
  toolCalls?: ToolCall[]
  toolCallId?: string
  usage?: Usage
}

/** One tool call of the unfinished turn. `announced`: a model asked for it, it has not started. */
export interface OpenCall {
  toolCallId: string
  name: string
  state: 'announced' | 'running' | ToolOutcome
}

/** The turn that is under way. */
export interface OpenTurn extends Message {
  startedAt: string
  attempt: number
  calls: OpenCall[]
}

/** A finished turn, kept for repeated taskIds. Its result is the last memory entry of the turn. */
export interface TaskEntry {
  taskId: string
  turnId: string
  status: TurnStatus
  error?: WireError
  exitCode?: number
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
  counts: { turns: number; entries: number; inputTokens: number; outputTokens: number }
  workingDir: string
  prompt: string
  vars: { [name: string]: string }
  metadata: JsonObject
  turn: OpenTurn | null
  /** Accepted, not started, in order. */
  queue: Message[]
  /** The last MAX_TASKS finished turns, oldest first. */
  tasks: TaskEntry[]
  memory: MemoryEntry[]
}

/** A session without its conversation: what lists and catalogs hold. */
export type SessionHeader = Omit<SessionState, 'memory'>
