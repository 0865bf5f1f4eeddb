/** `agentry send`: one message, its text streamed as it comes, its exit code that of the command it ran. */
import { createId } from '../core/ids.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import { type ExitCode, exitCodeOfOutcome } from './exit-codes.ts'
import { type AnyAgent, type AnyTeam, type CommandContext, requireAgent, withTeam } from './open-team.ts'
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
  return withTeam(context, { resume: true }, async (team) => {
    const agent = await requireAgent(team, agentId)
    const sessionId =
      options.session === undefined ? undefined : await makeCurrent(team, agent, options.session)
    const outcome = await followTurn(context, team, agent, input, {
      taskId: options.taskId ?? createId(io.clock.now()),
      ...(sessionId !== undefined && { sessionId }),
    })
    if (outcome !== undefined) return answer(context, outcome)
    throw new AgentryError('cancelled', 'the message was withdrawn before its turn began')
  })
}

async function makeCurrent(team: AnyTeam, agent: AnyAgent, reference: string): Promise<string> {
  const session = await team.findSession(reference, agent.id)
  if (!session.current) await agent.loadSession(session.id)
  return session.id
}

/**
 * The outcome of the turn. The first interrupt cancels it, the second ends the process. Undefined where the interrupt came
 * before the agent had taken the message: then there is no turn.
 */
async function followTurn(
  { io, report }: CommandContext,
  team: AnyTeam,
  agent: AnyAgent,
  input: string,
  options: { taskId: string; sessionId?: string },
): Promise<Outcome | undefined> {
  const printer = report.json ? undefined : createTurnPrinter(io.stdout)
  const waiting = new AbortController()
  let turnId: string | undefined

  const cancel = async (): Promise<void> => {
    const id = turnId ?? (await team.task(options.taskId))?.turnId
    if (id !== undefined) await agent.cancel(id)
    else waiting.abort()
  }
  let interrupts = 0
  const unsubscribe = io.onInterrupt(() => {
    interrupts += 1
    if (interrupts > 1) return io.forceExit()
    cancel().catch((error: unknown) => report.note(`cannot cancel the turn: ${describeThrown(error)}`))
  })
  try {
    for await (const event of agent.stream(input, { ...options, signal: waiting.signal })) {
      if (event.type === 'turn-started') turnId = event.turnId
      if (event.type === 'text') printer?.text(event)
      if (event.type === 'turn-finished') {
        printer?.finish(event.outcome.result)
        return event.outcome
      }
    }
    throw new AgentryError('internal', 'the stream of a turn ended without an outcome')
  } catch (error) {
    if (!waiting.signal.aborted) throw error
    // It may have been taken while the interrupt came in.
    await cancel()
    return undefined
  } finally {
    unsubscribe()
  }
}

function answer({ report }: CommandContext, outcome: Outcome): ExitCode {
  if (report.json) report.answer(outcome, () => '')
  else if (outcome.error !== undefined) report.error(outcome.error)
  return exitCodeOfOutcome(outcome)
}
