/**
 * `agentry send`: one message, its text streamed as it comes, what its turn asks put to the person at the terminal, its exit code that of
 * the command it ran.
 */
import { createId } from '../core/ids.ts'
import { AgentryError, describeThrown, isAgentryError } from '../errors.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import { askAtTerminal, askingTerminal } from './approvals/ask-at-terminal.ts'
import { askElsewhere } from './approvals/ask-elsewhere.ts'
import { type QuestionWatch, watchQuestions } from './approvals/watch.ts'
import { type ExitCode, exitCodeOfOutcome } from './exit-codes.ts'
import { type AnyAgent, type AnyTeam, type CommandContext, requireAgent, withTeam } from './open-team.ts'
import type { Signals } from './signals.ts'
import { createEventLines, createTurnView, NO_VIEW, type TurnView } from './turn-view.ts'

export interface SendOptions {
  /** Id, prefix or name of a session of the agent, made current first. */
  session?: string
  taskId?: string
  /** Into the running turn, between two of its steps. */
  steer?: boolean
  /** All events as lines of JSON, instead of the text. */
  events?: boolean
  /** Nothing beside the answer, and what is asked. */
  quiet?: boolean
}

/** What follows the turn of one message. */
interface Following {
  context: CommandContext
  team: AnyTeam
  agent: AnyAgent
  signals: Signals
  view: TurnView
  /** The standard input is the message: nobody can press a key on it. */
  isInputTaken: boolean
}

/**
 * Sends the words as one message (`-` alone: what the standard input holds) and resolves with the exit code. Throws what keeps
 * the message from becoming a turn.
 */
export async function send(
  context: CommandContext,
  agentId: string,
  words: readonly string[],
  options: SendOptions,
): Promise<ExitCode> {
  const { io } = context
  const isInputTaken = words.length === 1 && words[0] === '-'
  const input = isInputTaken ? await io.readStdin() : words.join(' ')
  // The agent goes on with what a crash left of its work before it takes the message: order is kept.
  return withTeam(context, { resume: true }, async (team, _, signals) => {
    const agent = await requireAgent(team, agentId)
    const sessionId =
      options.session === undefined ? undefined : await makeCurrent(team, agent, options.session)
    const view = await viewOf(context, agent, options)
    const outcome = await followTurn({ context, team, agent, signals, view, isInputTaken }, input, {
      taskId: options.taskId ?? createId(io.clock.now()),
      ...(sessionId !== undefined && { sessionId }),
      ...(options.steer === true && { mode: 'steer' as const }),
    })
    return answer(context, outcome, options)
  })
}

async function viewOf(
  { io, report }: CommandContext,
  agent: AnyAgent,
  { events, quiet = false }: SendOptions,
): Promise<TurnView> {
  if (events === true) return createEventLines(io)
  if (report.json) return NO_VIEW
  const { behavior } = await agent.info()
  return createTurnView({ io, behavior, isQuiet: quiet })
}

async function makeCurrent(team: AnyTeam, agent: AnyAgent, reference: string): Promise<string> {
  const session = await team.findSession(reference, agent.id)
  if (!session.current) await agent.loadSession(session.id)
  return session.id
}

/**
 * The outcome of the turn. An interrupt cancels it; where the agent has not taken the message yet, it ends the command. Throws
 * what keeps the message from becoming a turn, and what became of one that a signal came before.
 */
async function followTurn(
  following: Following,
  input: string,
  options: { taskId: string; sessionId?: string; mode?: 'steer' },
): Promise<Outcome> {
  const { context, team, agent, signals, view } = following
  const { report } = context
  const questions = questionsOf(following)
  let turnId: string | undefined

  const cancel = async (): Promise<void> => {
    const id = turnId ?? (await team.task(options.taskId))?.turnId
    if (id === undefined) signals.shutDown()
    else await agent.cancel(id)
  }
  signals.interruptBy(() => {
    cancel().catch((error: unknown) => report.note(`cannot cancel the turn: ${describeThrown(error)}`))
  })
  try {
    for await (const event of agent.stream(input, options)) {
      // A question is answered before the text goes on: what is read later waits where it is, and that is bounded.
      await questions.settled()
      if (event.type === 'turn-started') turnId = event.turnId
      if (event.type !== 'turn-finished') {
        if (event.type !== 'approval-answered' || !questions.hasAnswered(event.approvalId)) view.show(event)
        if (event.type === 'approval-asked') await questions.look()
        continue
      }
      const { outcome } = event
      if (signals.received !== undefined && outcome.error?.code === 'agent_stopped') throw withdrawn(signals)
      view.finish(outcome)
      return outcome
    }
    throw new AgentryError('internal', 'the stream of a turn ended without an outcome')
  } catch (error) {
    if (signals.received === undefined || !isAgentryError(error, 'agent_stopped')) throw error
    // A message with the taskId of one that was accepted before shares its place in the queue.
    const isQueued = (await team.task(options.taskId)) !== undefined
    throw isQueued
      ? signals.error('the message stays in the queue: its turn runs when the agent is next started', error)
      : withdrawn(signals)
  } finally {
    signals.interruptBy(undefined)
    await questions.close()
  }
}

/** What holds up the turn is asked right here where somebody can answer, else it is said where it can be answered. */
function questionsOf(
  following: Following,
): Pick<QuestionWatch, 'settled' | 'look' | 'hasAnswered' | 'close'> {
  const { context, team, agent, signals, view, isInputTaken } = following
  const { io, report } = context
  const watch = {
    team,
    agentId: agent.id,
    clock: io.clock,
    onFault: (message: string) => report.note(message),
  }
  const beginLine = (): void => view.beginLine()
  const terminal = isInputTaken || report.json ? undefined : askingTerminal(io)
  if (terminal !== undefined) {
    return watchQuestions({ ...watch, put: askAtTerminal(io, terminal, signals, beginLine) })
  }
  const elsewhere = askElsewhere(context, team, beginLine)
  const questions = watchQuestions({ ...watch, put: elsewhere.put })
  return {
    ...questions,
    async close() {
      await questions.close()
      await elsewhere.close()
    },
  }
}

function withdrawn(signals: Signals): AgentryError {
  return signals.error('the message was withdrawn before its turn began')
}

function answer({ report }: CommandContext, outcome: Outcome, { events }: SendOptions): ExitCode {
  if (report.json && events !== true) report.answer(outcome, () => '')
  else if (outcome.error !== undefined) report.error(outcome.error)
  if (outcome.status === 'accepted' || outcome.status === 'running') {
    report.note(`the turn is not finished: it is ${outcome.status} in session ${outcome.sessionId}`)
  }
  return exitCodeOfOutcome(outcome)
}
