/** What a behavior gets in its hands for one turn: BehaviorContext over an open session. Every step is recorded here. */
import { setImmediate as nextRound } from 'node:timers/promises'
import type { BehaviorContext, ToolResult } from '../behavior.ts'
import { createId } from '../core/ids.ts'
import { assertJson, type Json } from '../core/json.ts'
import { assertSessionPatch } from '../protocol/session-input.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import { checkedExitCode, checkedText, checkedUsage, cutText } from './recordable.ts'
import type { Session } from './session.ts'
import { deepFreeze, viewOf } from './session-view.ts'
import type { TextMerger } from './text-merger.ts'

/** How long recording alone may hold the thread, ms: far below the time in which heartbeats are answered. */
const YIELD_MS = 50

export interface ContextOptions {
  session: Session
  signal: AbortSignal
  text: TextMerger
  /** Longest content of a tool result or step, in UTF-8 bytes. */
  resultBytes: number
  sendEvent: (event: TurnEvent) => void
}

/**
 * The context of the open turn of `session`. After the turn its recording methods refuse (`interrupted`). What they are given is
 * copied: the caller may change it afterwards, a record never changes. A call whose promise nobody waits for may reject: that is the
 * turn's affair and not an unhandled rejection, which would end the thread.
 */
export function createContext(options: ContextOptions): BehaviorContext {
  const { session, signal, text, resultBytes, sendEvent } = options
  const turn = session.state.turn
  if (turn === null) throw new AgentryError('internal', 'expected an open turn')
  const { attempt, calls: _calls, startedAt: _startedAt, ...message } = turn
  const { turnId } = message

  function assertOpen(): void {
    if (session.state.turn?.turnId !== turnId) {
      throw new AgentryError('interrupted', `turn ${turnId} is finished: nothing can be recorded under it`)
    }
  }

  let yieldedMs = performance.now()
  /** Durable; and now and then a round of the event loop, without which a turn that only records would answer no heartbeat. */
  async function flush(): Promise<void> {
    await session.flush()
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
    const ownInput = copyOf(input, `input of tool ${name}`)
    signal.throwIfAborted()
    session.record({ type: 'tool.started', turnId, toolCallId, name, input: ownInput })
    await flush()
    sendEvent({ type: 'tool-started', toolCallId, name, input: ownInput })
    const result = await settle(() => execute({ toolCallId, signal }), name, resultBytes)
    assertOpen()
    const { outcome, content, exitCode } = result
    text.flush() // Readers of the stream get it before the record that has all of it.
    session.record({
      type: 'tool.finished',
      turnId,
      toolCallId,
      outcome,
      content,
      ...(exitCode !== undefined && { exitCode }),
    })
    await flush()
    sendEvent({ type: 'tool-finished', toolCallId, outcome, ...(exitCode !== undefined && { exitCode }) })
    return { ...result, toolCallId }
  }

  async function recordStep({ content, toolCalls, usage }: Step): Promise<void> {
    assertOpen()
    const ownCalls = toolCalls?.map(({ toolCallId, name, input }) => ({
      toolCallId,
      name,
      input: copyOf(input, `input of tool ${name}`),
    }))
    session.record({
      type: 'step.model',
      turnId,
      content: checkedText(content, 'content of a step', resultBytes),
      ...(ownCalls && { toolCalls: ownCalls }),
      ...(usage && { usage: checkedUsage(usage) }),
    })
    await flush()
  }

  async function updateSession(changes: Parameters<BehaviorContext['updateSession']>[0]): Promise<void> {
    assertOpen()
    assertSessionPatch(changes)
    session.record({ type: 'session.changed', changes: structuredClone(changes) })
    await flush()
  }

  return {
    agentId: session.state.agentId,
    session: viewOf(session),
    message: deepFreeze(message),
    attempt,
    signal,
    emit: (piece) => text.push(piece),
    runTool: (...args) => handled(runTool(...args)),
    recordStep: (step) => handled(recordStep(step)),
    updateSession: (changes) => handled(updateSession(changes)),
  }
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

type SettledResult = ToolResult & { outcome: 'ok' | 'error' }

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
    return { content: cutText(describeThrown(error), maxBytes), outcome: 'error' }
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
