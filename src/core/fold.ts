/**
 * The reducer: records in, state out. Pure in the sense that counts: no I/O, no clock, the same records always give the
 * same state. It works on the state it is given (a turn must cost what it adds, not a copy of the history).
 *
 * Invariants:
 * F1  fold(fold(empty, a), b) equals fold(empty, a ++ b): a snapshot plus the tail equals the full replay.
 * F2  seq grows by exactly 1; the epoch never falls.
 * F3  an illegal record throws `session_damaged` before anything of the state is changed.
 * F4  lastAccessedAt changes by loads and turns only.
 */
import { damaged } from './damaged.ts'
import {
  addStep,
  answer,
  askAgent,
  askPerson,
  compact,
  finishCall,
  finishTurn,
  startCall,
  startTurn,
  steer,
} from './fold-turn.ts'
import { messageOf, type Patch, type SessionChanges, type SessionRecord } from './record.ts'
import { noUsage } from './usage.ts'
import { FORMAT_VERSION, type MemoryEntry, type SessionHeader, type SessionState } from './session-state.ts'

/** The state that the first record of a journal makes. Throws `session_damaged` for any record but session.created. */
export function foldFirst(record: SessionRecord): SessionState {
  if (record.type !== 'session.created' || record.seq !== 1) {
    throw damaged(record, 'session.created with seq 1 as the first record')
  }
  const { memory = [], adopted } = record
  return {
    formatVersion: FORMAT_VERSION,
    id: record.sessionId,
    agentId: record.agentId,
    name: record.name,
    description: record.description,
    status: record.status,
    createdAt: record.at,
    lastAccessedAt: record.at,
    seq: 1,
    epoch: record.epoch,
    journalOffset: 0,
    activation: record.activation,
    ...(record.forkedFrom && { forkedFrom: record.forkedFrom }),
    counts: { ...(adopted?.counts ?? { turns: countTurns(memory), entries: memory.length, ...noUsage() }) },
    workingDir: record.workingDir,
    prompt: record.prompt,
    vars: record.vars,
    metadata: record.metadata,
    ...(adopted?.summary && { summary: adopted.summary }),
    grants: [...(adopted?.grants ?? [])],
    turn: null,
    queue: [],
    approvals: [],
    tasks: [...(adopted?.tasks ?? [])],
    memory: [...memory],
  }
}

/** Folds one record into `state`, which it changes and returns. */
export function fold(state: SessionState, record: SessionRecord): SessionState {
  if (record.seq !== state.seq + 1) throw damaged(record, `seq ${state.seq + 1}`)
  if (record.epoch < state.epoch) throw damaged(record, `an epoch of at least ${state.epoch}`)
  apply(state, record)
  state.seq = record.seq
  state.epoch = record.epoch
  return state
}

/** The state without its conversation, as an object of its own: what is folded into the state later does not show in it. */
export function headerOf(state: SessionState): SessionHeader {
  const { memory: _memory, ...header } = state
  return {
    ...header,
    counts: { ...state.counts },
    grants: [...state.grants],
    turn: state.turn && {
      ...state.turn,
      calls: state.turn.calls.map((call) => ({ ...call })),
      usage: { ...state.turn.usage },
      steered: [...state.turn.steered],
    },
    queue: [...state.queue],
    approvals: [...state.approvals],
    tasks: [...state.tasks],
  }
}

function apply(state: SessionState, record: SessionRecord): void {
  switch (record.type) {
    case 'session.created':
      throw damaged(record, 'session.created only once')
    case 'session.changed':
      applyChanges(state, record.changes)
      if (record.accessed) state.lastAccessedAt = record.at
      return
    case 'session.trashed':
      if (state.trashedAt !== undefined) throw damaged(record, 'a session that is not in the trash')
      state.trashedAt = record.at
      return
    case 'session.restored':
      if (state.trashedAt === undefined) throw damaged(record, 'a session that is in the trash')
      delete state.trashedAt
      return
    case 'message.accepted':
      state.queue.push(messageOf(record))
      return
    case 'turn.started':
      return startTurn(state, record)
    case 'step.model':
      return addStep(state, record)
    case 'message.steered':
      return steer(state, record)
    case 'agent.asked':
      return askAgent(state, record)
    case 'approval.asked':
      return askPerson(state, record)
    case 'approval.answered':
      return answer(state, record)
    case 'memory.compacted':
      return compact(state, record)
    case 'tool.started':
      return startCall(state, record)
    case 'tool.finished':
      return finishCall(state, record)
    case 'turn.finished':
      return finishTurn(state, record)
    default:
      throw unknownType(record)
  }
}

function applyChanges(state: SessionState, changes: SessionChanges): void {
  if (changes.name !== undefined) state.name = changes.name
  if (changes.description !== undefined) state.description = changes.description
  if (changes.status !== undefined) state.status = changes.status
  if (changes.activation !== undefined) state.activation = changes.activation
  if (changes.workingDir !== undefined) state.workingDir = changes.workingDir
  if (changes.prompt !== undefined) state.prompt = changes.prompt
  if (changes.vars !== undefined) state.vars = patched(state.vars, changes.vars)
  if (changes.metadata !== undefined) state.metadata = patched(state.metadata, changes.metadata)
}

/** A new object with the patch laid over: null removes a key. Built from entries, so that no key reaches a prototype. */
function patched<T>(base: { [key: string]: T }, patch: Patch<T>): { [key: string]: T } {
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, value)
  }
  return Object.fromEntries(merged)
}

function countTurns(memory: readonly MemoryEntry[]): number {
  return new Set(memory.map((entry) => entry.turnId)).size
}

/** A type that this version does not know can only come from disk: the compiler holds that the switch has them all. */
function unknownType(record: never): Error {
  return damaged(record, 'a type of record that exists')
}
