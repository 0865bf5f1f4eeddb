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
import { AgentryError } from '../errors.ts'
import { type BodyOf, messageOf, type Patch, type SessionChanges, type SessionRecord } from './record.ts'
import { addUsage, noUsage } from './usage.ts'
import {
  type Approval,
  FORMAT_VERSION,
  MAX_TASKS,
  type MemoryEntry,
  type OpenCall,
  type OpenTurn,
  type SessionHeader,
  type SessionState,
  type Usage,
} from './session-state.ts'

/** The state that the first record of a journal makes. Throws `session_damaged` for any record but session.created. */
export function foldFirst(record: SessionRecord): SessionState {
  if (record.type !== 'session.created' || record.seq !== 1) {
    throw damaged(record, 'session.created with seq 1 as the first record')
  }
  const memory = record.memory ?? []
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
    counts: { turns: countTurns(memory), entries: memory.length, ...noUsage() },
    workingDir: record.workingDir,
    prompt: record.prompt,
    vars: record.vars,
    metadata: record.metadata,
    grants: [],
    turn: null,
    queue: [],
    approvals: [],
    tasks: [],
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
    case 'step.model': {
      const turn = openTurn(state, record)
      const { content, toolCalls, model, reasoning, usage } = record
      turn.calls.push(...announced(turn, record))
      turn.steps += 1
      if (usage) spend(state, turn, usage)
      remember(state, record, {
        role: 'assistant',
        content,
        ...(toolCalls && { toolCalls }),
        ...(model !== undefined && { model }),
        ...(reasoning !== undefined && { reasoning }),
        ...(usage && { usage }),
      })
      return
    }
    case 'message.steered':
      return steer(state, record)
    case 'agent.asked': {
      const { agentId, taskId, toolCallId } = record
      const call = lastCall(openTurn(state, record), toolCallId)
      if (call?.state !== 'running' || call.asked !== undefined) {
        throw damaged(record, `a tool call that runs and has asked nobody (${toolCallId})`)
      }
      call.asked = { agentId, taskId }
      return
    }
    case 'approval.asked':
      return ask(state, record)
    case 'approval.answered':
      return answer(state, record)
    case 'memory.compacted': {
      const turn = openTurn(state, record)
      const { summary, throughSeq, usage } = record
      if (throughSeq <= (state.summary?.throughSeq ?? 0) || throughSeq > state.seq) {
        throw damaged(record, `a throughSeq behind the last summary and up to ${state.seq}`)
      }
      if (usage) spend(state, turn, usage)
      state.summary = { text: summary, throughSeq }
      return
    }
    case 'tool.started': {
      const turn = openTurn(state, record)
      const { toolCallId, name, input } = record
      const call = lastCall(turn, toolCallId)
      if (call === undefined) {
        turn.calls.push({ toolCallId, name, state: 'running' })
        remember(state, record, { role: 'assistant', content: '', toolCalls: [{ toolCallId, name, input }] })
      } else if (call.state === 'announced') {
        call.state = 'running'
      } else {
        throw damaged(record, `a tool call that has not started (it is ${call.state})`)
      }
      return
    }
    case 'tool.finished': {
      const call = unfinishedCall(state, record)
      const { outcome, content, toolCallId } = record
      call.state = outcome
      // A call that ended is not asked about any more: it was cancelled, or refused.
      dropApprovals(state, (approval) => approval.toolCallId === toolCallId)
      remember(state, record, { role: 'tool', content, toolCallId, outcome })
      return
    }
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

function startTurn(state: SessionState, record: SessionRecord & BodyOf<'turn.started'>): void {
  const { turnId, attempt, at } = record
  if (state.turn !== null) {
    if (state.turn.turnId !== turnId || attempt !== state.turn.attempt + 1) {
      throw damaged(record, `attempt ${state.turn.attempt + 1} of the unfinished turn ${state.turn.turnId}`)
    }
    state.turn.attempt = attempt
    state.lastAccessedAt = at
    return
  }
  const message = state.queue[0]
  if (message === undefined || message.turnId !== turnId || attempt !== 1) {
    throw damaged(record, `attempt 1 of the first message in the queue (${message?.turnId ?? 'it is empty'})`)
  }
  state.queue.shift()
  state.turn = { ...message, startedAt: at, attempt, calls: [], steps: 0, usage: noUsage(), steered: [] }
  state.lastAccessedAt = at
  remember(state, record, { role: 'user', content: message.input })
}

function finishTurn(state: SessionState, record: SessionRecord & BodyOf<'turn.finished'>): void {
  const { turnId, status, result, error, exitCode } = record
  let taskId: string
  const turn = state.turn?.turnId === turnId ? state.turn : undefined
  if (turn !== undefined) {
    const unfinished = turn.calls.find((call) => call.state === 'running')
    if (unfinished) throw damaged(record, `tool call ${unfinished.toolCallId} finished before its turn`)
    taskId = turn.taskId
    state.turn = null
    state.approvals = []
    state.counts.turns += 1
    if (result !== undefined) remember(state, record, { role: 'assistant', content: result })
  } else {
    const index = state.queue.findIndex((message) => message.turnId === turnId)
    const message = state.queue[index]
    if (message === undefined) throw damaged(record, 'the id of the open turn or of a queued message')
    taskId = message.taskId
    state.queue.splice(index, 1)
  }
  state.lastAccessedAt = record.at
  const ending = { status, ...(error && { error }), ...(exitCode !== undefined && { exitCode }) }
  state.tasks.push(
    { taskId, turnId, ...ending, ...(turn && turn.usage.steps > 0 && { usage: turn.usage }) },
    ...(turn?.steered ?? []).map((message) => ({ ...message, ...ending, into: turnId })),
  )
  if (state.tasks.length > MAX_TASKS) state.tasks.splice(0, state.tasks.length - MAX_TASKS)
}

function spend(state: SessionState, turn: OpenTurn, usage: Usage): void {
  addUsage(state.counts, usage)
  addUsage(turn.usage, usage)
}

function steer(state: SessionState, record: SessionRecord & BodyOf<'message.steered'>): void {
  const turn = openTurn(state, record)
  const index = state.queue.findIndex(({ turnId }) => turnId === record.messageTurnId)
  const message = state.queue[index]
  if (message === undefined) throw damaged(record, 'the id of a queued message')
  state.queue.splice(index, 1)
  turn.steered.push({ turnId: message.turnId, taskId: message.taskId })
  remember(state, record, { role: 'user', content: message.input })
}

function ask(state: SessionState, record: SessionRecord & BodyOf<'approval.asked'>): void {
  const { approvalId, turnId, toolCallId, tool, subject, reason, grant, expiresAt, at } = record
  const call = lastCall(openTurn(state, record), toolCallId)
  if (call?.state !== 'announced') throw damaged(record, `a tool call that has not started (${toolCallId})`)
  if (state.approvals.some((approval) => approval.toolCallId === toolCallId)) {
    throw damaged(record, `no second question about ${toolCallId} while one is open`)
  }
  const approval = { approvalId, turnId, toolCallId, tool, subject, reason, grant, askedAt: at, expiresAt }
  state.approvals.push(approval)
}

function answer(state: SessionState, record: SessionRecord & BodyOf<'approval.answered'>): void {
  const turn = openTurn(state, record)
  const { approvalId, decision, reason, by } = record
  const approval = state.approvals.find((one) => one.approvalId === approvalId)
  if (approval === undefined) throw damaged(record, `a question that is open (${approvalId})`)
  dropApprovals(state, (one) => one === approval)
  const call = lastCall(turn, approval.toolCallId)
  if (call) call.answer = { decision, ...(reason !== undefined && { reason }), by, subject: approval.subject }
  if (decision === 'session') state.grants.push(approval.grant)
}

function dropApprovals(state: SessionState, drop: (approval: Approval) => boolean): void {
  if (state.approvals.length > 0) state.approvals = state.approvals.filter((approval) => !drop(approval))
}

type EntryBody = Omit<MemoryEntry, 'seq' | 'at' | 'turnId'>

function remember(state: SessionState, record: SessionRecord & { turnId: string }, body: EntryBody): void {
  state.memory.push({ seq: record.seq, at: record.at, turnId: record.turnId, ...body })
  state.counts.entries += 1
}

function openTurn(state: SessionState, record: SessionRecord & { turnId: string }): OpenTurn {
  if (state.turn?.turnId !== record.turnId) {
    throw damaged(record, `the open turn ${state.turn?.turnId ?? '(there is none)'}`)
  }
  return state.turn
}

function unfinishedCall(state: SessionState, record: SessionRecord & BodyOf<'tool.finished'>): OpenCall {
  const call = lastCall(openTurn(state, record), record.toolCallId)
  // An announced call may end without a start: refused, unknown tool, invalid arguments.
  if (call === undefined || !isUnderWay(call)) {
    throw damaged(
      record,
      `a tool call that is under way (${record.toolCallId} is ${call?.state ?? 'not known'})`,
    )
  }
  return call
}

/** The calls that a model asks for. Models may use an id again once its call has ended, in a later step of the turn. */
function announced(turn: OpenTurn, record: SessionRecord & BodyOf<'step.model'>): OpenCall[] {
  const open = new Set(turn.calls.filter(isUnderWay).map((call) => call.toolCallId))
  return (record.toolCalls ?? []).map(({ toolCallId, name }) => {
    if (open.has(toolCallId)) throw damaged(record, `no second call ${toolCallId} while one is under way`)
    open.add(toolCallId)
    return { toolCallId, name, state: 'announced' }
  })
}

function lastCall(turn: OpenTurn, toolCallId: string): OpenCall | undefined {
  return turn.calls.findLast((call) => call.toolCallId === toolCallId)
}

function isUnderWay(call: OpenCall): boolean {
  return call.state === 'running' || call.state === 'announced'
}

function countTurns(memory: readonly MemoryEntry[]): number {
  return new Set(memory.map((entry) => entry.turnId)).size
}

/** A type that this version does not know can only come from disk: the compiler holds that the switch has them all. */
function unknownType(record: never): AgentryError {
  return damaged(record, 'a type of record that exists')
}

function damaged(record: SessionRecord, expected: string): AgentryError {
  return new AgentryError('session_damaged', `record ${record.seq} (${record.type}): expected ${expected}`, {
    data: { seq: record.seq, type: record.type, expected },
  })
}
