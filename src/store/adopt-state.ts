/** A new journal for a session of which only the state is left. */
import { messageOf, type RecordBody, type SessionRecord } from '../core/record.ts'
import type { SessionState, TaskEntry } from '../core/session-state.ts'

const CUT_OFF = 'the turn was cut off when the session was repaired; what it did until then is in the session'

/**
 * Records that add up to `state` as far as records can: session.created brings the conversation, the others the finished tasks, the
 * queue and the last access. Three things are not kept: seq starts again at 1, token counts start at 0, and a turn that was open
 * has ended `interrupted`, as the steps that led to it are gone.
 */
export function adoptState(state: SessionState): SessionRecord[] {
  const { id: sessionId, epoch, lastAccessedAt } = state
  const { agentId, name, description, status, activation, workingDir, prompt, vars, metadata } = state
  const records: SessionRecord[] = []
  const add = (at: string, body: RecordBody): void => {
    records.push({ seq: records.length + 1, epoch, at, ...body })
  }
  add(state.createdAt, {
    type: 'session.created',
    sessionId,
    agentId,
    name,
    description,
    status,
    activation,
    workingDir,
    prompt,
    vars,
    metadata,
    ...(state.forkedFrom && { forkedFrom: state.forkedFrom }),
    memory: state.memory.map((entry) => ({ ...entry, seq: 1 })),
  })
  const { turn } = state
  const tasks: TaskEntry[] = [...state.tasks]
  if (turn !== null) {
    const { taskId, turnId } = turn
    tasks.push({ taskId, turnId, status: 'interrupted', error: { code: 'interrupted', message: CUT_OFF } })
  }
  for (const { taskId, turnId, usage: _usage, into: _into, ...outcome } of tasks) {
    // The input is in the conversation already.
    add(lastAccessedAt, { type: 'message.accepted', taskId, turnId, input: '' })
    add(lastAccessedAt, { type: 'turn.finished', turnId, ...outcome })
  }
  for (const message of state.queue) add(lastAccessedAt, { type: 'message.accepted', ...messageOf(message) })
  add(lastAccessedAt, { type: 'session.changed', changes: {}, accessed: true })
  if (state.trashedAt !== undefined) add(state.trashedAt, { type: 'session.trashed' })
  return records
}
