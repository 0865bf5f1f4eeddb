/**
 * Where agents reach each other.
 *
 * TD1 A question is sent under the taskId that its asker recorded: asked again, by a later stay of the asker, it joins the same turn or
 *     gets its outcome, so that it is never put twice.
 * TD2 A question whose wait could never end is refused: to oneself, or to an agent that waits, itself or through others, for the one
 *     that asks. One turn at a time is what makes such a ring a deadlock.
 * TD3 An answer that is there is given at once, in the very call, until the asking turn ends: an asker that rests and wakes must not
 *     have to stay for it.
 * TD4 When the asking turn has ended, however, nobody waits for the answer any more: the asked turn is cancelled.
 */
import { AgentryError, isAgentryError, toAgentryError } from '../errors.ts'
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
  answer: Answer | undefined
  /** Who is told once there is an answer: the last that asked. */
  settle: Settle
}

/** What a request comes to. */
export type Answer = { value: unknown } | { error: AgentryError }
export type Settle = (answer: Answer) => void

export class TeamDesk {
  readonly #options: TeamDeskOptions
  /** By taskId: those of turns that have not ended. */
  readonly #questions = new Map<string, Question>()

  constructor(options: TeamDeskOptions) {
    this.#options = options
  }

  /** Answers a request of `agentId`'s turn. Never throws. */
  answer(agentId: string, request: TeamRequest, settle: Settle): void {
    switch (request.name) {
      case 'ask':
        return this.#ask(agentId, request, settle)
      case 'tell':
        void settled(this.#tell(agentId, request)).then(settle)
        return
      case 'list':
        return settle({ value: this.#options.teammates(agentId) })
      case 'usage':
        return settle({ value: this.#options.usage() })
      default:
        return unknownRequest(request)
    }
  }

  /** TD4. Idempotent; never throws. */
  turnEnded(agentId: string, turnId: string): void {
    for (const { from, fromTurnId, to, taskId, answer } of this.#questions.values()) {
      if (from !== agentId || fromTurnId !== turnId) continue
      this.#questions.delete(taskId)
      if (answer === undefined) this.#options.cancelTask(to, taskId).catch(() => undefined) // it ends by itself then
    }
  }

  #ask(from: string, request: Extract<TeamRequest, { name: 'ask' }>, settle: Settle): void {
    const { agentId: to, taskId, input, askedBy } = request
    const known = this.#questions.get(taskId)
    if (known) {
      known.settle = settle
      if (known.answer) settle(known.answer)
      return
    }
    const why = this.#refusal(from, to, askedBy.depth)
    if (why !== undefined) return settle({ error: refused(from, to, why) })
    const question: Question = { from, fromTurnId: askedBy.turnId, to, taskId, answer: undefined, settle }
    this.#questions.set(taskId, question)
    const message: OutgoingMessage = { input, ack: 'finished', options: { taskId, from }, askedBy }
    void settled(this.#send(to, message)).then((answer) => {
      question.answer = answer
      question.settle(answer)
    })
  }

  /** TD2 */
  #refusal(from: string, to: string, depth: number): string | undefined {
    if (to === from) return 'an agent cannot wait for itself'
    const ring = this.#path(to, from)
    if (ring) return `${ring.join(' waits for ')}: nobody could go on`
    return depth > MAX_ASK_DEPTH ? `at most ${MAX_ASK_DEPTH} questions may hang on one another` : undefined
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
    for (const question of this.#questions.values()) {
      if (question.from !== from || question.answer) continue
      const rest = this.#path(question.to, to, seen)
      if (rest) return [from, ...rest]
    }
    return undefined
  }
}

async function settled(work: Promise<unknown>): Promise<Answer> {
  try {
    return { value: await work }
  } catch (error) {
    return { error: toAgentryError(error) }
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
