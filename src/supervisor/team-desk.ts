/**
 * Where agents reach each other.
 *
 * TD1 A question is sent under the taskId that its asker recorded, which is the turnId of its turn too: asked again, by a later stay of
 *     the asker, it joins the same turn or gets its outcome, so that it is never put twice.
 * TD2 A question whose wait could never end is refused: to oneself, or to an agent that waits, itself or through others, for the one
 *     that asks. One turn at a time is what makes such a ring a deadlock. Who waits for whom is read from what is recorded, so that it
 *     holds after a restart too, before anybody has asked again.
 * TD3 An answer that is there is given at once, in the very call, until the asking turn ends: an asker that rests and wakes must not
 *     have to stay for it.
 * TD4 A question that nobody waits for is withdrawn, wherever its message is by then: when the asking turn has ended, however (it is
 *     the record of it that counts, not who reports it), when the asker is gone, and when it was answered by an error. At a start, those
 *     that the last supervisor did not get to.
 * TD5 Once closed, no question is answered or withdrawn: the agents are stopped one by one then, and what one of them is told of
 *     another would be recorded. It stays open, and is asked again after the restart.
 */
import type { UsageTotal } from '../core/usage.ts'
import { type AskedQuestion, questionsOf } from '../core/asked.ts'
import type { OpenTurn } from '../core/session-state.ts'
import { AgentryError, describeThrown, isAgentryError, toAgentryError } from '../errors.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import type { SettleTeamRequest, TeamAnswer, TeamRequest, Teammate } from '../protocol/team-requests.ts'
import type { OutgoingMessage } from './message-router.ts'

/** How many questions may hang on one another: the turn of a person's message asks at depth 1. */
const MAX_ASK_DEPTH = 8

/** How often a question is put again whose agent crashed or got no thread: its taskId makes that safe. */
const MAX_TRIES = 10

export interface TeamDeskOptions {
  /** Hands the message over in this very call, so that a withdrawal comes behind it. Rejects with `agent_not_found`. */
  send(agentId: string, message: OutgoingMessage): Promise<Outcome>
  /** Cancels the turn of a question: on its way, queued, running, or left open by an agent that is stopped. */
  withdraw(question: AskedQuestion): Promise<unknown>
  /** What the open turn of the agent's current session has asked and not recorded the end of. */
  questionsOf(agentId: string): AskedQuestion[]
  /** True where the end of the turn of a task is recorded. */
  isFinished(taskId: string): boolean
  teammates(agentId: string): Teammate[]
  usage(): UsageTotal
  onFault(message: string): void
}

/** What is looked at for questions that nobody waits for any more. */
export interface DeskSession {
  agentId: string
  turn: OpenTurn | null
  queue: readonly Pick<OpenTurn, 'taskId' | 'askedBy'>[]
  /** False where the agent does not exist any more: its turns do not go on. */
  registered: boolean
}

interface Question extends AskedQuestion {
  from: string
  fromTurnId: string
  answer: TeamAnswer | undefined
  /** Told once there is an answer: the last that asked. */
  settle: SettleTeamRequest
}

export class TeamDesk {
  readonly #options: TeamDeskOptions
  /** By taskId: those of turns that have not ended. */
  readonly #questions = new Map<string, Question>()
  #closed = false

  constructor(options: TeamDeskOptions) {
    this.#options = options
  }

  /** Answers a request of `agentId`'s turn. Never throws. */
  answer(agentId: string, request: TeamRequest, settle: SettleTeamRequest): void {
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

  /** TD4: `turn`, as it was last known, goes on no more. Idempotent; never throws. */
  turnEnded(agentId: string, turn: OpenTurn): void {
    if (this.#closed) return
    const unanswered = new Map(questionsOf(turn).map((question) => [question.taskId, question]))
    for (const question of this.#questions.values()) {
      const { from, fromTurnId, taskId, answer } = question
      if (from !== agentId || fromTurnId !== turn.turnId) continue
      this.#questions.delete(taskId)
      if (answer) unanswered.delete(taskId)
      else unanswered.set(taskId, question)
    }
    for (const question of unanswered.values()) this.#withdraw(question)
  }

  /** TD4 at a start, over all sessions. */
  withdrawForgotten(sessions: readonly DeskSession[]): void {
    const awaited = sessions.filter(({ registered }) => registered).flatMap(({ turn }) => questionsOf(turn))
    const taskIds = new Set(awaited.map(({ taskId }) => taskId))
    for (const { agentId, turn, queue } of sessions) {
      for (const { taskId, askedBy } of turn === null ? queue : [turn, ...queue]) {
        if (askedBy && !taskIds.has(taskId)) this.#withdraw({ agentId, taskId })
      }
    }
  }

  /** TD5. Idempotent. */
  close(): void {
    this.#closed = true
  }

  #ask(
    from: string,
    { agentId, taskId, input, askedBy }: Extract<TeamRequest, { name: 'ask' }>,
    settle: SettleTeamRequest,
  ): void {
    const known = this.#questions.get(taskId)
    if (known) {
      known.settle = settle
      if (known.answer) settle(known.answer)
      return
    }
    if (this.#closed) return
    const question: Question = {
      from,
      fromTurnId: askedBy.turnId,
      agentId,
      taskId,
      answer: undefined,
      settle,
    }
    this.#questions.set(taskId, question)
    const why = this.#refusal(from, agentId, askedBy.depth)
    if (why !== undefined) {
      question.answer = { error: refused(from, agentId, why) }
      return settle(question.answer)
    }
    const options = { taskId, from }
    const message: OutgoingMessage = { input, ack: 'finished', turnId: taskId, options, askedBy }
    void settled(this.#send(question, message)).then((answer) => {
      if (this.#closed || !this.#isAwaited(question)) return
      question.answer = answer
      question.settle(answer)
      if ('error' in answer) this.#withdraw(question)
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
  async #send(question: Question, message: OutgoingMessage): Promise<Outcome> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#options.send(question.agentId, message)
      } catch (error) {
        const passing = isAgentryError(error, 'agent_crashed') || isAgentryError(error, 'no_thread')
        if (!passing || tries === MAX_TRIES || !this.#isAwaited(question)) throw error
      }
    }
  }

  /** False where the asking turn has ended. */
  #isAwaited(question: Question): boolean {
    return this.#questions.get(question.taskId) === question
  }

  #withdraw({ agentId, taskId }: AskedQuestion): void {
    this.#options.withdraw({ agentId, taskId }).catch((error: unknown) => {
      const what = `question ${taskId}, which nobody waits for any more,`
      this.#options.onFault(`${what} could not be cancelled at agent ${agentId}: ${describeThrown(error)}`)
    })
  }

  /** The agents from `from` to `to` along who waits for whom; undefined where `from` does not wait for `to`. */
  #path(from: string, to: string, seen = new Set<string>()): string[] | undefined {
    if (from === to) return [to]
    if (seen.has(from)) return undefined
    seen.add(from)
    for (const { agentId, taskId } of this.#options.questionsOf(from)) {
      // Answered, and the asker has not recorded that yet.
      if (this.#questions.get(taskId)?.answer || this.#options.isFinished(taskId)) continue
      const rest = this.#path(agentId, to, seen)
      if (rest) return [from, ...rest]
    }
    return undefined
  }
}

async function settled(work: Promise<unknown>): Promise<TeamAnswer> {
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
