/** What the actions of the key map do. Pure. */
import { assertNever } from '../../errors.ts'
import { visibleAgents } from './agent-lines.ts'
import { nextAttention } from './attention.ts'
import { conversationSizeOf } from './chrome.ts'
import { complete } from './complete.ts'
import { scrollConversation, toggleAllFolds, toggleFold } from './conversation-lines.ts'
import type { Effect, Step } from './input.ts'
import type { Action } from './keymap.ts'
import { nextFocus } from './layout.ts'
import { editKey, emptyLine, insertText } from './line-editor.ts'
import { type HistoryStep, nextLine, previousLine, rememberLine } from './line-history.ts'
import { answerable, withAnswer, withApprovalList, withDenying } from './questions.ts'
import { chosenRow, visibleSessions } from './session-lines.ts'
import type { DashboardState } from './state.ts'
import { chosen, INTERRUPT_MS, only, typed, withNotice, withoutFilter, withOpened } from './steps.ts'
import { scrolledTo } from './table-lines.ts'
import { isWithin } from './times.ts'
import { askedFirst, completionNames, withCommand, withLine } from './update-commands.ts'

/** What an action does, wherever its key was pressed. Actions of lists are for the list that has the focus. */
export function act(state: DashboardState, action: Action): Step<DashboardState> {
  switch (action) {
    case 'focus-next':
      return only(focused(state, nextFocus(state.focus, 1)))
    case 'focus-previous':
      return only(focused(state, nextFocus(state.focus, -1)))
    case 'focus-input':
      return only(focused(withoutFilter(state), 'input'))
    case 'focus-panes':
      return only(focused(state, 'agents'))
    case 'left':
      return only(focused(state, state.focus === 'conversation' ? 'sessions' : 'agents'))
    case 'right':
      return only(focused(state, state.focus === 'agents' ? 'sessions' : 'conversation'))
    case 'begin-command':
      return only(typed(focused(state, 'input'), insertText(emptyLine, '/')))
    case 'up':
      return moved(state, -1)
    case 'down':
      return moved(state, 1)
    case 'page-up':
      return moved(state, -pageOf(state))
    case 'page-down':
      return moved(state, pageOf(state))
    case 'first':
      return moved(state, -Infinity)
    case 'last':
      return moved(state, Infinity)
    case 'open':
      return open(state)
    case 'filter': {
      const pane = state.focus === 'agents' ? 'agents' : 'sessions'
      return only({ ...focused(state, pane), filter: { pane, text: '', typing: true }, sessionsTop: 0 })
    }
    case 'next-attention': {
      const next = nextAttention(state, state.agentId)
      return only(
        next === undefined ? withNotice(state, 'info', 'no agent needs attention') : chosen(state, next),
      )
    }
    case 'session-picker':
      return only({ ...state, overlay: { kind: 'picker', query: emptyLine, index: 0 } })
    case 'palette':
      return only({ ...state, overlay: { kind: 'palette', query: emptyLine, index: 0 } })
    case 'help':
      return only({ ...state, overlay: { kind: 'help', scroll: 0 } })
    case 'toggle-scope':
      return only({ ...state, scope: state.scope === 'agent' ? 'team' : 'agent', sessionsTop: 0 })
    case 'fold':
      return only(
        state.conversation === undefined ? state : { ...state, conversation: toggleFold(state.conversation) },
      )
    case 'fold-all':
      return only(
        state.conversation === undefined
          ? state
          : { ...state, conversation: toggleAllFolds(state.conversation) },
      )
    case 'new-session':
      return only(typed(focused(state, 'input'), insertText(emptyLine, '/sessions create ')))
    case 'load':
    case 'resume':
      return onSession(state, (session) =>
        withCommand(state, { type: action === 'load' ? 'session-load' : 'session-resume', session }),
      )
    case 'suspend':
      return withCommand(state, { type: 'session-suspend' })
    case 'terminate':
      return onSession(state, (session) => withCommand(state, { type: 'session-terminate', session }))
    case 'cancel':
      return withCommand(state, { type: 'cancel' })
    case 'quit':
      return askedFirst(state, { type: 'quit' })
    case 'redraw':
      return { state, effects: [{ type: 'redraw' }] }
    case 'interrupt':
      return interrupted(state)
    case 'end-of-input':
      return state.input.text === '' ? askedFirst(state, { type: 'quit' }) : only(edited(state, 'delete'))
    case 'complete':
      return completed(state)
    case 'submit':
      return submitted(state)
    case 'newline':
      return only(typed(state, insertText(state.input, '\n')))
    case 'history-previous':
      return recalled(state, 'up', previousLine(state.history, state.input.text))
    case 'history-next':
      return recalled(state, 'down', nextLine(state.history))
    case 'allow-once':
      return answered(state, 'once')
    case 'allow-always':
      return answered(state, 'session')
    case 'deny': {
      const approval = answerable(state)
      return only(approval === undefined ? state : withDenying(state, approval))
    }
    case 'approvals':
      return withApprovalList(state)
    default:
      return assertNever(action)
  }
}

function answered(state: DashboardState, decision: 'once' | 'session'): Step<DashboardState> {
  const approval = answerable(state)
  return approval === undefined ? only(state) : withAnswer(state, approval, decision)
}

