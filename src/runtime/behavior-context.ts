/** What a behavior gets in its hands for one turn: BehaviorContext over an open session. Every step is recorded here. */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { BehaviorContext, ToolResult } from '../behavior.ts'
import { createId } from '../core/ids.ts'
import { assertJson, type Json } from '../core/json.ts'
import { type Message, messageOf } from '../core/record.ts'
import { MAX_STEERED, type OpenTurn } from '../core/session-state.ts'
import { assertSessionPatch } from '../protocol/session-input.ts'
import { AgentryError, describeThrown, toAgentryError } from '../errors.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import { askAgent, type AskingOptions, TELL_TOOL } from './asking.ts'
import type { Questions } from './questions.ts'
import { checkedExitCode, checkedText, checkedUsage, cutText } from './recordable.ts'
import type { Session } from './session.ts'
import type { Redactor } from './secrets/redactor.ts'
import { deepFreeze, viewOf } from './session-view.ts'
import type { TeamLine } from './team-line.ts'
import type { TextMerger } from './text-merger.ts'
import type { TurnActivity } from './turn-activity.ts'
import type { TurnContext } from './turn-context.ts'

/** How long recording alone may hold the thread, ms: far below the time in which heartbeats are answered. */
const YIELD_MS = 50

export interface ContextOptions {
  session: Session
  signal: AbortSignal
  text: TextMerger
  reasoning: TextMerger
  activity: TurnActivity
  questions: Questions
  team: TeamLine
  redactor: Redactor
  /** Longest content of a tool result or step, in UTF-8 bytes. */
  resultBytes: number
  sendEvent: (event: TurnEvent) => void
  /** Events of what is recorded and not durable yet, in order: sent by the next flush, here or at the turn's end. */
  untold: TurnEvent[]
  /** A message of that turnId is a part of the open turn from now on. */
  onSteered: (messageTurnId: string) => void
}

/**
 * The context of the open turn of `session`. After the turn its recording methods refuse (`interrupted`). What they are given is
 * copied: the caller may change it afterwards, a record never changes. A call whose promise nobody waits for may reject: that is the
 * turn's affair and not an unhandled rejection, which would end the thread.
 */
