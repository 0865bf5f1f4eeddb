/**
 * The open questions that hold up one agent, each put to somebody once while the agent's turn is waited for.
 *
 * W1  they are put one after another, in the order in which they were asked.
 * W2  a question that was answered elsewhere, or whose turn has ended, is withdrawn.
 * W3  after close() nobody is asked any more, and nothing is answered.
 */
import type { ApprovalInfo } from '../../api.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { ApprovalDecision } from '../../core/session-state.ts'
import { describeThrown, isAgentryError } from '../../errors.ts'
import type { AnyTeam } from '../open-team.ts'
import { questionsHoldingUp } from './holding-up.ts'

/** The stream of a turn tells of its own questions at once; this finds those of the agents that it waits for. */
const LOOK_EVERY_MS = 500

/** Resolves with the answer, or with undefined where there is none (yet). `withdrawn` aborts when none is needed any more. */
export type PutQuestion = (
  approval: ApprovalInfo,
  withdrawn: AbortSignal,
) => Promise<ApprovalDecision | undefined>

export interface QuestionWatch {
  /** Looks now. Never rejects. */
  look(): Promise<void>
  /** Resolves when no question is being put to anybody. Never rejects. */
  settled(): Promise<void>
  /** True for a question that was answered here. */
  hasAnswered(approvalId: string): boolean
  /** W3. Idempotent. */
  close(): Promise<void>
}

export interface WatchOptions {
  team: AnyTeam
  agentId: string
  clock: Clock
  put: PutQuestion
  /** What goes wrong with looking (then nobody looks any more) or with an answer. */
  onFault: (message: string) => void
}

export function watchQuestions(options: WatchOptions): QuestionWatch {
  const { team, agentId, clock, put, onFault } = options
  const open = new Map<string, AbortController>()
  const answered = new Set<string>()
  let putting: Promise<void> = Promise.resolve()
  let timer: Timer | undefined
  let looking: Promise<void> | undefined
  let closed = false

  const answerOne = async (approval: ApprovalInfo, withdrawn: AbortSignal): Promise<void> => {
    if (withdrawn.aborted) return
    const { approvalId } = approval
    try {
      const decision = await put(approval, withdrawn)
      if (decision === undefined || closed) return
      answered.add(approvalId)
      await team.answerApproval(approvalId, { decision })
    } catch (error) {
      // Somebody was quicker, or its turn has ended.
      if (!isAgentryError(error, 'approval_not_found')) {
        onFault(`cannot answer question ${approvalId}: ${describeThrown(error)}`)
      }
    }
  }
  const withdrawAll = (): void => {
    for (const withdrawal of open.values()) withdrawal.abort()
    open.clear()
  }
  const lookOnce = async (): Promise<void> => {
    timer?.cancel()
    try {
      const approvals = await team.approvals()
      // Most of the time there is none, and no list of sessions is asked for.
      const sessions = approvals.length === 0 ? [] : await team.sessions({ status: 'active' })
      if (closed) return
      const holding = questionsHoldingUp(agentId, approvals, sessions)
      const ids = new Set(holding.map(({ approvalId }) => approvalId))
      for (const [id, withdrawal] of open) {
        if (ids.has(id)) continue
        withdrawal.abort()
        open.delete(id)
      }
      for (const approval of holding) {
        if (open.has(approval.approvalId)) continue
        const withdrawal = new AbortController()
        open.set(approval.approvalId, withdrawal)
        putting = putting.then(() => answerOne(approval, withdrawal.signal))
      }
    } catch (error) {
      if (!closed) onFault(`cannot look for questions to answer: ${describeThrown(error)}`)
      withdrawAll() // Nobody would see that they are answered, or that their turn has ended.
      return
    }
    if (!closed) timer = clock.setTimer(LOOK_EVERY_MS, () => void look())
  }
  const look = async (): Promise<void> => {
    if (closed) return
    looking ??= lookOnce().finally(() => {
      looking = undefined
    })
    return looking
  }
  timer = clock.setTimer(LOOK_EVERY_MS, () => void look())

  return {
    look,
    async settled() {
      let waited: Promise<void>
      do {
        waited = putting
        await waited
      } while (waited !== putting)
    },
    hasAnswered: (approvalId) => answered.has(approvalId),
    async close() {
      closed = true
      timer?.cancel()
      withdrawAll()
      await putting
    },
  }
}