function edited(state: DashboardState, key: string): DashboardState {
  const input = editKey(state.input, key)
  return input === undefined ? state : typed(state, input)
}

/** In a text of several lines the cursor moves first; from the first and the last line, through the history. */
function recalled(
  state: DashboardState,
  key: 'up' | 'down',
  step: HistoryStep | undefined,
): Step<DashboardState> {
  const moved = edited(state, key)
  if (moved !== state || step === undefined) return only(moved)
  return only({ ...state, history: step.history, input: insertText(emptyLine, step.text) })
}

/** The focus, with what has it on the screen. */
function focused(state: DashboardState, focus: DashboardState['focus']): DashboardState {
  const main = focus === 'sessions' || focus === 'conversation' ? focus : state.main
  const next = { ...state, focus, main }
  // The row that has the focus is one that is there.
  if (focus !== 'sessions' || next.sessionId !== undefined) return next
  const [first] = visibleSessions(next)
  return first === undefined ? next : { ...next, sessionId: first.id }
}

/** A row of the page before stays in sight. */
function pageOf(state: DashboardState): number {
  return Math.max(1, conversationSizeOf(state).height - 1)
}

/** Moves the choice of the list that has the focus; from the input line, the conversation. */
function moved(state: DashboardState, by: number): Step<DashboardState> {
  switch (state.focus) {
    case 'agents': {
      const agents = visibleAgents(state)
      const at = agents.findIndex(({ id }) => id === state.agentId)
      const next = agents[bounded(at + by, agents.length)]
      return only(next === undefined ? state : chosen(state, next.id))
    }
    case 'sessions': {
      const list = visibleSessions(state)
      const row = bounded(chosenRow(state, list) + by, list.length)
      const next = list[row]
      if (next === undefined) return only(state)
      const top = scrolledTo(row, state.sessionsTop, list.length, sessionRows(state))
      return only({ ...state, sessionId: next.id, sessionsTop: top })
    }
    case 'input':
    case 'conversation': {
      const { conversation } = state
      if (conversation === undefined) return only(state)
      const scrolled = scrollConversation(conversation, by, conversationSizeOf(state))
      const effects: Effect[] =
        scrolled.wanted === undefined ? [] : [{ type: 'read-earlier', ...scrolled.wanted }]
      return { state: { ...state, conversation: scrolled.conversation }, effects }
    }
    default:
      return assertNever(state.focus)
  }
}

function bounded(row: number, rows: number): number {
  return Math.min(Math.max(row, 0), Math.max(0, rows - 1))
}

/** About the rows of the table: the list is put right when it is drawn. */
function sessionRows({ size }: DashboardState): number {
  return Math.max(1, size.rows - 6)
}

function open(state: DashboardState): Step<DashboardState> {
  switch (state.focus) {
    case 'agents':
      return only({ ...focused(state, 'input'), main: 'conversation' })
    case 'sessions': {
      const list = visibleSessions(state)
      const session = list[chosenRow(state, list)]
      return session === undefined ? only(state) : withOpened(state, session)
    }
    default:
      return only(focused(state, 'input'))
  }
}

/** The session that keys mean: the chosen row of the table where that has the focus, else the one that is shown. */
function onSession(
  state: DashboardState,
  then: (sessionId: string) => Step<DashboardState>,
): Step<DashboardState> {
  const list = visibleSessions(state)
  const id = state.focus === 'sessions' ? list[chosenRow(state, list)]?.id : state.conversation?.sessionId
  return id === undefined ? only(withNotice(state, 'error', 'no session is chosen')) : then(id)
}

/** Ctrl-C: empties the line; on an empty one the second soon after the first quits. */
function interrupted(state: DashboardState): Step<DashboardState> {
  if (state.input.text !== '') return only(typed(state, emptyLine))
  const { interruptedMs, nowMs } = state
  if (interruptedMs !== undefined && isWithin(INTERRUPT_MS, interruptedMs, nowMs))
    return withCommand(state, { type: 'quit' })
  return only(
    withNotice({ ...state, interruptedMs: nowMs }, 'info', 'Ctrl-C again quits; /cancel cancels the turn'),
  )
}

function completed(state: DashboardState): Step<DashboardState> {
  const { input, candidates } = complete(state.input, completionNames(state))
  if (input === state.input && candidates.length === 0) {
    return state.input.text === '' ? only(focused(state, nextFocus('input', 1))) : only(state)
  }
  const next = typed(state, input)
  return only(candidates.length > 1 ? { ...next, candidates } : next)
}

/** Enter: what is typed is done and remembered. */
function submitted(state: DashboardState): Step<DashboardState> {
  const text = state.input.text
  if (text.trim() === '') return only(state)
  const { notice: _, ...rest } = state
  const step = withLine({ ...rest, input: emptyLine }, text)
  const history = rememberLine(state.history, text)
  const effects: Effect[] = history === state.history ? [] : [{ type: 'remember', line: text }]
  // A command that is refused at once is there to be put right.
  const refused = step.effects.length === 0 && step.state.notice?.kind === 'error'
  const input = refused && step.state.input.text === '' ? insertText(emptyLine, text) : step.state.input
  return { state: { ...step.state, input, history }, effects: [...effects, ...step.effects] }
}
