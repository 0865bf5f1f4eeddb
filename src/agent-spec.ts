import type { RestartPolicy } from './core/restart-policy.ts'
import type { LlmSpec } from './llm-spec.ts'

/** The behaviors that have a name; any other behavior is the path of a module. */
export const BEHAVIOR_NAMES = ['llm', 'shell', 'echo'] as const

/** True for a behavior that is Agentry's own code. */
export function isBuiltIn(behavior: string): boolean {
  return BEHAVIOR_NAMES.some((name) => name === behavior)
}

/** What an agent is: registered durably, the same after every restart. All paths absolute, all defaults filled in. */
export interface AgentSpec {
  id: string
  role: string
  /** `llm`, `shell`, `echo`, or the absolute path of a module whose default export is made by defineBehavior. */
  behavior: string
  /** The prompt of sessions that name none. */
  instructions: string
  /** The working directory of sessions that name none. */
  workingDir: string
  restart: RestartPolicy
  limits: AgentLimits
  /** Set exactly where the behavior is `llm`. */
  llm?: LlmSpec
}

export interface AgentLimits {
  /** Used heap plus external memory of the thread, in MiB: above it the thread is ended and the restart policy applies. */
  memoryMb: number
  /** The longest turn, in ms: then it is cancelled and ends `failed` with `turn_timeout`. */
  turnMs: number
  /** Model steps of one turn. */
  maxSteps?: number
  /** Tokens of one turn, in and out. */
  maxTokens?: number
  /** US dollars of one turn, as far as prices are known. */
  maxCostUsd?: number
  /** Tokens of one session. */
  sessionTokens?: number
  /** US dollars of one session. */
  sessionCostUsd?: number
}
