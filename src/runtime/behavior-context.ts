/** What a behavior gets in its hands for one turn: BehaviorContext over an open session. Every step is recorded here. */
import type { BehaviorContext, SessionView, ToolResult } from '../behavior.ts'
import { createId } from '../core/ids.ts'
import { assertJson } from '../core/json.ts'
import { assertSessionPatch } from '../protocol/session-input.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import type { Session } from './session.ts'
import type { TextMerger } from './text-merger.ts'

export interface ContextOptions {
  session: Session
  signal: AbortSignal
  text: TextMerger
  /** Longest content of a tool result or step, in UTF-8 bytes. */
  resultBytes: number
  sendEvent: (event: TurnEvent) => void
}

/** The context of the open turn of `session`. After the turn its recording methods refuse (`interrupted`). */
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

  async function runTool(
    name: string,
    input: unknown,
    execute: (call: { toolCallId: string; signal: AbortSignal }) => Promise<ToolResult | string>,
    toolCallId: string = createId(),
  ): Promise<ToolResult & { toolCallId: string }> {
    assertOpen()
    assertJson(input, `input of tool ${name}`)
    signal.throwIfAborted()
    session.record({ type: 'tool.started', turnId, toolCallId, name, input })
    await session.flush()
    sendEvent({ type: 'tool-started', toolCallId, name, input })
    const result = await settle(execute, { toolCallId, signal })
    assertOpen()
    const { outcome = 'ok', exitCode } = result
    const content = checkedText(result.content, `result of tool ${name}`, resultBytes)
    session.record({
      type: 'tool.finished',
      turnId,
      toolCallId,
      outcome,
      content,
      ...(exitCode !== undefined && { exitCode }),
    })
    await session.flush()
    text.flush()
    sendEvent({ type: 'tool-finished', toolCallId, outcome, ...(exitCode !== undefined && { exitCode }) })
    return { ...result, content, toolCallId }
  }

  return {
    agentId: session.state.agentId,
    session: viewOf(session),
    message,
    attempt,
    signal,
    emit: (piece) => text.push(piece),
    runTool,
    async recordStep({ content, toolCalls, usage }) {
      assertOpen()
      for (const call of toolCalls ?? []) assertJson(call.input, `input of tool ${call.name}`)
      session.record({
        type: 'step.model',
        turnId,
        content: checkedText(content, 'content of a step', resultBytes),
        ...(toolCalls && { toolCalls }),
        ...(usage && { usage }),
      })
      await session.flush()
    },
    async updateSession(changes) {
      assertOpen()
      assertSessionPatch(changes)
      session.record({ type: 'session.changed', changes })
      await session.flush()
    },
  }
}

/** Text as it can be kept: well-formed Unicode, at most `maxBytes` in UTF-8. Throws `invalid_input` for more. */
export function checkedText(value: string, what: string, maxBytes: number): string {
  if (typeof value !== 'string') {
    throw new AgentryError('invalid_input', `${what}: expected text, received ${typeof value}`)
  }
  const bytes = Buffer.byteLength(value)
  if (bytes > maxBytes) {
    throw new AgentryError('invalid_input', `${what}: expected at most ${maxBytes} bytes, received ${bytes}`)
  }
  return value.toWellFormed()
}

async function settle(
  execute: (call: { toolCallId: string; signal: AbortSignal }) => Promise<ToolResult | string>,
  call: { toolCallId: string; signal: AbortSignal },
): Promise<ToolResult> {
  try {
    const result = await execute(call)
    return typeof result === 'string' ? { content: result } : result
  } catch (error) {
    return { content: describeThrown(error), outcome: 'error' }
  }
}

function viewOf(session: Session): SessionView {
  const { state } = session
  return {
    id: state.id,
    get name() {
      return state.name
    },
    get workingDir() {
      return state.workingDir
    },
    get prompt() {
      return state.prompt
    },
    get vars() {
      return state.vars
    },
    get metadata() {
      return state.metadata
    },
    get memory() {
      return state.memory
    },
  }
}
