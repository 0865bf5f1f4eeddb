/** What the tests of models share: a team with a provider for each protocol at one fake server, and what a step told. */
import { expect, onTestFinished } from 'vitest'
import { createModelSet, type ModelSet, type ModelSetOptions } from '../../../src/runtime/models/model-set.ts'
import type { OfferedTool, Retry, StepRequest } from '../../../src/runtime/models/model-step.ts'
import type { Price, ProviderSpec } from '../../../src/llm-spec.ts'
import { type ModelServer, type ModelServerOptions, startModelServer } from '../../fakes/model-server.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'

export const PROTOCOLS = ['openai', 'anthropic'] as const

export const KEYS = { CHAT_KEY: 'sk-chat-0123456789', MESSAGES_KEY: 'sk-messages-0123456789' }

export interface Asking {
  server: ModelServer
  clock: SimulatedClock
  models: ModelSet
}

/** Closed at the end of the test. The providers are named `openai` and `anthropic`, as their protocols. */
export async function asking(
  reply: ModelServerOptions['reply'],
  more: { prices?: { [model: string]: Price }; options?: Partial<ModelSetOptions>; apiKey?: string } = {},
): Promise<Asking> {
  const server = await startModelServer({ reply, ...(more.apiKey !== undefined && { apiKey: more.apiKey }) })
  onTestFinished(() => server.close())
  const clock = new SimulatedClock()
  const providers = {
    openai: provider({ type: 'openai-compatible', baseURL: server.openaiURL, apiKeyEnv: 'CHAT_KEY' }),
    anthropic: provider({ type: 'anthropic', baseURL: server.url, apiKeyEnv: 'MESSAGES_KEY' }),
  }
  const models = createModelSet({ providers, prices: more.prices ?? {} }, KEYS, clock, () => 0, more.options)
  return { server, clock, models }
}

export function provider(spec: Omit<ProviderSpec, 'headers' | 'headersEnv'>): ProviderSpec {
  return { headers: {}, headersEnv: {}, ...spec }
}

export interface Told {
  request: StepRequest
  /** What was streamed, in order; `|` where it started anew. */
  text: string[]
  reasoning: string[]
  retries: Retry[]
}

/** A request that keeps what it is told. Where it is given the clock, the time of every wait passes at once. */
export function telling(
  request: Partial<StepRequest> & Pick<StepRequest, 'model'>,
  clock?: SimulatedClock,
): Told {
  const text: string[] = []
  const reasoning: string[] = []
  const retries: Retry[] = []
  return {
    text,
    reasoning,
    retries,
    request: {
      fallbacks: [],
      instructions: 'You are terse.',
      conversation: [{ role: 'user', content: 'Hello' }],
      tools: [],
      signal: new AbortController().signal,
      onText: (delta) => text.push(delta),
      onReasoning: (delta) => reasoning.push(delta),
      onRetry(retry) {
        retries.push(retry)
        text.push('|')
        setImmediate(() => clock?.advance(retry.delayMs))
      },
      ...request,
    },
  }
}

export const READ: OfferedTool = {
  name: 'read',
  description: 'Reads a file.',
  inputSchema: { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] },
}

/** Matches a text that has `part` in it. */
export function containing(part: string): unknown {
  return expect.stringContaining(part)
}
