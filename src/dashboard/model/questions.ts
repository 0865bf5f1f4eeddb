/**
 * The open questions of the whole team, and the one that keys answer. Pure.
 *
 * Q1  a key answers the question that it was typed for: the one that has been in sight, and open to keys, for GUARD_MS. Whatever comes
 *     between (another question, a line that is typed, a box, another focus) begins that time anew.
 * Q2  a question is answered once: from the first answer on it is asked no more, unless that answer failed.
 */
import type { ApprovalInfo } from '../../api.ts'
import { openApprovalsIn } from '../../core/approvals.ts'
import type { ApprovalDecision } from '../../core/session-state.ts'
import { derived } from './derived.ts'
import type { Effect, Step } from './input.ts'
import { MIN_COLUMNS, MIN_ROWS } from './layout.ts'
import { emptyLine } from './line-editor.ts'
import type { DashboardState } from './state.ts'
import { only, withNotice, withoutOverlay } from './steps.ts'
import { currentSessions } from './team.ts'

/** With fewer rows the list has no room for what is asked. */
const LIST_ROWS = 10
/** Nobody reads a question and decides in less. */
export const GUARD_MS = 400

type Known = Pick<DashboardState, 'agents' | 'sessions' | 'nowMs'>

/** Asked for in every frame: most of the time nobody asks anything. */
const askingSessions = derived((sessions: DashboardState['sessions']) =>
  [...currentSessions(sessions).values()].filter(({ approvals }) => approvals.length > 0),
)

function askedIn({ agents, sessions, nowMs }: Known): readonly ApprovalInfo[] {
  const hasAgent = (agentId: string): boolean => agents.some(({ id }) => id === agentId)
  return openApprovalsIn(askingSessions(sessions), { nowMs, hasAgent })
}

/** Oldest first; those whose answer is on its way left out (Q2). */
export function openApprovals(state: Known & Pick<DashboardState, 'answering'>): readonly ApprovalInfo[] {
  const { answering } = state
  const all = askedIn(state)
  return answering.size === 0 ? all : all.filter(({ approvalId }) => !answering.has(approvalId))
}

/** The agents that wait for a person. */
export function askingAgents(state: Known & Pick<DashboardState, 'answering'>): ReadonlySet<string> {
  return new Set(openApprovals(state).map(({ agentId }) => agentId))
}

/** The one that is chosen in the list of questions, else the oldest. */
export function shownApproval(state: DashboardState): ApprovalInfo | undefined {
  const { overlay } = state
  const open = openApprovals(state)
  const chosen = overlay?.kind === 'approvals' ? overlay.approvalId : undefined
  return open.find(({ approvalId }) => approvalId === chosen) ?? open[0]
}

/** The question that answer keys are for at the moment: undefined where none is open, and where keys mean something else. */
function targetOf(state: DashboardState): string | undefined {
  const { size, overlay, focus, filter, input, denying } = state
  if (size.columns < MIN_COLUMNS || size.rows < MIN_ROWS) return undefined
  const free =
    overlay === undefined
      ? focus === 'input' && input.text === '' && filter?.typing !== true && denying === undefined
      : overlay.kind === 'approvals' && size.rows >= LIST_ROWS
  return free ? shownApproval(state)?.approvalId : undefined
}

/** The question that a key answers now (Q1). */
export function answerable(state: DashboardState): ApprovalInfo | undefined {
  const { question } = state
  if (question?.armed !== true || targetOf(state) !== question.approvalId) return undefined
  return shownApproval(state)
}

/** After every step: a question that has just come to the keys takes them after its time; nothing is kept of those that are gone. */
export function withQuestion({ state: given, effects }: Step<DashboardState>): Step<DashboardState> {
  let state = given
  if (state.answering.size > 0) {
    const asked = new Set(askedIn(state).map(({ approvalId }) => approvalId))
    const answering = [...state.answering].filter((id) => asked.has(id))
    if (answering.length < state.answering.size) state = { ...state, answering: new Set(answering) }
  }
  if (state.overlay?.kind === 'approvals' && openApprovals(state).length === 0) state = withoutOverlay(state)
  const oldest = openApprovals(state)[0]?.approvalId
  if (state.input.text === '' && oldest !== state.lineQuestion) {
    const { lineQuestion: _, ...rest } = state
    state = { ...rest, ...(oldest !== undefined && { lineQuestion: oldest }) }
  }
  const target = targetOf(state)
  if (target === state.question?.approvalId) return { state, effects }
  if (target === undefined) {
    const { question: _, ...rest } = state
    return { state: rest, effects }
  }
  const round = state.questionRound + 1
  const arm: Effect = { type: 'arm', round, afterMs: GUARD_MS }
  return {
    state: { ...state, questionRound: round, question: { approvalId: target, armed: false } },
    effects: [...effects, arm],
  }
}

/** The time of the question of that round is over. */
export function armed(state: DashboardState, round: number): DashboardState {
  const { question, questionRound } = state
  if (question === undefined || round !== questionRound) return state
  return { ...state, question: { ...question, armed: true } }
}

/** Lists the open questions, the one given chosen. */
export function withApprovalList(state: DashboardState, approvalId?: string): Step<DashboardState> {
  const chosen = approvalId ?? openApprovals(state)[0]?.approvalId
  if (chosen === undefined) return only(withNotice(state, 'info', 'no agent asks anything'))
  return only({ ...state, overlay: { kind: 'approvals', approvalId: chosen, scroll: 0 } })
}

export function withAnswer(
  state: DashboardState,
  { approvalId, agentId }: ApprovalInfo,
  decision: ApprovalDecision,
  reason = '',
): Step<DashboardState> {
  const { notice: _, ...rest } = state
  const given = reason.trim()
  return {
    state: { ...rest, answering: new Set(state.answering).add(approvalId) },
    effects: [
      {
        type: 'run',
        agentId,
        command: { type: 'answer', approvalId, decision, ...(given !== '' && { reason: given }) },
      },
    ],
  }
}

/** A no: the input line takes the reason for it. What was typed there is back afterwards. */
export function withDenying(state: DashboardState, approval: ApprovalInfo): DashboardState {
  const open = withoutOverlay(state)
  return { ...open, focus: 'input', input: emptyLine, denying: { approval, draft: state.input } }
}

export function withoutDenying(state: DashboardState): DashboardState {
  const { denying, ...rest } = state
  return denying === undefined ? state : { ...rest, input: denying.draft }
}

/** Enter at the reason. */
export function denied(state: DashboardState): Step<DashboardState> {
  const { denying, input } = state
  if (denying === undefined) return only(state)
  const back = withoutDenying(state)
  const { approvalId } = denying.approval
  const approval = openApprovals(state).find((one) => one.approvalId === approvalId)
  if (approval !== undefined) return withAnswer(back, approval, 'deny', input.text)
  return only(withNotice(back, 'error', 'that question is no longer open: nothing was sent'))
}
