/** How a turn asks other agents of its team: a call like that of a tool, whose wait outlives the thread. */
import { createId } from '../core/ids.ts'
import type { AskedBy } from '../core/record.ts'
import type { OpenCall } from '../core/session-state.ts'
import { AgentryError, toAgentryError } from '../errors.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import type { Session } from './session.ts'
import type { TeamLine } from './team-line.ts'
import type { TurnActivity } from './turn-activity.ts'

/** The names under which questions and messages to other agents are recorded. */
export const ASK_TOOL = 'ask_agent'
export const TELL_TOOL = 'tell_agent'

export interface AskingOptions {
  session: Session
  turnId: string
  /** Set where this turn was asked for by another agent's. */
  askedBy: AskedBy | undefined
  team: TeamLine
  activity: TurnActivity
  signal: AbortSignal
  sendEvent: (event: TurnEvent) => void
  /** Ids of the questions that this turn put before a crash or a rest; each is given once, to one that asks the same again. */
  earlier: Set<string>
  /** Takes secrets out of what is recorded, shown and sent. */
  redact: (text: string) => string
  /** As `redact`, and cuts text that is longer than a record may hold. */
  kept: (text: string) => string
}

/**
 * Asks `agentId` and resolves with the outcome. The call is started and the question durable before it is sent. A question of this
 * turn that is open already, or was answered before a crash or a rest (of the same `toolCallId`, or the same words to the same agent),
 * is not put again: its answer is waited for, or fetched.
 */
export async function askAgent(
  options: AskingOptions,
  agentId: string,
  message: string,
  toolCallId?: string,
): Promise<Outcome> {
  const { session, turnId, askedBy, team, activity, signal, sendEvent, redact } = options
  signal.throwIfAborted()
  const input = redact(message)
  const shownId = redact(agentId)
  const open = knownQuestion(options, shownId, input, toolCallId)
  const ended = open !== undefined && open.state !== 'running'
  if (open) options.earlier.delete(open.toolCallId)
  const id = open?.toolCallId ?? toolCallId ?? createId()
  const taskId = open?.asked?.taskId ?? createId()
  if (open === undefined) {
    const toolInput = { agent: shownId, message: input }
    session.record({ type: 'tool.started', turnId, toolCallId: id, name: ASK_TOOL, input: toolInput })
    session.record({ type: 'agent.asked', turnId, toolCallId: id, agentId: shownId, taskId })
    await session.flush()
    sendEvent({ type: 'tool-started', toolCallId: id, name: ASK_TOOL, input: toolInput })
    sendEvent({ type: 'agent-asked', toolCallId: id, agentId: shownId })
  }
  const by = { agentId: session.state.agentId, turnId, depth: (askedBy?.depth ?? 0) + 1 }
  let outcome: Outcome
  try {
    const request = { name: 'ask' as const, agentId, taskId, input, askedBy: by }
    outcome = await activity.wait(team.request<'ask'>(request, signal))
  } catch (thrown) {
    signal.throwIfAborted() // given up, not refused: the question stays open
    const error = toAgentryError(thrown)
    if (!ended) await finish(options, id, 'error', error.message)
    throw error
  }
  if (!ended) await finish(options, id, outcome.status === 'completed' ? 'ok' : 'error', answerText(outcome))
  return outcome
}

/** What is recorded as the result of the call, and what a model reads. */
export function answerText({ status, result, error, agentId }: Outcome): string {
  if (status === 'completed') return result
  const reason = error ? `: ${error.message}` : ''
  return `the turn of agent ${agentId} was ${status}${reason}${result === '' ? '' : `\n${result}`}`
}

async function finish(
  { session, turnId, activity, sendEvent, kept }: AskingOptions,
  toolCallId: string,
  outcome: 'ok' | 'error',
  content: string,
): Promise<void> {
  if (session.state.turn?.turnId !== turnId) {
    throw new AgentryError('interrupted', `turn ${turnId} is finished: nothing can be recorded under it`)
  }
  session.record({ type: 'tool.finished', turnId, toolCallId, outcome, content: kept(content) })
  await session.flush()
  sendEvent({ type: 'tool-finished', toolCallId, outcome })
  activity.settle()
}

function knownQuestion(
  { session, earlier }: AskingOptions,
  agentId: string,
  input: string,
  toolCallId: string | undefined,
): OpenCall | undefined {
  const { turn, memory } = session.state
  const known = (turn?.calls ?? []).filter((call) => earlier.has(call.toolCallId))
  if (toolCallId !== undefined) return known.find((call) => call.toolCallId === toolCallId)
  return known.find((call) => call.asked?.agentId === agentId && messageOf(memory, call.toolCallId) === input)
}

function messageOf(memory: Session['state']['memory'], toolCallId: string): unknown {
  for (const { toolCalls } of memory.toReversed()) {
    const input = toolCalls?.find((call) => call.toolCallId === toolCallId)?.input
    if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input['message']
  }
  return undefined
}
