/**
 * The open questions that hold up one agent, each put to somebody while the agent's turn is waited for.
 *
 * W1  they are put one after another, in the order in which they were asked.
 * W2  a question that was answered elsewhere, or whose turn has ended, is withdrawn.
 * W3  a question is put once, and again only where its answer did not get through. Nor does a failed look end the looking.
 * W4  after close() nobody is asked any more, and nothing is answered.
 */
import type { ApprovalInfo, Team } from '../../api.ts'
import type { RemoteTeam } from '../../client/remote-team.ts'
import { type Backoff, backoffMs } from '../../core/backoff.ts'
import type { Clock, Timer } from '../../core/clock.ts'
import type { ApprovalDecision } from '../../core/session-state.ts'
import { describeThrown, isAgentryError } from '../../errors.ts'
import { questionsHoldingUp } from './holding-up.ts'

/** The stream of a turn tells of its own questions at once; this finds those of the agents that it waits for. */
const LOOK_EVERY_MS = 500
/** Where looking fails. */
const RETRY: Backoff = { firstMs: 500, maxMs: 5_000, jitter: 0 }

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
  /** W4. Idempotent. */
  close(): Promise<void>
}

type Used = 'approvals' | 'sessions' | 'answerApproval'

export interface WatchOptions {
  team: Pick<Team, Used> | Pick<RemoteTeam, Used>
  agentId: string
  clock: Clock
  put: PutQuestion
  /** What goes wrong with an answer, and with looking: once until that works again. */
  onFault: (message: string) => void
}

export function watchQuestions(options: WatchOptions): QuestionWatch {
  const { team, agentId, clock, put, onFault } = options
  const open = new Map<string, AbortController>()
  const answered = new Set<string>()
  let putting: Promise<void> = Promise.resolve()
  let timer: Timer | undefined
  let looking: Promise<void> | undefined
  let failures = 0
  let closed = false

  const answerOne = async (approval: ApprovalInfo, withdrawal: AbortController): Promise<void> => {
    const { signal } = withdrawal
    if (signal.aborted) return
    const { approvalId } = approval
    const fault = (error: unknown): void =>
      onFault(`cannot answer question ${approvalId}: ${describeThrown(error)}`)
    let decision: ApprovalDecision | undefined
    try {
      decision = await put(approval, signal)
    } catch (error) {
      fault(error)
    }
    if (decision === undefined || closed) return
    try {
      await team.answerApproval(approvalId, { decision })
      answered.add(approvalId)
    } catch (error) {
      // Somebody was quicker, its time was over, or its turn has ended.
      if (isAgentryError(error, 'approval_not_found')) return
      fault(error)
      // The next look finds it again, where it is still open (W3).
      if (open.get(approvalId) === withdrawal) open.delete(approvalId)
    }
  }
  const compare = async (): Promise<void> => {
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
      putting = putting.then(() => answerOne(approval, withdrawal))
    }
  }
  const lookOnce = async (): Promise<void> => {
    timer?.cancel()
    try {
      await compare()
      failures = 0
    } catch (error) {
      failures += 1
      if (!closed && failures === 1) onFault(`cannot look for questions to answer: ${describeThrown(error)}`)
    }
    const delayMs = failures === 0 ? LOOK_EVERY_MS : backoffMs(RETRY, failures, () => 0)
    if (!closed) timer = clock.setTimer(delayMs, () => void look())
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
      for (const withdrawal of open.values()) withdrawal.abort()
      await putting
    },
  }
}