export function createContext(options: ContextOptions): TurnContext {
  const { session, signal, text, reasoning, resultBytes, activity, questions, team, sendEvent, untold } =
    options
  const { redact, redactJson } = options.redactor
  const turn = session.state.turn
  if (turn === null) throw new AgentryError('internal', 'expected an open turn')
  const { attempt } = turn
  const message = messageOf(turn)
  const { turnId, askedBy } = message

  function assertOpen(): void {
    if (session.state.turn?.turnId !== turnId) {
      throw new AgentryError('interrupted', `turn ${turnId} is finished: nothing can be recorded under it`)
    }
  }

  let yieldedMs = performance.now()
  /** Durable; and now and then a round of the event loop, without which a turn that only records would answer no heartbeat. */
  async function flush(): Promise<void> {
    await session.flush()
    for (const event of untold.splice(0)) sendEvent(event)
    if (performance.now() - yieldedMs < YIELD_MS) return
    await nextRound()
    yieldedMs = performance.now()
  }

  async function runTool(
    name: string,
    input: unknown,
    execute: (call: { toolCallId: string; signal: AbortSignal }) => Promise<ToolResult | string>,
    toolCallId: string = createId(),
  ): Promise<ToolResult & { toolCallId: string }> {
    assertOpen()
    const ownInput = redactJson(copyOf(input, `input of tool ${name}`))
    signal.throwIfAborted()
    session.record({ type: 'tool.started', turnId, toolCallId, name, input: ownInput })
    await flush()
    sendEvent({ type: 'tool-started', toolCallId, name, input: ownInput })
    // Acknowledged while its start was written: what comes after a cancel does nothing any more.
    const result = signal.aborted
      ? notRun(signal)
      : await settle(() => execute({ toolCallId, signal }), name, resultBytes)
    assertOpen()
    const { outcome, exitCode } = result
    const recorded = result.unknown ? 'unknown' : outcome
    const content = cutText(redact(result.content), resultBytes)
    text.flush() // Readers of the stream get it before the record that has all of it.
    session.record({
      type: 'tool.finished',
      turnId,
      toolCallId,
      outcome: recorded,
      content,
      ...(exitCode !== undefined && { exitCode }),
    })
    await flush()
    sendEvent({
      type: 'tool-finished',
      toolCallId,
      outcome: recorded,
      ...(exitCode !== undefined && { exitCode }),
    })
    if (result.notRun) signal.throwIfAborted()
    return { content, outcome, ...(exitCode !== undefined && { exitCode }), toolCallId }
  }

  function addStep(step: Step): void {
    const { content, toolCalls, model, reasoning: thoughts, usage } = step
    assertOpen()
    const ownCalls = toolCalls?.map(({ toolCallId, name, input, problem }) => ({
      toolCallId,
      name,
      input: redactJson(copyOf(input, `input of tool ${name}`)),
      ...(problem !== undefined && { problem: cutText(redact(problem), resultBytes) }),
    }))
    // Readers of the stream get it before the record that has all of it.
    text.flush()
    reasoning.flush()
    session.record({
      type: 'step.model',
      turnId,
      content: redact(checkedText(content, 'content of a step', resultBytes)),
      ...(ownCalls && { toolCalls: ownCalls }),
      ...(model !== undefined && { model }),
      ...(thoughts !== undefined && { reasoning: cutText(redact(thoughts), resultBytes) }),
      ...(usage && { usage: checkedUsage(usage) }),
    })
    const shown = { ...(model !== undefined && { model }), ...(usage && { usage }) }
    untold.push({ type: 'step-finished', toolCalls: ownCalls?.length ?? 0, ...shown })
  }

  async function recordStep(step: Step): Promise<void> {
    addStep(step)
    await flush()
  }

  async function refuseTool(toolCallId: string, content: string): Promise<void> {
    assertOpen()
    const kept = cutText(redact(content), resultBytes)
    session.record({ type: 'tool.finished', turnId, toolCallId, outcome: 'error', content: kept })
    await flush()
    sendEvent({ type: 'tool-finished', toolCallId, outcome: 'error' })
    activity.settle()
  }

  async function takeSteering(): Promise<Message[]> {
    assertOpen()
    const room = MAX_STEERED - openTurnOf(session, turnId).steered.length
    const messages = session.state.queue.filter(({ mode }) => mode === 'steer').slice(0, Math.max(0, room))
    if (messages.length === 0) return []
    for (const { turnId: messageTurnId } of messages) {
      session.record({ type: 'message.steered', turnId, messageTurnId })
      options.onSteered(messageTurnId)
    }
    await flush()
    for (const steered of messages) {
      sendEvent({ type: 'steered', turnId: steered.turnId, input: steered.input })
    }
    return messages
  }

  async function recordSummary(summary: Parameters<TurnContext['recordSummary']>[0]): Promise<void> {
    assertOpen()
    const { usage, throughSeq } = summary
    session.record({
      type: 'memory.compacted',
      turnId,
      summary: cutText(redact(summary.summary), resultBytes),
      throughSeq,
      ...(usage && { usage: checkedUsage(usage) }),
    })
    await flush()
    sendEvent({ type: 'compacted', throughSeq, ...(usage && { usage }) })
  }

  const asking: AskingOptions = {
    session,
    turnId,
    askedBy,
    team,
    activity,
    signal,
    sendEvent,
    earlier: new Set(turn.calls.filter((call) => call.asked).map(({ toolCallId }) => toolCallId)),
    redact,
    kept: (content) => cutText(redact(content), resultBytes),
  }

  async function tell(agentId: string, input: string, toolCallId?: string): Promise<void> {
    let failure: unknown
    const send = async () => {
      try {
        const taskId = createId()
        await team.request<'tell'>({ name: 'tell', agentId, taskId, input: redact(input) }, signal)
        return `agent ${agentId} has the message`
      } catch (error) {
        failure = error
        throw error
      }
    }
    await activity.work(() => runTool(TELL_TOOL, { agent: agentId, message: input }, send, toolCallId))
    if (failure !== undefined) throw toAgentryError(failure)
  }

  async function updateSession(changes: Parameters<BehaviorContext['updateSession']>[0]): Promise<void> {
    assertOpen()
    assertSessionPatch(changes)
    const kept = withoutSecrets(changes, options.redactor)
    // A mark is no name of a variable.
    assertSessionPatch(kept)
    session.record({ type: 'session.changed', changes: structuredClone(kept) })
    await flush()
  }

  return {
    agentId: session.state.agentId,
    session: viewOf(session),
    message: deepFreeze(message),
    attempt,
    signal,
    emit: (piece) => text.push(piece),
    // All of it is work: no rest comes between the record of a start and what it starts.
    runTool: (...args) => handled(activity.work(() => runTool(...args))),
    recordStep: (step) => handled(recordStep(step)),
    addAnswer: (step) => addStep(step),
    updateSession: (changes) => handled(updateSession(changes)),
    teammates: () => handled(team.request<'list'>({ name: 'list' }, signal)),
    ask: (...args) => handled(askAgent(asking, ...args)),
    tell: (...args) => handled(tell(...args)),
    turn: () => openTurnOf(session, turnId),
    get sessionUsage() {
      return session.state.counts
    },
    get summary() {
      return session.state.summary
    },
    get grants() {
      return session.state.grants
    },
    teamUsage: () => handled(team.request<'usage'>({ name: 'usage' }, signal)),
    askApproval: (question) => {
      const { subject, reason, grant } = question
      const { pattern } = grant
      const shown = {
        ...question,
        subject: redact(subject),
        reason: redact(reason),
        grant: { ...grant, ...(pattern !== undefined && { pattern: redact(pattern) }) },
      }
      return handled(questions.ask(session, shown, activity, signal))
    },
    refuseTool: (...args) => handled(refuseTool(...args)),
    takeSteering: () => handled(takeSteering()),
    recordSummary: (summary) => handled(recordSummary(summary)),
    emitReasoning: (piece) => reasoning.push(piece),
    emitRetry: (retry) => {
      text.flush()
      reasoning.flush()
      sendEvent({ type: 'retry', ...retry, reason: redact(retry.reason) })
    },
  }
}

