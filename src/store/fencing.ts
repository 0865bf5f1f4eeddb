/** Who may write what: the checks that every store makes before it writes (invariant S2 of session-store.ts). */
import type { SessionRecord } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'
import { sessionNotFound } from './session-errors.ts'
import type { Claim } from './session-store.ts'

/** Throws `fenced` unless the claim lives. To be called immediately before the write: the claim can end at any time. */
export function assertHeld(claim: Claim): void {
  if (Atomics.load(claim.word, 0) === 1) return
  const { agentId, token } = claim
  const message = `the claim ${token} on agent ${agentId} has ended: another owner may write its sessions`
  throw new AgentryError('fenced', message, { data: { agentId, token } })
}

/** Throws `session_not_found` for another agent's session, `fenced` where a later owner has written to it. */
export function assertOwns(claim: Claim, session: Pick<SessionState, 'id' | 'agentId' | 'epoch'>): void {
  if (session.agentId !== claim.agentId) throw sessionNotFound(session.id)
  if (session.epoch <= claim.token) return
  throw new AgentryError(
    'fenced',
    `session ${session.id} was written under claim ${session.epoch}, this one is ${claim.token}`,
    { data: { sessionId: session.id, token: claim.token, epoch: session.epoch } },
  )
}

/** Throws `seq_conflict` unless the session's last record is `expectedSeq`. */
export function assertSeq(sessionId: string, expectedSeq: number, seq: number): void {
  if (seq === expectedSeq) return
  const message = `expected record ${expectedSeq} to be the last of session ${sessionId}, it is record ${seq}`
  throw new AgentryError('seq_conflict', message, { data: { sessionId, expectedSeq, seq } })
}

/**
 * Throws `internal` for records that cannot follow record `expectedSeq` under this claim: a fault of the caller that must not reach
 * the disk. Whether they are legal otherwise is for the reducer.
 */
export function assertConsecutive(
  claim: Claim,
  sessionId: string,
  expectedSeq: number,
  records: readonly SessionRecord[],
): void {
  for (const [index, record] of records.entries()) {
    const seq = expectedSeq + index + 1
    if (record.seq === seq && record.epoch === claim.token) {
      if (seq !== 1 || isCreationOf(record, claim, sessionId)) continue
    }
    const expected = `${seq === 1 ? 'session.created with ' : ''}seq ${seq} and epoch ${claim.token}`
    const found = `${record.type} with seq ${record.seq} and epoch ${record.epoch}`
    throw new AgentryError('internal', `session ${sessionId}: expected ${expected}, received ${found}`)
  }
}

function isCreationOf(record: SessionRecord, claim: Claim, sessionId: string): boolean {
  return (
    record.type === 'session.created' && record.sessionId === sessionId && record.agentId === claim.agentId
  )
}
