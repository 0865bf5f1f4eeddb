/** What a model is asked, and what it answers: one step of a turn, in words that no provider's format shows through. */
import type { Json } from '../../core/json.ts'
import type { ToolCall, ToolOutcome } from '../../core/session-state.ts'
import type { Usage } from '../../core/usage.ts'

/** What was said so far, oldest first. */
export type ConversationEntry =
  | { role: 'user'; content: string }
  | { role: 'assistant'; content: string; toolCalls?: readonly ToolCall[] }
  /** `outcome` left out: it is not known to have failed. */
  | { role: 'tool'; toolCallId: string; name?: string; content: string; outcome?: ToolOutcome }

export interface OfferedTool {
  /** 1 to 64 of A-Z a-z 0-9 _ -. */
  readonly name: string
  readonly description: string
  /** JSON Schema of an object. */
  readonly inputSchema: { [key: string]: Json }
}

export interface StepRequest {
  /** `provider/model`. */
  model: string
  /** Asked in order where the one before failed for good, or after its retries. */
  fallbacks: readonly string[]
  /** May be empty. */
  instructions: string
  /** Whatever order and gaps it has, it is made into one that providers take. */
  conversation: readonly ConversationEntry[]
  tools: readonly OfferedTool[]
  maxOutputTokens?: number
  temperature?: number
  /** Aborted: the step rejects with its reason at once, and the request is closed. */
  signal: AbortSignal
  /** Deltas as they come. After `onRetry` the answer starts anew: what was handed over so far is void. */
  onText(text: string): void
  onReasoning(text: string): void
  onRetry(retry: Retry): void
}

/** Told before the wait. */
export interface Retry {
  /** The one that failed. */
  model: string
  /** How many of its tries have failed; 0 where it could not be tried at all. */
  attempt: number
  delayMs: number
  /** For a person. */
  reason: string
  /** The model that is asked next, where it is another. */
  fallback?: string
}

export type StepFinish = 'stop' | 'length' | 'tool-calls' | 'content-filter' | 'other'

/** A complete answer: a model that was cut off, or whose answer was damaged, gives none. */
export interface ModelStep {
  /** The one that answered, `provider/model`. */
  model: string
  /** May be empty. */
  content: string
  /** Left out where the model showed none. */
  reasoning?: string
  /** In the order they were made. Their ids are unique in the step and in the conversation. */
  toolCalls: ToolCall[]
  /** Left out where the provider reported none. */
  usage?: Usage
  /** `tool-calls` whenever there are any that the answer was not cut off in. */
  finishReason: StepFinish
}
