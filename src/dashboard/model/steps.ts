/** The steps that several parts of `update` take. Pure. */
import type { SessionInfo } from '../../api.ts'
import { screenText } from '../../core/terminal-text.ts'
import { openConversation } from './conversation.ts'
import type { Effect, Step } from './input.ts'
import { type LineEditor, MAX_TEXT_LENGTH } from './line-editor.ts'
import type { DashboardState, Notice } from './state.ts'
import { currentSessionOf } from './team.ts'

/** How soon after the first Ctrl-C the second one quits, counted in ticks: a second of it may have passed before the first one. */
export const INTERRUPT_MS = 3_000

/** A step that wants nothing done. */
export function only(state: DashboardState): Step<DashboardState> {
  return { state, effects: [] }
}

export function withNotice(state: DashboardState, kind: Notice['kind'], text: string): DashboardState {
  return { ...state, notice: { kind, text: screenText(text), atMs: state.nowMs } }
}

/** The state with another text at the prompt, or with why it could not take what came. */
export function typed(state: DashboardState, input: LineEditor): DashboardState {
  if (input === state.input) return state
  const next = { ...state, input }
  if (input.refused === undefined) return next
  return withNotice(next, 'error', `no room for ${input.refused} characters more: at most ${MAX_TEXT_LENGTH}`)
}

export function withoutOverlay(state: DashboardState): DashboardState {
  const { overlay: _, ...rest } = state
  return rest
}

export function withoutFilter(state: DashboardState): DashboardState {
  const { filter: _, ...rest } = state
  return rest
}

/** Another agent: what is shown is its current session. */
export function chosen(state: DashboardState, agentId: string): DashboardState {
  if (agentId === state.agentId) return state
  const { sessionId: _, ...rest } = state
  const current = currentSessionOf(state, agentId)
  return { ...rest, agentId, pinned: false, sessionsTop: 0, ...(current && { sessionId: current.id }) }
}

/** Shows a session from its last records on. */
export function opened(
  { state, effects }: Step<DashboardState>,
  sessionId: string | undefined,
): Step<DashboardState> {
  const session = sessionId === undefined ? undefined : state.sessions.get(sessionId)
  if (session === undefined) {
    const { conversation: _, ...rest } = state
    return { state: rest, effects: [...effects, { type: 'unfollow' }] }
  }
  const conversation = openConversation(session.id, session.seq)
  const follow: Effect = { type: 'follow', sessionId: session.id, after: conversation.lastSeq }
  return { state: { ...state, conversation }, effects: [...effects, follow] }
}

/** The chosen session in the place of the shown one, until the user leaves it. */
export function withOpened(state: DashboardState, session: SessionInfo): Step<DashboardState> {
  const pinned = currentSessionOf(state, session.agentId)?.id !== session.id
  const chosen = {
    ...state,
    agentId: session.agentId,
    sessionId: session.id,
    pinned,
    main: 'conversation' as const,
    // In a narrow terminal the list is no longer there.
    focus: state.focus === 'sessions' ? ('conversation' as const) : state.focus,
  }
  if (state.conversation?.sessionId === session.id) return only(chosen)
  return opened(only(chosen), session.id)
}
