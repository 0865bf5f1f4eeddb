/**
 * The next state, and what it wants done. Pure: the same state and input give the same.
 *
 * U1  what is shown is the current session of the chosen agent, whichever that is, until the user opens another one.
 * U2  text of a message is never lost: it is in the input line, or on its way, or its session has it.
 */
import type { SessionInfo } from '../../api.ts'
import { assertNever } from '../../errors.ts'
import { type Conversation, withReasoning, withRecords, withRetry, withText } from './conversation.ts'
import type { Command } from './commands.ts'
import type { Effect, Input, Step } from './input.ts'
import { emptyLine, insertText } from './line-editor.ts'
import { emptyHistory } from './line-history.ts'
import { armed, withQuestion } from './questions.ts'
import type { DashboardState, Place } from './state.ts'
import { INTERRUPT_MS, only, opened, withNotice } from './steps.ts'
import { agentOf, currentSessionOf, withAgent, withTeamEvent } from './team.ts'
import { isWithin } from './times.ts'
import { lineOf } from './update-commands.ts'
import { withKey, withPaste } from './update-keys.ts'

/** How long a notice stays. */
export const NOTICE_MS = 15_000

export function initialState(options: {
  columns: number
  rows: number
  nowMs: number
  place: Place
  defaultAgent?: string
}): DashboardState {
  const { columns, rows, nowMs, place, defaultAgent } = options
  return {
    size: { columns, rows },
    nowMs,
    connection: { phase: 'connecting' },
    place,
    agents: [],
    sessions: new Map(),
    activity: new Map(),
    cpu: new Map(),
    unseen: new Map(),
    focus: 'input',
    ...(defaultAgent !== undefined && { agentId: defaultAgent }),
    scope: 'agent',
    sessionsTop: 0,
    main: 'conversation',
    pinned: false,
    input: emptyLine,
    history: emptyHistory,
    welcome: false,
    sending: [],
    questionRound: 0,
    answering: new Set(),
  }
}

export function update(state: DashboardState, input: Input): Step<DashboardState> {
  const step = apply(state, input)
  return step.state === state ? step : withQuestion(settled(state, step))
}

function apply(state: DashboardState, input: Input): Step<DashboardState> {
  switch (input.type) {
    case 'key':
      return withKey(state, input.key)
    case 'paste':
      return withPaste(state, input.text)
    case 'resize':
      return only({ ...state, size: { columns: input.columns, rows: input.rows } })
    case 'tick':
      return only(ticked(state, input.nowMs))
    case 'history':
      return only({ ...state, history: { ...state.history, lines: input.lines } })
    case 'connected':
      return only(connected(state, input))
    case 'connection-lost': {
      const { reason, attempt } = input
      const { connection } = state
      if (connection.phase === 'leaving') return only(state)
      // Until it was there once, it is being started.
      if (connection.phase === 'connecting' && attempt < PATIENT_ATTEMPTS) return only(state)
      const sinceMs = connection.phase === 'lost' ? connection.sinceMs : state.nowMs
      return only({ ...state, connection: { phase: 'lost', sinceMs, attempt, reason } })
    }
    case 'lists':
      return only(withLists(state, input))
    case 'agent':
      return only(withAgent(state, input.agent))
    case 'event':
      return withTeamEvent(state, input.event)
    case 'records': {
      const { conversation } = state
      if (conversation?.sessionId !== input.sessionId) return only(state)
      const next = withRecords(conversation, input.records, input.earlier)
      const { sessionId, lastSeq, gap } = next
      const again: Effect = { type: 'follow', sessionId, after: lastSeq }
      return { state: { ...state, conversation: next }, effects: gap && !conversation.gap ? [again] : [] }
    }
    case 'turn-text':
      return only(
        shown(state, input.sessionId, (conversation) => withText(conversation, input.text, input.dropped)),
      )
    case 'turn-thought':
      return only(
        shown(state, input.sessionId, (conversation) =>
          withReasoning(conversation, input.text, input.dropped),
        ),
      )
    case 'turn-retry':
      return only(shown(state, input.sessionId, (conversation) => withRetry(conversation, input.retry)))
    case 'notice':
      return only(withNotice(state, input.kind, input.text))
    case 'sent':
      return only(sent(state, input))
    case 'not-sent':
      return only(notSent(state, input))
    case 'done':
      return done(
        input.agent === undefined ? state : withAgent(state, input.agent),
        input.text,
        input.session,
      )
    case 'failed':
      return only(withNotice(withoutAnswer(state, input.command), 'error', input.error.message))
    case 'armed':
      return only(armed(state, input.round))
    default:
      return assertNever(input)
  }
}

/** The state with what becomes of the shown conversation, where it is of that session. */
function shown(
  state: DashboardState,
  sessionId: string,
  change: (conversation: Conversation) => Conversation,
): DashboardState {
  const { conversation } = state
  return conversation?.sessionId === sessionId ? { ...state, conversation: change(conversation) } : state
}

