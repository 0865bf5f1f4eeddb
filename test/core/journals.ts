/** Legal journals for property tests, built by a small model of a session that knows nothing of `fold`. */
import * as fc from 'fast-check'
import type { JsonObject } from '../../src/core/json.ts'
import type { BodyOf, RecordBody, SessionRecord } from '../../src/core/record.ts'
import { foldFirst, fold } from '../../src/core/fold.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { AGENT_ID, SESSION_ID, SessionModel, step } from './journal-model.ts'

export { AGENT_ID, SESSION_ID }

/** A legal journal of 1 to about 60 records, session.created first. */
export const journal: fc.Arbitrary<SessionRecord[]> = fc
  .array(step, { minLength: 1, maxLength: 60, size: 'max' })
  .map(([first, ...rest]) => {
    const model = new SessionModel()
    if (first) model.create(first)
    for (const next of rest) model.take(next)
    return model.records
  })

/** The state that records add up to. */
export function replay(records: readonly SessionRecord[]): SessionState {
  const [first, ...rest] = records
  if (first === undefined) throw new Error('a journal has at least one record')
  let state = foldFirst(first)
  for (const record of rest) state = fold(state, record)
  return state
}

/** Session.created and what follows it, enveloped: for tests of single cases. */
export function journalOf(
  bodies: RecordBody[],
  created: Partial<BodyOf<'session.created'>> = {},
): SessionRecord[] {
  const first: RecordBody = {
    type: 'session.created',
    sessionId: SESSION_ID,
    agentId: AGENT_ID,
    name: 'work',
    description: '',
    status: 'active',
    activation: 1,
    workingDir: '/home/me/project',
    prompt: '',
    vars: {},
    metadata: {} satisfies JsonObject,
    ...created,
  }
  return [first, ...bodies].map((body, index) => ({
    seq: index + 1,
    epoch: 1,
    at: new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString(),
    ...body,
  }))
}
