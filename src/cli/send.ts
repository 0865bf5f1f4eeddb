/** `agentry send`: one message, its text streamed as it comes, its exit code that of the command it ran. */
import { createId } from '../core/ids.ts'
import { AgentryError, describeThrown, isAgentryError } from '../errors.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import { type ExitCode, exitCodeOfOutcome } from './exit-codes.ts'
import { type AnyAgent, type AnyTeam, type CommandContext, requireAgent, withTeam } from './open-team.ts'
import type { Signals } from './signals.ts'
import { createTurnPrinter } from './turn-printer.ts'

export interface SendOptions {
  /** Id, prefix or name of a session of the agent, made current first. */
  session?: string
  taskId?: string
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
  const input = words.length === 1 && words[0] === '-' ? await io.readStdin() : words.join(' ')
  // The agent goes on with what a crash left of its work before it takes the message: order is kept.
  return withTeam(context, { resume: true }, async (team, _, signals) => {
    const agent = await requireAgent(team, agentId)
    const sessionId =
      options.session === undefined ? undefined : await makeCurrent(team, agent, options.session)
    const outcome = await followTurn(context, team, agent, signals, input, {
      taskId: options.taskId ?? createId(io.clock.now()),
      ...(sessionId !== undefined && { sessionId }),
    })
    return answer(context, outcome)
  })
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
  { io, report }: CommandContext,
  team: AnyTeam,
  agent: AnyAgent,
  signals: Signals,
  input: string,
  options: { taskId: string; sessionId?: string },
): Promise<Outcome> {
  const printer = report.json ? undefined : createTurnPrinter(io.stdout)
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
      if (event.type === 'turn-started') turnId = event.turnId
      if (event.type === 'text') printer?.text(event)
      if (event.type !== 'turn-finished') continue
      const { outcome } = event
      if (signals.received !== undefined && outcome.error?.code === 'agent_stopped') throw withdrawn(signals)
      printer?.finish(outcome.status === 'completed' ? outcome.result : undefined)
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
  }
}

function withdrawn(signals: Signals): AgentryError {
  return signals.error('the message was withdrawn before its turn began')
}

function answer({ report }: CommandContext, outcome: Outcome): ExitCode {
  if (report.json) report.answer(outcome, () => '')
  else if (outcome.error !== undefined) report.error(outcome.error)
  if (outcome.status === 'accepted' || outcome.status === 'running') {
    report.note(`the turn is not finished: it is ${outcome.status} in session ${outcome.sessionId}`)
  }
  return exitCodeOfOutcome(outcome)
}