function openTurnOf({ state }: Session, turnId: string): OpenTurn {
  if (state.turn?.turnId === turnId) return state.turn
  throw new AgentryError('interrupted', `turn ${turnId} is finished`)
}

type Step = Parameters<BehaviorContext['recordStep']>[0]

function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined)
  return promise
}

function copyOf(value: unknown, what: string): Json {
  assertJson(value, what)
  return structuredClone(value)
}

type Changes = Parameters<BehaviorContext['updateSession']>[0]

function withoutSecrets(changes: Changes, { redact, redactJson }: Redactor): Changes {
  const { workingDir, vars, metadata } = changes
  const inVars = Object.entries(vars ?? {}).map(([name, value]): [string, string | null] => [
    redact(name),
    value === null ? null : redact(value),
  ])
  const inMetadata = Object.entries(metadata ?? {}).map(([key, value]): [string, Json] => [
    redact(key),
    redactJson(value),
  ])
  return {
    ...(workingDir !== undefined && { workingDir: redact(workingDir) }),
    ...(vars && { vars: Object.fromEntries(inVars) }),
    ...(metadata && { metadata: Object.fromEntries(inMetadata) }),
  }
}

interface SettledResult extends ToolResult {
  outcome: 'ok' | 'error'
  notRun?: true
  /** The tool cannot tell whether it did it: for who called it that is an error. */
  unknown?: true
}

/** Of a call whose turn was aborted before it began: the record says so, or it would have to be taken for one that may have done anything. */
function notRun({ reason }: AbortSignal): SettledResult {
  return { content: `not run: ${describeThrown(reason)}`, outcome: 'error', notRun: true }
}

/** What a tool came to. One whose result cannot be kept has run all the same: that is its result, with outcome `error`. */
async function settle(
  execute: () => Promise<ToolResult | string>,
  name: string,
  maxBytes: number,
): Promise<SettledResult> {
  try {
    const result = await execute()
    return checkedResult(typeof result === 'string' ? { content: result } : result, name, maxBytes)
  } catch (error) {
    const unknown = error instanceof AgentryError && error.code === 'outcome_unknown'
    return {
      content: cutText(describeThrown(error), maxBytes),
      outcome: 'error',
      ...(unknown && { unknown }),
    }
  }
}

function checkedResult(
  { content, outcome = 'ok', exitCode }: ToolResult,
  name: string,
  maxBytes: number,
): SettledResult {
  if (outcome !== 'ok' && outcome !== 'error') {
    throw new AgentryError('invalid_input', `outcome of tool ${name}: expected ok or error`)
  }
  return {
    content: checkedText(content, `result of tool ${name}`, maxBytes),
    outcome,
    ...(exitCode !== undefined && { exitCode: checkedExitCode(exitCode, `exitCode of tool ${name}`) }),
  }
}
