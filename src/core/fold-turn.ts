/** The records of turns, each folded into the state by a function of its own; the invariants are those of fold.ts. */
import { damaged } from './damaged.ts'
import type { BodyOf, RecordType, SessionRecord } from './record.ts'
import {
  type Approval,
  MAX_TASKS,
  type MemoryEntry,
  type OpenCall,
  type OpenTurn,
  type SessionState,
  type TaskEntry,
} from './session-state.ts'
import { addUsage, noUsage, type Usage } from './usage.ts'

type Of<T extends RecordType> = SessionRecord & BodyOf<T>

export function startTurn(state: SessionState, record: Of<'turn.started'>): void {
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

export function addStep(state: SessionState, record: Of<'step.model'>): void {
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
}

export function compact(state: SessionState, record: Of<'memory.compacted'>): void {
  const turn = openTurn(state, record)
  const { summary, throughSeq, usage, seq } = record
  if (throughSeq <= (state.summary?.throughSeq ?? 0) || throughSeq > state.seq) {
    throw damaged(record, `a throughSeq behind the last summary and up to ${state.seq}`)
  }
  if (usage) spend(state, turn, usage)
  state.summary = { text: summary, throughSeq, seq }
}

export function steer(state: SessionState, record: Of<'message.steered'>): void {
  const turn = openTurn(state, record)
  const index = state.queue.findIndex(({ turnId }) => turnId === record.messageTurnId)
  const message = state.queue[index]
  if (message === undefined) throw damaged(record, 'the id of a queued message')
  state.queue.splice(index, 1)
  turn.steered.push({ turnId: message.turnId, taskId: message.taskId })
  remember(state, record, { role: 'user', content: message.input })
}

export function startCall(state: SessionState, record: Of<'tool.started'>): void {
  const turn = openTurn(state, record)
  const { toolCallId, name, input } = record
  const call = lastCall(turn, toolCallId)
  if (call === undefined) {
    turn.calls.push({ toolCallId, name, state: 'running' })
    remember(state, record, { role: 'assistant', content: '', toolCalls: [{ toolCallId, name, input }] })
  } else if (call.state === 'announced') {
    settleQuestion(state, call)
    call.state = 'running'
  } else {
    throw damaged(record, `a tool call that has not started (it is ${call.state})`)
  }
}

export function finishCall(state: SessionState, record: Of<'tool.finished'>): void {
  const call = unfinishedCall(state, record)
  const { outcome, content, toolCallId } = record
  settleQuestion(state, call)
  call.state = outcome
  remember(state, record, { role: 'tool', content, toolCallId, outcome })
}

export function askAgent(state: SessionState, record: Of<'agent.asked'>): void {
  const { agentId, taskId, toolCallId } = record
  const call = lastCall(openTurn(state, record), toolCallId)
  if (call?.state !== 'running' || call.asked !== undefined) {
    throw damaged(record, `a tool call that runs and has asked nobody (${toolCallId})`)
  }
  call.asked = { agentId, taskId }
}

export function askPerson(state: SessionState, record: Of<'approval.asked'>): void {
  const { approvalId, turnId, toolCallId, tool, subject, detail, reason, grant, expiresAt, at } = record
  const call = lastCall(openTurn(state, record), toolCallId)
  if (call?.state !== 'announced') throw damaged(record, `a tool call that has not started (${toolCallId})`)
  if (state.approvals.some((approval) => approval.toolCallId === toolCallId)) {
    throw damaged(record, `no second question about ${toolCallId} while one is open`)
  }
  const about = { tool, subject, ...(detail !== undefined && { detail }), reason, grant }
  state.approvals.push({ approvalId, turnId, toolCallId, ...about, askedAt: at, expiresAt })
}

export function answer(state: SessionState, record: Of<'approval.answered'>): void {
  const turn = openTurn(state, record)
  const { approvalId, decision, reason, by } = record
  const approval = state.approvals.find((one) => one.approvalId === approvalId)
  if (approval === undefined) throw damaged(record, `a question that is open (${approvalId})`)
  dropApprovals(state, (one) => one === approval)
  const call = lastCall(turn, approval.toolCallId)
  if (call) call.answer = { decision, ...(reason !== undefined && { reason }), by, subject: approval.subject }
  if (decision === 'session') state.grants.push(approval.grant)
}

export function finishTurn(state: SessionState, record: Of<'turn.finished'>): void {
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
  const tasks: TaskEntry[] = [
    { taskId, turnId, ...ending, ...(turn && turn.usage.steps > 0 && { usage: turn.usage }) },
    ...(turn?.steered ?? []).map((message) => ({ ...message, ...ending, into: turnId })),
  ]
  state.tasks.push(...tasks)
  // Each message of the turn that has just ended is remembered, for its outcome is still to be told.
  const kept = Math.max(MAX_TASKS, tasks.length)
  if (state.tasks.length > kept) state.tasks.splice(0, state.tasks.length - kept)
}

function spend(state: SessionState, turn: OpenTurn, usage: Usage): void {
  addUsage(state.counts, usage)
  addUsage(turn.usage, usage)
}

/**
 * A call that starts or ends is not asked about any more, whatever there was of question and answer: it was allowed, by a grant that
 * was given meanwhile perhaps, or cancelled, or refused.
 */
function settleQuestion(state: SessionState, call: OpenCall): void {
  delete call.answer
  dropApprovals(state, ({ toolCallId }) => toolCallId === call.toolCallId)
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

function unfinishedCall(state: SessionState, record: Of<'tool.finished'>): OpenCall {
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
function announced(turn: OpenTurn, record: Of<'step.model'>): OpenCall[] {
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
