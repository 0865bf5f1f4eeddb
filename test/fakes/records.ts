/** Records and claims for tests of stores: a session that a few turns can be added to. */
import type { BodyOf, RecordBody, SessionRecord } from '../../src/core/record.ts'
import { createId } from '../../src/core/ids.ts'
import type { Claim } from '../../src/store/session-store.ts'

export const AGENT_ID = 'coder'

/** A living claim; ending it is `word[0] = 0`. */
export function claimOf(token: number, agentId: string = AGENT_ID): Claim {
  const word = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  word[0] = 1
  return { agentId, token, word }
}

/** The bodies with their envelopes, for an append behind record `afterSeq` under `claim`. */
export function enveloped(claim: Claim, afterSeq: number, bodies: readonly RecordBody[]): SessionRecord[] {
  return bodies.map((body, index) => {
    const seq = afterSeq + index + 1
    return {
      seq,
      epoch: claim.token,
      at: new Date(Date.UTC(2026, 0, 1) + seq * 1_000).toISOString(),
      ...body,
    }
  })
}

/** The first record of a session. */
export function creation(
  claim: Claim,
  sessionId: string,
  changes: Partial<BodyOf<'session.created'>> = {},
): SessionRecord[] {
  const body: BodyOf<'session.created'> = {
    type: 'session.created',
    sessionId,
    agentId: claim.agentId,
    name: 'work',
    description: 'Development work',
    status: 'active',
    activation: 1,
    workingDir: '/home/me/project',
    prompt: '',
    vars: { KEY: 'value' },
    metadata: { tags: ['a', 'b'] },
    ...changes,
  }
  return enveloped(claim, 0, [body])
}

/** A whole turn behind record `afterSeq`: five records, three memory entries. */
export function turn(claim: Claim, afterSeq: number, text = 'git status'): SessionRecord[] {
  const turnId = createId()
  const call = { toolCallId: 'call-1', name: 'shell', input: { command: text } }
  return enveloped(claim, afterSeq, [
    { type: 'message.accepted', turnId, taskId: turnId, input: text },
    { type: 'turn.started', turnId, attempt: 1 },
    { type: 'tool.started', turnId, ...call },
    { type: 'tool.finished', turnId, toolCallId: call.toolCallId, outcome: 'ok', content: `did ${text}` },
    { type: 'turn.finished', turnId, status: 'completed', exitCode: 0 },
  ])
}

/** session.changed with a new name: the smallest record there is. */
export function renaming(claim: Claim, afterSeq: number, name: string): SessionRecord[] {
  return enveloped(claim, afterSeq, [{ type: 'session.changed', changes: { name } }])
}
