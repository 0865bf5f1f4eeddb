/** A new journal for a session of which only the state is left. */
import { fold } from '../core/fold.ts'
import { messageOf, type RecordBody, type SessionRecord } from '../core/record.ts'
import type { MemoryEntry, SessionState } from '../core/session-state.ts'
import { closeTurn, OUTCOME_UNKNOWN } from '../core/turn.ts'

const CUT_OFF = 'the turn was cut off when the session was repaired; what it did until then is in the session'

/** What a summary stands for has the first of these seqs, what is behind it the second: both come with the first record. */
const SUMMED_UP_SEQ = 0
const BROUGHT_SEQ = 1

/**
 * Records that add up to `state`, but for two things: seq starts again, and a turn that was open has ended `interrupted`, with all
 * messages that it took in and with its calls ended `unknown`, as the steps that led to it are gone.
 */
export function adoptState(given: SessionState): SessionRecord[] {
  const state = ended(given)
  const { id: sessionId, epoch, lastAccessedAt } = state
  const { agentId, name, description, status, activation, workingDir, prompt, vars, metadata } = state
  const { counts, summary, grants, tasks } = state
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
    adopted: {
      counts,
      ...(summary && { summary: { text: summary.text, throughSeq: SUMMED_UP_SEQ, seq: BROUGHT_SEQ } }),
      grants,
      tasks,
    },
    memory: state.memory.map((entry) => ({ ...entry, seq: adoptedSeq(entry, summary) })),
  })
  for (const message of state.queue) add(lastAccessedAt, { type: 'message.accepted', ...messageOf(message) })
  add(lastAccessedAt, { type: 'session.changed', changes: {}, accessed: true })
  if (state.trashedAt !== undefined) add(state.trashedAt, { type: 'session.trashed' })
  return records
}

/** A copy without an open turn. */
function ended(given: SessionState): SessionState {
  const state = structuredClone(given)
  const { turn, epoch, lastAccessedAt: at } = state
  if (turn === null) return state
  const error = { code: 'interrupted', message: CUT_OFF } as const
  for (const body of closeTurn(turn, OUTCOME_UNKNOWN, { status: 'interrupted', error })) {
    fold(state, { seq: state.seq + 1, epoch, at, ...body })
  }
  return state
}

function adoptedSeq({ seq }: MemoryEntry, summary: SessionState['summary']): number {
  return summary !== undefined && seq <= summary.throughSeq ? SUMMED_UP_SEQ : BROUGHT_SEQ
}
