/**
 * The questions to people that the open turn waits for.
 *
 * QU1 A question is asked once: it stays in the session until it is answered, runs out of time, or its call or turn ends.
 * QU2 An answer is recorded and durable before the turn goes on with it; it may come before the turn waits for it.
 * QU3 A yes counts for the subject that was shown: what a call is about can change while its question is open, and over a restart.
 * QU4 The answer `session` answers the open questions, too, that would grant the very same.
 */
import { type Clock, isoTime } from '../core/clock.ts'
import { untilAborted } from '../core/deadline.ts'
import { createId, quote } from '../core/ids.ts'
import type { Approval, ApprovalAnswer } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import type { Session } from './session.ts'
import type { TurnActivity } from './turn-activity.ts'
import type { ApprovalQuestion } from './turn-context.ts'

export interface QuestionsOptions {
  clock: Clock
  sendEvent(session: Session, turnId: string, event: TurnEvent): void
}

export class Questions {
  readonly #options: QuestionsOptions
  /** By approvalId. */
  readonly #waiting = new Map<string, (answer: ApprovalAnswer) => void>()

  constructor(options: QuestionsOptions) {
    this.#options = options
  }

  /** Resolves with the answer (QU1, QU3); rejects with the reason of `signal`. */
  async ask(
    session: Session,
    question: ApprovalQuestion,
    activity: TurnActivity,
    signal: AbortSignal,
  ): Promise<ApprovalAnswer> {
    for (;;) {
      signal.throwIfAborted()
      const answered = answerTo(session, question)
      if (answered) return answered
      const open = session.state.approvals.find(({ toolCallId }) => toolCallId === question.toolCallId)
      const { approvalId, expiresAt } = open ?? this.#record(session, question)
      await session.flush()
      if (!open) this.#announce(session, approvalId)
      signal.throwIfAborted()
      // It may have been answered meanwhile; and one that was open before may have been about another subject.
      if (session.state.approvals.some((approval) => approval.approvalId === approvalId)) {
        await activity.wait(this.#answer(session, approvalId, expiresAt, signal))
      }
    }
  }

  /** Records the answer to an open question. Throws `approval_not_found`; also where a person comes too late. */
  async answer(session: Session | undefined, approvalId: string, answer: ApprovalAnswer): Promise<Approval> {
    const approval = session?.state.approvals.find((one) => one.approvalId === approvalId)
    if (session === undefined || approval === undefined) throw notFound(approvalId)
    if (answer.by === 'person' && Date.parse(approval.expiresAt) <= this.#options.clock.now()) {
      await this.#settle(session, [approval], { decision: 'deny', by: 'timeout' })
      throw notFound(approvalId, `: its time was over at ${approval.expiresAt}, which is a no`)
    }
    // QU4
    const same = answer.decision === 'session' ? session.state.approvals.filter(sameAs(approval)) : [approval]
    await this.#settle(session, same, answer)
    return approval
  }

  async #settle(session: Session, approvals: readonly Approval[], answer: ApprovalAnswer): Promise<void> {
    for (const { approvalId, turnId } of approvals) {
      session.record({ type: 'approval.answered', turnId, approvalId, ...answer })
    }
    await session.flush()
    for (const { approvalId, turnId, toolCallId } of approvals) {
      this.#options.sendEvent(session, turnId, {
        type: 'approval-answered',
        approvalId,
        toolCallId,
        ...answer,
      })
      this.#waiting.get(approvalId)?.(answer)
    }
  }

  #record(session: Session, question: ApprovalQuestion): Pick<Approval, 'approvalId' | 'expiresAt'> {
    const { clock } = this.#options
    const { timeoutMs, ...rest } = question
    const turnId = session.state.turn?.turnId ?? ''
    const approvalId = createId(clock.now())
    const expiresAt = isoTime({ ...clock, now: () => clock.now() + timeoutMs })
    session.record({ type: 'approval.asked', approvalId, turnId, ...rest, expiresAt })
    return { approvalId, expiresAt }
  }

  #announce(session: Session, approvalId: string): void {
    const approval = session.state.approvals.find((one) => one.approvalId === approvalId)
    if (approval) this.#options.sendEvent(session, approval.turnId, { type: 'approval-asked', approval })
  }

  async #answer(
    session: Session,
    approvalId: string,
    expiresAt: string,
    signal: AbortSignal,
  ): Promise<ApprovalAnswer> {
    const { clock } = this.#options
    const { promise, resolve, reject } = Promise.withResolvers<ApprovalAnswer>()
    this.#waiting.set(approvalId, resolve)
    const timer = clock.setTimer(Math.max(0, Date.parse(expiresAt) - clock.now()), () => {
      this.answer(session, approvalId, { decision: 'deny', by: 'timeout' }).catch(reject)
    })
    try {
      return await untilAborted(promise, signal)
    } finally {
      timer.cancel()
      this.#waiting.delete(approvalId)
    }
  }
}

/** A no counts whatever the call is about by now (QU3). */
function answerTo(
  { state }: Session,
  { toolCallId, subject }: Pick<ApprovalQuestion, 'toolCallId' | 'subject'>,
): ApprovalAnswer | undefined {
  const answer = state.turn?.calls.findLast((call) => call.toolCallId === toolCallId)?.answer
  return answer?.decision === 'deny' || answer?.subject === subject ? answer : undefined
}

/** What an answer `session` to `approval` allows at once: the questions that would grant the very same. */
function sameAs({ turnId, grant }: Approval): (other: Approval) => boolean {
  return (other) =>
    other.turnId === turnId && other.grant.tool === grant.tool && other.grant.pattern === grant.pattern
}

function notFound(approvalId: string, why = ''): AgentryError {
  return new AgentryError('approval_not_found', `no question ${quote(approvalId)} is open${why}`, {
    data: { approvalId: approvalId.slice(0, 64) },
  })
}
