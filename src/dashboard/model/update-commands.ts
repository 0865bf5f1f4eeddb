/** What lines and commands do. References are resolved here, against what is known, so that an error comes at once. Pure. */
import type { ApprovalInfo, SessionInfo } from '../../api.ts'
import { isAgentryError } from '../../errors.ts'
import { findSession } from '../../store/find-session.ts'
import { didYouMean } from '../../core/suggest.ts'
import { quote } from '../../core/ids.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { conversationSizeOf } from './chrome.ts'
import { type Command, parseCommand } from './commands.ts'
import type { CompletionNames } from './complete.ts'
import { scrollConversation } from './conversation-lines.ts'
import type { Effect, Step } from './input.ts'
import { insertText, emptyLine } from './line-editor.ts'
import { openApprovals, withAnswer, withApprovalList } from './questions.ts'
import type { DashboardState } from './state.ts'
import { agentOf, currentSessionOf, lastAccessedFirst } from './team.ts'
import { chosen, only, withNotice } from './steps.ts'

/** A line as entered: a command, or a message for the chosen agent. A line that cannot be taken stays in the input line. */
export function withLine(state: DashboardState, line: string): Step<DashboardState> {
  if (line.startsWith('/') && !line.startsWith('//')) {
    const parsed = parseCommand(line)
    if (parsed.ok) return withCommand(state, parsed.command)
    return only(withNotice({ ...state, input: insertText(emptyLine, line) }, 'error', parsed.message))
  }
  const { agentId } = state
  if (agentId === undefined) {
    const kept = { ...state, input: insertText(emptyLine, line) }
    return only(withNotice(kept, 'error', noAgent(state)))
  }
  return withSending(state, { agentId, text: textOf(line) })
}

function withSending(
  state: DashboardState,
  message: DashboardState['sending'][number],
): Step<DashboardState> {
  const sending: DashboardState = {
    ...state,
    main: 'conversation',
    sending: [...state.sending, message],
  }
  return { state: atEnd(sending), effects: [{ type: 'send', ...message }] }
}

/** A message into the running turn of the chosen agent. */
function steered(state: DashboardState, text: string): Step<DashboardState> {
  return onAgent(state, undefined, (agentId) => {
    const step = withSending(state, { agentId, text, mode: 'steer' })
    const is = agentOf(state, agentId)?.state
    if (is === 'working' || is === 'waiting') return step
    return {
      ...step,
      state: withNotice(
        step.state,
        'info',
        `${agentId} has no running turn: the message is a turn of its own`,
      ),
    }
  })
}

/** What a line that is no command says. */
function textOf(line: string): string {
  return line.startsWith('//') ? line.slice(1) : line
}

/** The line that says `text`. */
export function lineOf(text: string, mode?: 'steer'): string {
  if (mode === 'steer') return `/steer ${text}`
  return text.startsWith('/') ? `/${text}` : text
}

/** A command: done on the screen, asked about, or handed to the team. */
export function withCommand(state: DashboardState, command: Command): Step<DashboardState> {
  switch (command.type) {
    case 'help':
      return only({ ...state, overlay: { kind: 'help', scroll: 0 } })
    case 'agents':
      return only({ ...state, focus: 'agents' })
    case 'approvals':
      return withApprovalList(state)
    case 'approve': {
      const { approval, scope } = command
      if (scope !== undefined && scope !== 'session')
        return only(withNotice(state, 'error', `expected session or nothing, received ${quote(scope)}`))
      return onApproval(state, approval, (one) => withAnswer(state, one, scope ?? 'once'))
    }
    case 'deny':
      return onApproval(state, command.approval, (one) => withAnswer(state, one, 'deny', command.reason))
    case 'steer':
      return steered(state, command.text)
    case 'agent-choose':
      return onAgent(state, command.agentId, (agentId) => only(chosen(state, agentId)))
    case 'sessions-list': {
      const shown = { ...state, focus: 'sessions' as const, main: 'sessions' as const, sessionsTop: 0 }
      if (command.agentId === undefined) return only({ ...shown, scope: 'team' })
      return onAgent(state, command.agentId, (agentId) => only({ ...chosen(shown, agentId), scope: 'agent' }))
    }
    case 'quit':
    case 'detach':
      return {
        state: { ...state, connection: { phase: 'leaving', how: command.type } },
        effects: [{ type: 'leave', how: command.type }],
      }
    case 'session-load':
    case 'session-resume':
      return onSessionNamed(state, command.session, (session, agentId) =>
        run({ ...chosen(state, agentId), sessionId: session }, agentId, { ...command, session }),
      )
    case 'session-terminate':
      return command.session === undefined
        ? askedFirst(state, command)
        : onSessionNamed(state, command.session, (session, agentId) =>
            askedFirst(state, { ...command, session }, agentId),
          )
    case 'agent-spawn':
      return run(state, command.agentId, command)
    case 'agent-stop':
    case 'agent-restart':
    case 'cancel':
      return onAgent(state, command.agentId, (agentId) => run(state, agentId, { ...command, agentId }))
    default:
      return onAgent(state, undefined, (agentId) => run(state, agentId, command))
  }
}

