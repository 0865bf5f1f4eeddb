/** One stay of an agent: what a thread (or the in-process host) runs from start to `stopped`. */
import type { Behavior } from '../behavior.ts'
import type { Clock } from '../core/clock.ts'
import { setDeadline } from '../core/deadline.ts'
import type { FromAgent } from '../protocol/from-agent.ts'
import type { StayOptions } from '../protocol/stay.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import type { SessionStore } from '../store/session-store.ts'
import { AgentryError } from '../errors.ts'
import { AgentLoop } from './agent-loop.ts'
import { cutText } from './recordable.ts'
import type { Redactor } from './secrets/redactor.ts'
import type { LoadedBehavior } from './load-behavior.ts'

/** How long a behavior may take to free what it keeps. */
const CLOSE_MS = 5_000

/** Most of a note: it may hold what others said, at length. */
const NOTE_BYTES = 4_096

export interface StayPort {
  send(envelope: FromAgent): void
  /** Envelopes that came before are kept and delivered in order. */
  onReceive(handler: (envelope: ToAgent) => void): void
  /** Envelopes go out with their tick; this sends them at once, before code that may not come back to the event loop. */
  flush(): void
  close(): void
}

export interface StayEnvironment {
  store: SessionStore
  loadBehavior(stay: StayOptions, onNote: (message: string) => void): Promise<LoadedBehavior>
  clock: Clock
  threadId: number
  /** Takes secrets out of what behaviors record and say. */
  redactor: Redactor
  /** Ends what the commands of a turn left behind; throws where something of it lives on. Default: endLeftovers. */
  endLeftovers?(this: void, turnId: string): Promise<void>
}

/**
 * Runs a stay. Resolves after `stopped` was sent and everything is closed. Rejects where the behavior does not load
 * (`start_failed`), where it had to be abandoned, and for a bug: the stay then ends as an error, and nothing of it is acknowledged
 * that is not durable.
 */
export async function runStay(
  options: StayOptions,
  port: StayPort,
  environment: StayEnvironment,
): Promise<void> {
  const { behavior, userModule } = await environment.loadBehavior(options, (note) => {
    // Cut afterwards: half a secret would not be found.
    const message = cutText(environment.redactor.redact(note), NOTE_BYTES)
    port.send({ type: 'note', note: { kind: 'agent-fault', message } })
  })
  try {
    const loop = new AgentLoop({ stay: options, port, environment, behavior, userModule })
    await loop.open()
    port.send({ type: 'ready', threadId: environment.threadId })
    port.onReceive((envelope) => loop.receive(envelope))
    await loop.run()
    port.send({ type: 'stopped' })
  } finally {
    await closeBehavior(behavior, environment.clock)
  }
}

/** Throws `agent_unresponsive` where it takes longer than CLOSE_MS: its thread is ended then. */
async function closeBehavior(behavior: Behavior, clock: Clock): Promise<void> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timer = setDeadline(clock, CLOSE_MS, () => {
    reject(new AgentryError('agent_unresponsive', `the behavior did not close within ${CLOSE_MS} ms`))
  })
  await Promise.race([behavior.close?.(), late]).finally(() => timer.cancel())
}
