/**
 * Agents in process: the same contract without threads, for tests and for programs that want none. Envelopes pass through a
 * MessagePort here too, so that what works here works on a thread.
 *
 * There is no isolation: an endless loop stops everything, a user's module shares its globals with all (H4 does not hold), and
 * terminate() can only abandon a stay. What is left of H1 then: the stay's claim is revoked, so its appends are refused, and
 * nothing is received from it any more; code that it started may go on.
 */
import type { SessionState } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'
import type { FromAgent } from '../protocol/from-agent.ts'
import { createFrameLine, createFramePort, type FramePort } from '../protocol/port.ts'
import { type ThreadError, toThreadError } from '../protocol/thread-task.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import type { AgentHost, Stay, StayEnd, StayOptions, StoreOptions } from './agent-host.ts'

/** The runtime and the store are handed over by the composition root: the supervisor does not know the runtime. */
export interface LocalHostOptions {
  /** Stays at once. */
  capacity: number
  /** Resolves when `stopped` was sent and everything is closed; rejects where the stay failed. */
  runStay(this: void, options: StayOptions, port: FramePort<FromAgent, ToAgent>): Promise<void>
  readSession(this: void, store: StoreOptions, sessionId: string): Promise<SessionState>
  /** Takes the secrets of a stay out of what it failed with. */
  redactError(this: void, stay: StayOptions, error: ThreadError): ThreadError
}

export function createLocalHost({
  capacity,
  runStay,
  readSession,
  redactError,
}: LocalHostOptions): AgentHost {
  const stays = new Set<Stay>()
  let closed = false

  return {
    capacity,
    start(options, receive) {
      if (closed) throw new AgentryError('team_closed', 'no agent can be started: its host is closed')
      if (stays.size >= capacity) throw new AgentryError('no_thread', `all ${capacity} places are taken`)
      const own = structuredClone(options)
      const stay = startStay(own, receive, (port) => runStay(own, port), redactError)
      stays.add(stay)
      void stay.exited.then(() => stays.delete(stay))
      return stay
    },
    async read(store, sessionId) {
      if (closed) throw new AgentryError('team_closed', 'no session can be read: the host is closed')
      return structuredClone(await readSession(store, sessionId))
    },
    async close() {
      closed = true
      for (const stay of stays) stay.terminate('the host was closed')
      await Promise.all(Array.from(stays, (stay) => stay.exited))
    },
  }
}

function startStay(
  options: StayOptions,
  receive: (envelope: FromAgent) => void,
  run: (port: FramePort<FromAgent, ToAgent>) => Promise<void>,
  redactError: LocalHostOptions['redactError'],
): Stay {
  const { near, far } = createFrameLine<ToAgent, FromAgent>()
  const inner = createFramePort<FromAgent, ToAgent>(far)
  const { promise: exited, resolve: settle } = Promise.withResolvers<StayEnd>()
  let ended = false

  /** The first end counts; what an abandoned stay comes to later is of no interest to anyone. */
  const end = (stayEnd: StayEnd): void => {
    if (ended) return
    ended = true
    inner.flush()
    near.drain()
    near.close()
    settle(stayEnd)
  }

  near.onReceive(receive)
  run(inner).then(
    () => end({ kind: 'stopped' }),
    (error: unknown) => end({ kind: 'error', ...redactError(options, toThreadError(error)) }),
  )
  return {
    exited,
    send: (envelope) => near.send(envelope),
    terminate(reason) {
      Atomics.store(options.claim.word, 0, 0)
      queueMicrotask(() => end({ kind: 'terminated', reason }))
    },
    usage: () => Promise.resolve(undefined),
  }
}
