/** What keys do, by where they go: an overlay first, then the filter that is being typed, then what has the focus. Pure. */
import { act } from './actions.ts'
import { visibleAgents } from './agent-lines.ts'
import type { Step } from './input.ts'
import { actionFor } from './keymap.ts'
import { editKey, emptyLine, insertText, isEditingKey } from './line-editor.ts'
import { answerable, denied, withoutDenying } from './questions.ts'
import { visibleSessions } from './session-lines.ts'
import type { DashboardState } from './state.ts'
import { chosen, only, typed, withoutFilter } from './steps.ts'
import { pastedIntoOverlay, withOverlayKey } from './update-overlay.ts'

export function withKey(state: DashboardState, key: string): Step<DashboardState> {
  if (state.connection.phase === 'leaving') {
    return { state, effects: key === 'ctrl+c' ? [{ type: 'force' }] : [] }
  }
  const second = afterEsc(key)
  if (second === undefined) return withOneKey(state, key)
  const escaped = withOneKey(state, 'esc')
  const step = withKey(escaped.state, second)
  return { ...step, effects: [...escaped.effects, ...step.effects] }
}

const ALT = 'alt+'

/** Esc and a key right behind it read as that key with Alt: where nothing has that meaning, the key that came after Esc. */
function afterEsc(key: string): string | undefined {
  if (!key.startsWith(ALT) || isEditingKey(key)) return undefined
  const scopes = ['everywhere', 'input', 'panes'] as const
  return scopes.some((scope) => actionFor(scope, key) !== undefined) ? undefined : key.slice(ALT.length)
}

function withOneKey(state: DashboardState, key: string): Step<DashboardState> {
  const { candidates: _, ...seen } = state
  const everywhere = actionFor('everywhere', key)
  if (state.overlay !== undefined) {
    // Only what has nothing to do with what is typed there.
    if (everywhere === 'redraw') return act(seen, everywhere)
    return withOverlayKey(seen, key)
  }
  if (state.denying !== undefined) return withReasonKey(seen, key)
  if (state.filter?.typing === true) return withFilterKey(seen, key)
  if (everywhere !== undefined) return act(seen, everywhere)
  return state.focus === 'input' ? withInputKey(seen, key) : withPaneKey(seen, key)
}

/** Pasted text is text wherever it comes: never keys. */
export function withPaste(state: DashboardState, text: string): Step<DashboardState> {
  const { candidates: _, ...seen } = state
  if (state.connection.phase === 'leaving') return only(state)
  if (state.overlay !== undefined) return only(pastedIntoOverlay(seen, text))
  if (state.filter?.typing === true) {
    return only(filtered(seen, state.filter.text + (text.split('\n')[0] ?? '')))
  }
  return only(typed({ ...seen, focus: 'input' }, insertText(state.input, text)))
}

function withInputKey(state: DashboardState, key: string): Step<DashboardState> {
  const empty = state.input.text === ''
  const action = actionFor('input', key)
  const meant = ANSWERS.has(key) ? answerable(state) !== undefined : empty || key !== '?'
  if (action !== undefined && meant) return act(state, action)
  const edited = editKey(state.input, key)
  return only(edited === undefined ? state : typed(state, edited))
}

/** Letters, unless a question waits for them. */
const ANSWERS: ReadonlySet<string> = new Set(['y', 'a', 'n'])

/** Keys while the input line takes the reason for a no. */
function withReasonKey(state: DashboardState, key: string): Step<DashboardState> {
  const everywhere = actionFor('everywhere', key)
  if (everywhere === 'page-up' || everywhere === 'page-down' || everywhere === 'redraw')
    return act(state, everywhere)
  if (key === 'enter') return denied(state)
  if (key === 'esc' || (key === 'ctrl+c' && state.input.text === '')) return only(withoutDenying(state))
  if (key === 'ctrl+c') return only({ ...state, input: emptyLine })
  const edited = editKey(state.input, key)
  return only(edited === undefined ? state : typed(state, edited))
}

function withPaneKey(state: DashboardState, key: string): Step<DashboardState> {
  const action = actionFor('panes', key)
  return action === undefined ? only(state) : act(state, action)
}

function withFilterKey(state: DashboardState, key: string): Step<DashboardState> {
  const { filter } = state
  if (filter === undefined) return only(state)
  if (key === 'enter' || key === 'down' || key === 'up') {
    const kept =
      filter.text === '' ? withoutFilter(state) : { ...state, filter: { ...filter, typing: false } }
    return key === 'enter' ? only(kept) : act(kept, key)
  }
  if (key === 'esc' || key === 'ctrl+c') return only(withoutFilter(state))
  const edited = editKey({ text: filter.text, cursor: filter.text.length }, key)
  return only(edited === undefined ? state : filtered(state, edited.text))
}

function filtered(state: DashboardState, text: string): DashboardState {
  const { filter } = state
  if (filter === undefined) return state
  const next: DashboardState = { ...state, filter: { ...filter, text }, sessionsTop: 0 }
  if (filter.pane === 'agents') {
    const agents = visibleAgents(next)
    const first = agents[0]?.id
    return agents.some(({ id }) => id === next.agentId) || first === undefined ? next : chosen(next, first)
  }
  const [best] = visibleSessions(next)
  return best === undefined ? next : { ...next, sessionId: best.id }
}