/** Failed attempts before a first connection is called lost: about ten seconds. */
const PATIENT_ATTEMPTS = 8

/** After every step: the chosen agent exists, and what is shown is what should be (U1). */
function settled(before: DashboardState, step: Step<DashboardState>): Step<DashboardState> {
  let { state } = step
  const effects = [...step.effects]
  // Before the lists were read, the one that was asked for is to come.
  if (
    state.health !== undefined &&
    state.agentId !== undefined &&
    agentOf(state, state.agentId) === undefined
  ) {
    const { agentId: _, ...rest } = state
    state = rest
  }
  const [first] = state.agents
  if (state.agentId === undefined && first !== undefined) state = { ...state, agentId: first.id }
  if (state.agentId !== undefined && state.agentId !== before.agentId && state.unseen.has(state.agentId)) {
    const unseen = new Map(state.unseen)
    unseen.delete(state.agentId)
    state = { ...state, unseen }
  }
  const shown = state.conversation?.sessionId
  const wanted = state.pinned ? shown : currentSessionOf(state, state.agentId)?.id
  if (shown !== undefined && !state.sessions.has(shown)) {
    // It went to the trash.
    const { conversation: _, ...rest } = state
    return settled(before, { state: { ...rest, pinned: false }, effects: [...effects, { type: 'unfollow' }] })
  }
  if (wanted !== shown) return opened({ state, effects }, wanted)
  return { state, effects }
}

function ticked(state: DashboardState, nowMs: number): DashboardState {
  const { notice, interruptedMs, ...rest } = state
  return {
    ...rest,
    nowMs,
    ...(notice !== undefined && isWithin(NOTICE_MS, notice.atMs, nowMs) && { notice }),
    ...(interruptedMs !== undefined && isWithin(INTERRUPT_MS, interruptedMs, nowMs) && { interruptedMs }),
  }
}

function connected(state: DashboardState, input: Extract<Input, { type: 'connected' }>): DashboardState {
  const { connection } = state
  if (connection.phase === 'leaving') return state
  const next: DashboardState = {
    ...state,
    connection: { phase: 'connected', url: input.url },
    place: input.place ?? state.place,
  }
  if (connection.phase !== 'lost') return next
  return withNotice(next, 'info', 'the supervisor is back: everything acknowledged is here')
}

function withLists(state: DashboardState, lists: Extract<Input, { type: 'lists' }>): DashboardState {
  const { agents, sessions, health } = lists
  const first = state.health === undefined
  return {
    ...state,
    agents,
    sessions: new Map(sessions.map((session) => [session.id, session])),
    health,
    welcome: first ? sessions.length === 0 : state.welcome,
  }
}

/** The question may be answered again. */
function withoutAnswer(state: DashboardState, command: Command): DashboardState {
  if (command.type !== 'answer') return state
  const answering = new Set(state.answering)
  return answering.delete(command.approvalId) ? { ...state, answering } : state
}

type Settled = Extract<Input, { type: 'sent' | 'not-sent' }>

function notSending(state: DashboardState, { agentId, text, mode }: Settled): DashboardState {
  const index = state.sending.findIndex(
    (message) => message.agentId === agentId && message.text === text && message.mode === mode,
  )
  return index === -1 ? state : { ...state, sending: state.sending.toSpliced(index, 1) }
}

/** It is in the current session of its agent: what is shown is that, where the user looks at this agent. */
function sent(state: DashboardState, input: Extract<Input, { type: 'sent' }>): DashboardState {
  const next = { ...notSending(state, input), welcome: false }
  return input.agentId === state.agentId ? { ...next, pinned: false } : next
}

function notSent(state: DashboardState, input: Extract<Input, { type: 'not-sent' }>): DashboardState {
  const { agentId, text, mode, error } = input
  const to = agentId === state.agentId ? '' : ` to ${agentId}`
  const { denying } = state
  const returned =
    (denying?.draft ?? state.input).text === '' ? ' - it is back at the prompt, Ctrl-C clears it' : ''
  const back = withNotice(notSending(state, input), 'error', `not sent${to}: ${error.message}${returned}`)
  // The user may have begun the next line: that one stays, and recalling has this one (U2).
  if (returned === '') return back
  const line = insertText(emptyLine, lineOf(text, mode))
  return denying === undefined ? { ...back, input: line } : { ...back, denying: { ...denying, draft: line } }
}

function done(state: DashboardState, text: string, session: SessionInfo | undefined): Step<DashboardState> {
  const next = withNotice(state, 'info', text)
  if (session === undefined || session.agentId !== state.agentId) return only(next)
  // The event that tells of it may still be on the way, and that of something later may have been quicker.
  const known = next.sessions.get(session.id)
  const sessions =
    known !== undefined && known.seq > session.seq
      ? next.sessions
      : new Map(next.sessions).set(session.id, session)
  return only({ ...next, sessions, sessionId: session.id, pinned: session.current ? false : next.pinned })
}
