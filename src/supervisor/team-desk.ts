/**
 * Where agents reach each other.
 *
 * TD1 A question is sent under the taskId that its asker recorded: asked again, by a later stay of the asker, it joins the same turn or
 *     gets its outcome, so that it is never put twice.
 * TD2 A question whose wait could never end is refused: to oneself, or to an agent that waits, itself or through others, for the one
 *     that asks. One turn at a time is what makes such a ring a deadlock.
 * TD3 When the asking turn has ended, however, nobody waits for the answer any more: the asked turn is cancelled.
 */
import { AgentryError, isAgentryError } from '../errors.ts'
import type { UsageTotal } from '../core/session-state.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import type { TeamRequest, Teammate } from '../protocol/team-requests.ts'
import type { OutgoingMessage } from './message-router.ts'

/** How many questions may hang on one another: the turn of a person's message asks at depth 1. */
export const MAX_ASK_DEPTH = 8

/** How often a question is put again whose agent crashed or got no thread: its taskId makes that safe. */
const MAX_TRIES = 10

export interface TeamDeskOptions {
  /** Throws `agent_not_found`. */
  send(agentId: string, message: OutgoingMessage): Promise<Outcome>
  /** Cancels the turn of a task, queued or running. */
  cancelTask(agentId: string, taskId: string): Promise<unknown>
  teammates(agentId: string): Teammate[]
  usage(): UsageTotal
}

interface Question {
  from: string
  fromTurnId: string
  to: string
  taskId: string
  outcome: Promise<Outcome>
}

export class TeamDesk {
  readonly #options: TeamDeskOptions
  /** By taskId: those without an answer. */
  readonly #open = new Map<string, Question>()

  constructor(options: TeamDeskOptions) {
    this.#options = options
  }

  /** Answers a request of `agentId`'s turn. */
  async answer(agentId: string, request: TeamRequest): Promise<unknown> {
    switch (request.name) {
      case 'ask':
        return this.#ask(agentId, request)
      case 'tell':
        return this.#tell(agentId, request)
      case 'list':
        return this.#options.teammates(agentId)
      case 'usage':
        return this.#options.usage()
      default:
        return unknownRequest(request)
    }
  }

  /** TD3. Idempotent; never throws. */
  turnEnded(agentId: string, turnId: string): void {
    for (const question of this.#open.values()) {
      if (question.from !== agentId || question.fromTurnId !== turnId) continue
      this.#open.delete(question.taskId)
      this.#options.cancelTask(question.to, question.taskId).catch(() => undefined) // it ends by itself then
    }
  }

  async #ask(from: string, request: Extract<TeamRequest, { name: 'ask' }>): Promise<Outcome> {
    const { agentId: to, taskId, input, askedBy } = request
    const known = this.#open.get(taskId)
    if (known) return known.outcome
    if (to === from) throw refused(from, to, 'an agent cannot wait for itself')
    const ring = this.#path(to, from)
    if (ring) throw refused(from, to, `${ring.join(' waits for ')}: nobody could go on`)
    if (askedBy.depth > MAX_ASK_DEPTH) {
      throw refused(from, to, `at most ${MAX_ASK_DEPTH} questions may hang on one another`)
    }
    const outcome = this.#send(to, {
      input,
      ack: 'finished',
      options: { taskId, from },
      askedBy,
    }).finally(() => this.#open.delete(taskId))
    this.#open.set(taskId, { from, fromTurnId: askedBy.turnId, to, taskId, outcome })
    return outcome
  }

  async #tell(from: string, request: Extract<TeamRequest, { name: 'tell' }>): Promise<Outcome> {
    const { agentId, taskId, input } = request
    return this.#options.send(agentId, { input, ack: 'accepted', options: { taskId, from } })
  }

  /** TD1 */
  async #send(agentId: string, message: OutgoingMessage): Promise<Outcome> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#options.send(agentId, message)
      } catch (error) {
        const passing = isAgentryError(error, 'agent_crashed') || isAgentryError(error, 'no_thread')
        if (!passing || tries === MAX_TRIES) throw error
      }
    }
  }

  /** The agents from `from` to `to` along who waits for whom; undefined where `from` does not wait for `to`. */
  #path(from: string, to: string, seen = new Set<string>()): string[] | undefined {
    if (from === to) return [to]
    if (seen.has(from)) return undefined
    seen.add(from)
    for (const question of this.#open.values()) {
      if (question.from !== from) continue
      const rest = this.#path(question.to, to, seen)
      if (rest) return [from, ...rest]
    }
    return undefined
  }
}

function refused(from: string, to: string, why: string): AgentryError {
  return new AgentryError('ask_refused', `agent ${from} cannot ask ${to}: ${why}`, {
    data: { from, to },
  })
}

/** From a thread of this very version: a type that is not known cannot come. */
function unknownRequest(request: never): never {
  throw new AgentryError('internal', `unexpected request: ${JSON.stringify(request)}`)
}
