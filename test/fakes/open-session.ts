import type { SessionRecord } from '../../src/core/record.ts'
import { createId } from '../../src/core/ids.ts'
import { Session, type SessionOptions } from '../../src/runtime/session.ts'
import { createClaimAuthority } from '../../src/store/claims.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { SessionStore } from '../../src/store/session-store.ts'
import { SimulatedClock } from './simulated-clock.ts'

export interface OpenedSession {
  session: Session
  options: SessionOptions
  /** The records that were reported as durable, in order, one list for each write. */
  durable: SessionRecord[][]
}

/** A new session of agent `probed`, its first record still to be flushed. */
export function newSession(store: SessionStore = createMemoryStore()): OpenedSession {
  const durable: SessionRecord[][] = []
  const options: SessionOptions = {
    store,
    claim: createClaimAuthority(1).claim('probed'),
    clock: new SimulatedClock(),
    onDurable: (_session, records) => durable.push(records),
    onSaved: () => undefined,
    onFailed: () => undefined,
  }
  const session = Session.create(options, {
    sessionId: createId(),
    agentId: 'probed',
    name: 'probed',
    description: '',
    status: 'active',
    activation: 1,
    workingDir: '/',
    prompt: '',
    vars: {},
    metadata: {},
  })
  return { session, options, durable }
}

/** Puts a message into the session and opens its turn; gives the turnId. */
export function openTurn(session: Session, input = 'input'): string {
  const turnId = createId()
  session.record({ type: 'message.accepted', turnId, taskId: turnId, input })
  session.record({ type: 'turn.started', turnId, attempt: 1 })
  return turnId
}
