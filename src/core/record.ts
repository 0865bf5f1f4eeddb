/**
 * The records of a session's journal: the only truth about a session. `fold` (fold.ts) turns them into its state.
 * On disk each is one line of JSON (see `store/journal.ts` and docs/session-format.md).
 */
import type { WireError } from '../errors.ts'
import type { Json, JsonObject } from './json.ts'
import type {
  Approval,
  ApprovalAnswer,
  MemoryEntry,
  SessionState,
  SessionStatus,
  ToolCall,
  ToolOutcome,
  TurnStatus,
  Usage,
} from './session-state.ts'

/** What every record has beside its `type`. */
export interface RecordEnvelope {
  /** 1 for the first record of a session, then 1 more each. */
  seq: number
  /** The token of the claim under which it was written; never lower than that of the record before it. */
  epoch: number
  /** ISO 8601, UTC. For people: order is by `seq`, clocks go back. */
  at: string
}

/** A merge patch for one level of keys: a value sets, null removes (after RFC 7396). */
export type Patch<T> = { [key: string]: T | null }

export interface SessionChanges {
  name?: string
  description?: string
  status?: SessionStatus
  /** Given with `status: active`: higher than that of every other session of the agent. */
  activation?: number
  workingDir?: string
  prompt?: string
  vars?: Patch<string>
  metadata?: Patch<Json>
}

/** A message as the agent took it: the input of one turn. */
export interface Message {
  /** UUIDv7, given by the supervisor; of a question from another agent's turn, the taskId under which that one has recorded it. */
  turnId: string
  /** The client's, else the turnId. Unique in the team. */
  taskId: string
  input: string
  /** Who sent it: a person, a program, another agent. */
  from?: string
  metadata?: JsonObject
  /** The running turn takes it in, between two steps, where its behavior can. Left out: a turn of its own. */
  mode?: 'steer'
  /** Set where another agent waits for the answer. */
  askedBy?: AskedBy
}

/** The message alone, as an object of its own: without what a record, a queue or a turn has beside it. */
export function messageOf({ turnId, taskId, input, from, metadata, mode, askedBy }: Message): Message {
  return {
    turnId,
    taskId,
    input,
    ...(from !== undefined && { from }),
    ...(metadata !== undefined && { metadata }),
    ...(mode !== undefined && { mode }),
    ...(askedBy !== undefined && { askedBy }),
  }
}

/** The turn of another agent that waits for an answer. */
export interface AskedBy {
  agentId: string
  turnId: string
  /** 1 where that turn was not asked for itself, else 1 more than its own. */
  depth: number
}

/** UTF-8 bytes of what a sender gives: the input, `from` and the metadata. */
export function messageBytes({
  input,
  from,
  metadata,
}: Pick<Message, 'input' | 'from' | 'metadata'>): number {
  return (
    Buffer.byteLength(input) +
    Buffer.byteLength(from ?? '') +
    (metadata === undefined ? 0 : Buffer.byteLength(JSON.stringify(metadata)))
  )
}

export type RecordBody =
  | {
      type: 'session.created'
      sessionId: string
      agentId: string
      name: string
      description: string
      status: SessionStatus
      activation: number
      workingDir: string
      prompt: string
      vars: { [name: string]: string }
      metadata: JsonObject
      /** For a fork: where it comes from. */
      forkedFrom?: { sessionId: string; seq: number }
      /** For a fork or an import: the conversation it starts with. */
      memory?: MemoryEntry[]
      /** For a session that was repaired from its snapshot alone: what else that had. */
      adopted?: Pick<SessionState, 'counts' | 'summary' | 'grants' | 'tasks'>
    }
  | { type: 'session.changed'; changes: SessionChanges; /** Set where a load caused it. */ accessed?: true }
  | { type: 'session.trashed' }
  | { type: 'session.restored' }
  | ({ type: 'message.accepted' } & Message)
  | {
      type: 'turn.started'
      turnId: string
      /** 1, and 1 more for each time a crash cut it off. */ attempt: number
    }
  | {
      type: 'step.model'
      turnId: string
      content: string
      toolCalls?: ToolCall[]
      model?: string
      reasoning?: string
      usage?: Usage
    }
  /** The queued message `messageTurnId` becomes a part of the open turn. */
  | { type: 'message.steered'; turnId: string; messageTurnId: string }
  /** The call, which has started, waits for the answer of another agent to this taskId. */
  | { type: 'agent.asked'; turnId: string; toolCallId: string; agentId: string; taskId: string }
  | ({ type: 'approval.asked' } & Omit<Approval, 'askedAt'>)
  | ({ type: 'approval.answered'; turnId: string; approvalId: string } & ApprovalAnswer)
  /** From now on `summary` stands for the entries up to `throughSeq` where a model is given the conversation. */
  | { type: 'memory.compacted'; turnId: string; summary: string; throughSeq: number; usage?: Usage }
  | { type: 'tool.started'; turnId: string; toolCallId: string; name: string; input: Json }
  | {
      type: 'tool.finished'
      turnId: string
      toolCallId: string
      outcome: ToolOutcome
      content: string
      exitCode?: number
    }
  | {
      type: 'turn.finished'
      turnId: string
      status: TurnStatus
      /** Left out where the last memory entry of the turn is the result already. */
      result?: string
      error?: WireError
      exitCode?: number
    }

export type RecordType = RecordBody['type']

export type SessionRecord = RecordEnvelope & RecordBody

/** The body of one type: `BodyOf<'turn.started'>`. */
export type BodyOf<T extends RecordType> = Extract<RecordBody, { type: T }>

/** Texts in the copies that go to catalogs are cut to this many characters. */
const SUMMARY_LENGTH = 200

/**
 * A copy of a record for a catalog: it folds to the same header, but long texts are cut; what a session began with is left out, and
 * is not counted then (the header that is sent of every new session has the counts).
 */
export function summarizeRecord(record: SessionRecord): SessionRecord {
  switch (record.type) {
    case 'session.created':
      return record.memory ? { ...record, memory: [] } : record
    case 'message.accepted':
      return isShort(record.input) ? record : { ...record, input: cut(record.input) }
    case 'step.model': {
      const { reasoning: _reasoning, toolCalls, ...rest } = record
      return {
        ...rest,
        content: isShort(rest.content) ? rest.content : cut(rest.content),
        // What tools are given can be whole files.
        ...(toolCalls && {
          toolCalls: toolCalls.map(({ toolCallId, name }) => ({ toolCallId, name, input: null })),
        }),
      }
    }
    case 'tool.finished':
      return isShort(record.content) ? record : { ...record, content: cut(record.content) }
    case 'memory.compacted':
      return isShort(record.summary) ? record : { ...record, summary: cut(record.summary) }
    case 'tool.started':
      return { ...record, input: null }
    case 'turn.finished':
      return isShort(record.result ?? '') ? record : { ...record, result: cut(record.result ?? '') }
    default:
      return record
  }
}

function isShort(text: string): boolean {
  return text.length <= SUMMARY_LENGTH
}

function cut(text: string): string {
  return `${text.slice(0, SUMMARY_LENGTH).toWellFormed()}…`
}