/** Asks, where there is something to lose; else does it. */
export function askedFirst(state: DashboardState, command: Command, agentId?: string): Step<DashboardState> {
  if (command.type === 'quit') {
    const working = state.agents.filter((agent) => agent.state === 'working').length
    if (working === 0 || !state.place.owned) return withCommand(state, command)
    const turns = working === 1 ? 'a turn is running' : `${working} turns are running`
    return asking(
      state,
      `Quit and stop the supervisor? ${turns}; they get 10 s to finish. /detach leaves it running.`,
      command,
    )
  }
  if (command.type === 'session-terminate') {
    const id = command.session ?? currentSessionOf(state, state.agentId)?.id
    const session = id === undefined ? undefined : state.sessions.get(id)
    if (session === undefined) {
      return only(withNotice(state, 'error', `${state.agentId ?? 'no agent'} has no current session`))
    }
    const question = `Terminate session ${plainLine(session.name)} of ${session.agentId}? It can be read and forked, not continued.`
    return asking(state, question, { ...command, session: session.id }, agentId ?? session.agentId)
  }
  return withCommand(state, command)
}

/** The answer to a question: what was asked about is done. */
export function confirmed(
  state: DashboardState,
  command: Command,
  agentId: string | undefined,
): Step<DashboardState> {
  if (command.type === 'session-terminate' && agentId !== undefined) return run(state, agentId, command)
  return withCommand(state, command)
}

/** What Tab completes with: the chosen agent's sessions first. */
export function completionNames(state: DashboardState): CompletionNames {
  const isOwn = ({ agentId }: SessionInfo): boolean => agentId === state.agentId
  const sessions = lastAccessedFirst(state.sessions).toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a)))
  return { agentId: state.agentId, agents: state.agents, sessions, approvals: openApprovals(state) }
}

function asking(
  state: DashboardState,
  question: string,
  command: Command,
  agentId?: string,
): Step<DashboardState> {
  return only({
    ...state,
    overlay: { kind: 'confirm', question, command, ...(agentId !== undefined && { agentId }) },
  })
}

function run(state: DashboardState, agentId: string, command: Command): Step<DashboardState> {
  const is = agentOf(state, agentId)?.state
  const waits = WAIT_FOR_TURN.has(command.type) && (is === 'working' || is === 'waiting')
  const effects: Effect[] = [{ type: 'run', agentId, command }]
  const { notice: _, ...rest } = state
  if (!waits) return { state: rest, effects }
  return {
    state: withNotice(rest, 'info', `waits for the running turn of ${agentId}: /cancel ends that`),
    effects,
  }
}

/** They begin when the running turn has ended. */
const WAIT_FOR_TURN: ReadonlySet<Command['type']> = new Set([
  'session-create',
  'session-load',
  'session-resume',
  'session-suspend',
  'session-terminate',
])

function noAgent({ health }: DashboardState): string {
  return health === undefined
    ? 'not connected yet: nobody to ask'
    : 'there is no agent yet: /spawn <id> adds one'
}

/** The agent of that id, or the chosen one. */
function onAgent(
  state: DashboardState,
  agentId: string | undefined,
  then: (agentId: string) => Step<DashboardState>,
): Step<DashboardState> {
  const wanted = agentId ?? state.agentId
  if (wanted === undefined) return only(withNotice(state, 'error', noAgent(state)))
  if (agentOf(state, wanted) !== undefined) return then(wanted)
  const known = state.agents.map(({ id }) => id)
  const hint = didYouMean(wanted, known)
  return only(
    withNotice(
      state,
      'error',
      `expected one of the agents ${known.join(', ')}, received ${quote(wanted)}${hint}`,
    ),
  )
}

/** The question whose id begins so; without one, the question, where there is only one. */
function onApproval(
  state: DashboardState,
  reference: string | undefined,
  then: (approval: ApprovalInfo) => Step<DashboardState>,
): Step<DashboardState> {
  const open = openApprovals(state)
  const found =
    reference === undefined ? open : open.filter(({ approvalId }) => approvalId.startsWith(reference))
  const [first, ...others] = found
  const refused = (text: string): Step<DashboardState> => only(withNotice(state, 'error', text))
  if (first !== undefined && others.length === 0) {
    if (reference !== undefined || first.approvalId === state.lineQuestion) return then(first)
    return refused('another question came while this was typed: it is the one above now')
  }
  if (open.length === 0) return refused('no agent asks anything')
  if (reference === undefined)
    return refused(
      `expected the id of one of ${open.length} open questions, received none; Ctrl-T lists them`,
    )
  const came = found.length === 0 ? 'none begins so' : `${found.length} begin so`
  return refused(`expected the id of an open question, received ${quote(reference)}: ${came}`)
}

/** The session that a reference means: of the chosen agent, else of any. */
function onSessionNamed(
  state: DashboardState,
  reference: string,
  then: (sessionId: string, agentId: string) => Step<DashboardState>,
): Step<DashboardState> {
  const sessions = [...state.sessions.values()]
  try {
    const { id, agentId } = found(sessions, reference, state.agentId)
    return then(id, agentId)
  } catch (error) {
    if (!isAgentryError(error)) throw error
    return only(withNotice(state, 'error', error.message))
  }
}

function found(
  sessions: Parameters<typeof findSession>[0],
  reference: string,
  agentId: string | undefined,
): ReturnType<typeof findSession> {
  if (agentId !== undefined) {
    try {
      return findSession(sessions, reference, agentId)
    } catch (error) {
      if (!isAgentryError(error, 'session_not_found')) throw error
    }
  }
  return findSession(sessions, reference)
}

/** With the end of the conversation in sight: what comes of a message is wanted. */
function atEnd(state: DashboardState): DashboardState {
  const { conversation } = state
  if (conversation === undefined) return state
  return {
    ...state,
    conversation: scrollConversation(conversation, Infinity, conversationSizeOf(state)).conversation,
  }
}
