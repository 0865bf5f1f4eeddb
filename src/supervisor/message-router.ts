/**
 * The way of every message: from the caller to its agent, or to the record of the turn that it repeats.
 *
 * D1  A taskId is unique in the team: one that is known is joined, or answered from its record, never run again; sent to another
 *     agent it is a `task_conflict`. While a message is under way its taskId is held by TaskRoutes, afterwards by the catalog.
 *     One that waits in a session which is not current can be told so, not be waited for.
 * D2  An acceptance comes within ACCEPT_MS or is `agent_unresponsive`; the message may still be accepted later, and its taskId
 *     makes it safe to repeat.
 */
import type { SendOptions, SessionInfo } from '../api.ts'
import type { Clock } from '../core/clock.ts'
import { setDeadline } from '../core/deadline.ts'
import { createId } from '../core/ids.ts'
import type { AskedBy } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { AgentryError, toAgentryError } from '../errors.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import { outcomeOf } from '../protocol/outcome.ts'
import type { Catalog } from '../store/catalog.ts'
import type { Call, Request } from './pending-calls.ts'
import type { SupervisedAgent } from './supervised-agent.ts'
import { TaskRoutes } from './task-routes.ts'

const ACCEPT_MS = 5_000

export interface OutgoingMessage {
  input: string
  /** What the caller waits for. */
  ack: 'accepted' | 'finished'
  /** Of the turn that the message begins. Default: a new one. One that is given is known to others, like a taskId. */
  turnId?: string
  options: SendOptions
  /** Set where a turn of another agent waits for the answer. */
  askedBy?: AskedBy
  onEvent?: (event: TurnEvent) => void
}

export interface MessageRouterOptions {
  catalog: Catalog
  clock: Clock
  readSession: (sessionId: string) => Promise<SessionState>
}

export class MessageRouter {
  readonly #options: MessageRouterOptions
  readonly #routes = new TaskRoutes()

  constructor(options: MessageRouterOptions) {
    this.#options = options
  }

  /**
   * Resolves with the outcome of the message's turn, or of its acceptance. A message whose task is not finished is handed to the agent in
   * this very call: what is asked of the agent afterwards comes behind it.
   */
  async send(agent: SupervisedAgent, outgoing: OutgoingMessage): Promise<Outcome> {
    const { input, ack, options, askedBy, onEvent } = outgoing
    const { clock } = this.#options
    const turnId = outgoing.turnId ?? createId(clock.now())
    const { taskId = turnId, from, metadata, sessionId, mode, signal } = options
    const message = {
      turnId,
      taskId,
      input,
      ...(from !== undefined && { from }),
      ...(metadata && { metadata }),
      ...(mode === 'steer' && { mode }),
      ...(askedBy && { askedBy }),
    }
    const request: Request = { type: 'message', message, ack, ...(sessionId !== undefined && { sessionId }) }
    if (options.taskId !== undefined) {
      this.#assertOwn(taskId, agent.id)
      // Also looked up when the message goes to a thread; here, so that nobody is woken to be told what is recorded.
      const known = this.#isFinished(taskId) ? await this.task(taskId) : undefined
      if (known) return known
    }
    const route = this.#routes.begin(taskId, agent.id)
    const waiting = { ...(onEvent && { onEvent }), ...(signal && { signal }) }
    const outcome = agent.request<Outcome>(request, waiting).finally(() => route.end())
    if (ack === 'finished' && signal === undefined) return outcome
    return firstOf(outcome, (giveUp) => {
      const timer =
        ack === 'accepted' ? setDeadline(clock, ACCEPT_MS, () => giveUp(notAccepted(agent.id))) : undefined
      const onAbort = () => giveUp(aborted(agent.id))
      if (signal?.aborted) onAbort()
      signal?.addEventListener('abort', onAbort, { once: true })
      return () => {
        timer?.cancel()
        signal?.removeEventListener('abort', onAbort)
      }
    })
  }

  #isFinished(taskId: string): boolean {
    return this.#options.catalog.findTask(taskId)?.known.state === 'finished'
  }

  /** What is known of a task: accepted, running or recorded. */
  async task(taskId: string): Promise<Outcome | undefined> {
    const { catalog, readSession } = this.#options
    const found = catalog.findTask(taskId)
    if (found === undefined) return undefined
    const { session, known } = found
    if (known.state === 'finished') return outcomeOf(await readSession(session.id), known.turnId)
    const { turnId, state } = known
    const status = state === 'running' ? 'running' : 'accepted'
    return { status, result: '', turnId, taskId, agentId: session.agentId, sessionId: session.id }
  }

  /** D1, right before a message goes to a thread: true where its task is finished, or waits in a session that is not current. */
  intercept(call: Call): boolean {
    if (call.request.type !== 'message') return false
    const { taskId, turnId, askedBy } = call.request.message
    if (taskId === turnId && askedBy === undefined) return false // a new one: nobody can know it
    const found = this.#options.catalog.findTask(taskId)
    if (found === undefined) return false
    const { session, known } = found
    if (known.state !== 'finished' && session.current) return false
    if (known.state !== 'finished' && call.request.ack === 'finished') {
      call.reject(waitsElsewhere(taskId, session))
      return true
    }
    this.task(taskId).then(
      (outcome) => call.resolve(outcome),
      (error: unknown) => call.reject(toAgentryError(error)),
    )
    return true
  }

  #assertOwn(taskId: string, agentId: string): void {
    const owner = this.#options.catalog.taskOwner(taskId)
    if (owner !== undefined && owner.agentId !== agentId) throw TaskRoutes.conflict(taskId, owner.agentId)
  }
}

/** Settles with `outcome`, or rejects with what `arm` gives up with first; `arm` returns how to disarm it. */
async function firstOf<T>(
  outcome: Promise<T>,
  arm: (giveUp: (error: AgentryError) => void) => () => void,
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const disarm = arm(reject)
  outcome.catch(() => undefined) // where it comes later, nobody waits for it any more
  try {
    return await Promise.race([outcome, promise])
  } finally {
    disarm()
  }
}

function waitsElsewhere(taskId: string, session: SessionInfo): AgentryError {
  const where = `session ${session.name} (${session.id})`
  return new AgentryError(
    'task_conflict',
    `taskId ${taskId} waits in ${where}, which is not current: load it first`,
    {
      data: { taskId, sessionId: session.id },
    },
  )
}

function notAccepted(agentId: string): AgentryError {
  return new AgentryError(
    'agent_unresponsive',
    `agent ${agentId} did not accept the message within ${ACCEPT_MS} ms`,
  )
}

function aborted(agentId: string): AgentryError {
  return new AgentryError('cancelled', `waiting for agent ${agentId} was aborted; its turn goes on`)
}
