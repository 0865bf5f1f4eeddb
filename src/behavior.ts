/**
 * What behaviors and tools are, for those who write one: `import { defineBehavior, defineTool } from 'agentry/behavior'`.
 * It loads next to nothing at run time, so that a module which uses it stays light.
 */
import type { Json } from './core/json.ts'
import type { MemoryEntry, Usage, ToolCall } from './core/session-state.ts'
import type { Message } from './core/record.ts'
import type { Outcome } from './protocol/from-agent.ts'
import type { Teammate } from './protocol/team-requests.ts'

export { defineTool } from './runtime/tools/define-tool.ts'
export type { PermissionSubject, Tool, ToolContext, ToolDefinition } from './runtime/tools/tool.ts'

/** The session as a behavior sees it: a view that follows the state, frozen. Change it through the context's methods. */
export interface SessionView {
  readonly id: string
  readonly name: string
  readonly workingDir: string
  readonly prompt: string
  readonly vars: Readonly<Record<string, string>>
  readonly metadata: Readonly<Record<string, Json>>
  /** The conversation, the message of this turn and what it recorded last. Read it again for what came since. */
  readonly memory: readonly MemoryEntry[]
}

export interface ToolResult {
  content: string
  /** Default `ok`. */
  outcome?: 'ok' | 'error'
  exitCode?: number
}

export interface BehaviorContext {
  readonly agentId: string
  readonly session: SessionView
  /** The message: input, from, taskId, turnId, metadata. */
  readonly message: Readonly<Message>
  /** 1, or more where crashes cut this turn off before (resumable behaviors only). */
  readonly attempt: number
  /** Aborted on cancel, on the turn's time limit, and when a stop runs out of patience. */
  readonly signal: AbortSignal
  /** Sends text to whoever follows the turn. Transient: merged, capped, not recorded. */
  emit(text: string): void
  /**
   * Runs a side effect with its start durable before it runs and its end durable before it resolves: after a crash it is
   * never run twice, but reported with outcome `unknown`. What `execute` throws, or gives and cannot be kept (too long, no
   * text), becomes the result with outcome `error`.
   */
  runTool(
    name: string,
    input: Json,
    execute: (call: { toolCallId: string; signal: AbortSignal }) => Promise<ToolResult | string>,
    /** The id of a call that `recordStep` announced. Default: a new one. */
    toolCallId?: string,
  ): Promise<ToolResult & { toolCallId: string }>
  /** Records an answer of a model, with the calls it asks for. Durable when it resolves. */
  recordStep(step: {
    content: string
    toolCalls?: ToolCall[]
    /** `provider/model`. */
    model?: string
    reasoning?: string
    usage?: Usage
  }): Promise<void>
  /** The other agents of the team. */
  teammates(): Promise<Teammate[]>
  /**
   * Sends a message to another agent and resolves with the outcome of its turn; recorded like a tool call (`ask_agent`). The wait
   * survives crashes: a resumed turn that asks the same agent the same again gets the answer to the first question. While nothing but
   * waits is left to do, an agent with a resumable behavior gives its thread back. Throws `ask_refused` where the wait could never
   * end, `agent_not_found`, and what the sending fails with.
   */
  ask(agentId: string, input: string, toolCallId?: string): Promise<Outcome>
  /** Sends a message to another agent and resolves when it is durable in that agent's queue; recorded like a tool call (`tell_agent`). */
  tell(agentId: string, input: string, toolCallId?: string): Promise<void>
  /** Records changes of the session, durable when it resolves. null removes a key. */
  updateSession(changes: {
    workingDir?: string
    vars?: Record<string, string | null>
    metadata?: Record<string, Json | null>
  }): Promise<void>
}

/** What a turn gives: text, or text with an exit code. Undefined: the last recorded step is the result. */
export type BehaviorResult = string | undefined | { result?: string; exitCode?: number }

export interface Behavior {
  /** Shown where the agent is listed. Default: the module's name. */
  readonly name?: string
  /**
   * True where a turn that a crash cut off may be run again with attempt + 1: the behavior then reads from session.memory what is
   * done already. Default false: such a turn ends `interrupted`.
   */
  readonly resumable?: boolean
  /** Processes one message. What it throws ends the turn `failed`. */
  run(message: string, context: BehaviorContext): Promise<BehaviorResult> | BehaviorResult
  /** Called once when the agent leaves its thread cleanly: the place to free what run() keeps between turns. */
  close?(): Promise<void> | void
}

/** Gives a behavior its type. A module of a behavior is `export default defineBehavior({ run(message, context) { … } })`. */
export function defineBehavior(behavior: Behavior): Behavior {
  return behavior
}
