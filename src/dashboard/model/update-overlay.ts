/** Keys of the overlays: help, the palette, the session picker, questions. Pure. */
import { plainLine } from '../../core/terminal-text.ts'
import { assertNever } from '../../errors.ts'
import { fuzzyFilter } from './fuzzy.ts'
import { paletteEntries, type PaletteEntry } from './help.ts'
import type { Step } from './input.ts'
import { editKey, emptyLine, insertText, type LineEditor } from './line-editor.ts'
import type { DashboardState, Overlay } from './state.ts'
import type { SessionInfo } from '../../api.ts'
import { act } from './actions.ts'
import { openApprovals, shownApproval } from './questions.ts'
import { only, typed, withOpened, withoutOverlay } from './steps.ts'
import { lastAccessedFirst } from './team.ts'
import { confirmed } from './update-commands.ts'

type Choice = Extract<Overlay, { query: LineEditor }>

export function withOverlayKey(state: DashboardState, key: string): Step<DashboardState> {
  const { overlay } = state
  if (overlay === undefined) return only(state)
  switch (overlay.kind) {
    case 'confirm': {
      const closed = withoutOverlay(state)
      return key === 'y' || key === 'Y' ? confirmed(closed, overlay.command, overlay.agentId) : only(closed)
    }
    case 'help':
      return only(helpKey(state, overlay.scroll, key))
    case 'approvals':
      return approvalsKey(state, overlay, key)
    case 'palette':
    case 'picker':
      return choiceKey(state, overlay, key)
    default:
      return assertNever(overlay)
  }
}

export function pastedIntoOverlay(state: DashboardState, text: string): DashboardState {
  const { overlay } = state
  if (overlay?.kind !== 'palette' && overlay?.kind !== 'picker') return state
  const query = insertText(overlay.query, text.replaceAll('\n', ' '))
  return { ...state, overlay: { ...overlay, query, index: 0 } }
}

/** What was picked last: asked for by each key and each frame, changed by few. */
let picked:
  | { sessions: DashboardState['sessions']; query: string; list: readonly Picked<SessionInfo>[] }
  | undefined

/** A row of a choice, and where in its name the letters of the query are. */
export interface Picked<Item> {
  readonly item: Item
  readonly positions?: readonly number[]
}

/** The sessions that fit what is typed, last accessed first, or the best first. */
export function pickedSessions({ sessions }: DashboardState, query: string): readonly Picked<SessionInfo>[] {
  if (picked?.sessions !== sessions || picked.query !== query) {
    picked = { sessions, query, list: pick(sessions, query) }
  }
  return picked.list
}

function pick(sessions: DashboardState['sessions'], query: string): readonly Picked<SessionInfo>[] {
  const all = lastAccessedFirst(sessions)
  if (query === '') return all.map((item) => ({ item }))
  return fuzzyFilter(all, query, ({ name, agentId, id }) => `${plainLine(name)} ${agentId} ${id}`)
}

export function pickedEntries(query: string): readonly Picked<PaletteEntry>[] {
  const all = paletteEntries()
  if (query === '') return all.map((item) => ({ item }))
  return fuzzyFilter(all, query, ({ label, summary }) => `${label} ${summary}`)
}

function helpKey(state: DashboardState, scroll: number, key: string): DashboardState {
  const page = Math.max(1, state.size.rows - 8)
  const by: Readonly<Record<string, number>> = {
    down: 1,
    j: 1,
    up: -1,
    k: -1,
    pagedown: page,
    space: page,
    ' ': page,
    pageup: -page,
    home: -Infinity,
    g: -Infinity,
  }
  const step = by[key]
  // Beyond the end is put right when it is drawn; the lines there depend on the width.
  if (step !== undefined) return { ...state, overlay: { kind: 'help', scroll: Math.max(0, scroll + step) } }
  return withoutOverlay(state)
}

type ApprovalList = Extract<Overlay, { kind: 'approvals' }>

function approvalsKey(state: DashboardState, overlay: ApprovalList, key: string): Step<DashboardState> {
  const scrolled = (by: number): Step<DashboardState> =>
    only({ ...state, overlay: { ...overlay, scroll: Math.max(0, overlay.scroll + by) } })
  switch (key) {
    case 'y':
      return act(state, 'allow-once')
    case 'a':
      return act(state, 'allow-always')
    case 'n':
      return act(state, 'deny')
    case 'up':
    case 'k':
      return only(movedInList(state, -1))
    case 'down':
    case 'j':
      return only(movedInList(state, 1))
    case 'pageup':
      return scrolled(-PAGE_ROWS)
    case 'pagedown':
    case 'space':
      return scrolled(PAGE_ROWS)
    case 'enter': {
      const session = state.sessions.get(shownApproval(state)?.sessionId ?? '')
      return session === undefined ? only(state) : withOpened(withoutOverlay(state), session)
    }
    case 'esc':
    case 'q':
    case 'ctrl+c':
    case 'ctrl+t':
      return only(withoutOverlay(state))
    default:
      return only(state)
  }
}

const PAGE_ROWS = 5

/** Whoever goes to a question has looked at it: it takes keys at once. */
function movedInList(state: DashboardState, by: number): DashboardState {
  const open = openApprovals(state)
  const at = open.findIndex(({ approvalId }) => approvalId === shownApproval(state)?.approvalId)
  const next = open[Math.min(Math.max(at + by, 0), open.length - 1)]
  if (next === undefined || next === open[at]) return state
  const { approvalId } = next
  return {
    ...state,
    overlay: { kind: 'approvals', approvalId, scroll: 0 },
    questionRound: state.questionRound + 1,
    question: { approvalId, armed: true },
  }
}

function choiceKey(state: DashboardState, overlay: Choice, key: string): Step<DashboardState> {
  const count =
    overlay.kind === 'picker'
      ? pickedSessions(state, overlay.query.text).length
      : pickedEntries(overlay.query.text).length
  const at = (index: number): Step<DashboardState> =>
    only({ ...state, overlay: { ...overlay, index: Math.min(Math.max(index, 0), Math.max(0, count - 1)) } })
  switch (key) {
    case 'esc':
    case 'ctrl+c':
      return only(withoutOverlay(state))
    case 'up':
    case 'ctrl+p':
      return at(overlay.index - 1)
    case 'down':
    case 'ctrl+n':
      return at(overlay.index + 1)
    case 'pageup':
      return at(overlay.index - 10)
    case 'pagedown':
      return at(overlay.index + 10)
    case 'enter':
      return taken(state, overlay)
    default: {
      const query = editKey(overlay.query, key)
      return only(query === undefined ? state : { ...state, overlay: { ...overlay, query, index: 0 } })
    }
  }
}

function taken(state: DashboardState, overlay: Choice): Step<DashboardState> {
  const closed = withoutOverlay(state)
  if (overlay.kind === 'picker') {
    const session = pickedSessions(state, overlay.query.text)[overlay.index]?.item
    return session === undefined ? only(closed) : withOpened(closed, session)
  }
  const entry = pickedEntries(overlay.query.text)[overlay.index]?.item
  if (entry === undefined) return only(closed)
  if (entry.action !== undefined) return act(closed, entry.action)
  // A command: the user still says what it is about.
  return only(typed({ ...closed, focus: 'input' }, insertText(emptyLine, entry.line ?? '')))
}
