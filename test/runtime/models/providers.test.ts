import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { describeProviders, modelHint, NO_MODELS, type ProviderSpec } from '../../../src/llm-spec.ts'
import { createModelSet, type ModelSet } from '../../../src/runtime/models/model-set.ts'
import { startModelServer } from '../../fakes/model-server.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'
import { errorWith } from '../../error-with.ts'
import { provider, READ, telling } from './asking.ts'

function modelSet(
  providers: { [name: string]: ProviderSpec },
  environment: NodeJS.ProcessEnv = {},
): ModelSet {
  return createModelSet({ providers, prices: {} }, environment, new SimulatedClock(), () => 0, { tries: 1 })
}

test('a provider that nobody knows is refused, with those that are known and the nearest', async () => {
  const step = modelSet({ local: provider({ type: 'openai' }) }).step(
    telling({ model: 'antropic/x' }).request,
  )
  await expect(step).rejects.toThrow(
    errorWith('model_unavailable', /local.*ollama.*did you mean "anthropic"/),
  )
})

test.each(['gpt', '/gpt', 'openai/', '', 'constructor/x', '__proto__/x'])(
  '“%s” is no model',
  async (model) => {
    await expect(modelSet({}).step(telling({ model }).request)).rejects.toThrow(
      errorWith('model_unavailable'),
    )
  },
)

test.each([
  ['openai/gpt-5', 'OPENAI_API_KEY'],
  ['anthropic/claude', 'ANTHROPIC_API_KEY'],
  ['google/gemini', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  ['openrouter/x/y', 'OPENROUTER_API_KEY'],
])('without a key for %s the message names %s and a local server', async (model, variable) => {
  const error: unknown = await modelSet({}, { [variable]: '  ' })
    .step(telling({ model }).request)
    .catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'model_unavailable', data: { model, variable } })
  expect(String(error)).toMatch(new RegExp(`${variable}.*http://127.0.0.1:11434/v1`))
})

test('a provider without a key variable is asked without a key, with its headers, secret ones too', async () => {
  const server = await startModelServer({ reply: () => 'Hi' })
  onTestFinished(() => server.close())
  const local: ProviderSpec = {
    type: 'openai-compatible',
    baseURL: server.openaiURL,
    headers: { 'x-team': 'blue' },
    headersEnv: { 'x-pass': 'PASS' },
  }
  await modelSet({ local }, { PASS: 'open-sesame' }).step(telling({ model: 'local/qwen/coder:7b' }).request)
  const [request] = server.requests
  expect(request?.model).toBe('qwen/coder:7b')
  expect(request?.headers).toMatchObject({ 'x-team': 'blue', 'x-pass': 'open-sesame' })
  expect(request?.headers).not.toHaveProperty('authorization')
  const missing = modelSet({ local }).step(telling({ model: 'local/x' }).request)
  await expect(missing).rejects.toThrow(errorWith('model_unavailable', 'PASS'))
})

test('a server that stands in for OpenAI is asked for chat completions, by configuration or by variable', async () => {
  const server = await startModelServer({ reply: () => 'Hi', apiKey: 'sk-key' })
  onTestFinished(() => server.close())
  const proxy = provider({ type: 'openai', baseURL: server.openaiURL, apiKeyEnv: 'OPENAI_API_KEY' })
  const environment = { OPENAI_API_KEY: 'sk-key', OPENAI_BASE_URL: server.openaiURL }
  await modelSet({ proxy }, environment).step(telling({ model: 'proxy/gpt' }).request)
  await modelSet({}, environment).step(telling({ model: 'openai/gpt', tools: [READ] }).request)
  expect(server.requests.map(({ protocol }) => protocol)).toEqual(['openai', 'openai'])
})

test('the address of Anthropic is taken with the version and without', async () => {
  const server = await startModelServer({ reply: () => 'Hi', apiKey: 'key' })
  onTestFinished(() => server.close())
  for (const url of [server.url, `${server.url}/`, server.anthropicURL]) {
    const environment = { ANTHROPIC_API_KEY: 'key', ANTHROPIC_BASE_URL: url }
    await modelSet({}, environment).step(telling({ model: 'anthropic/claude' }).request)
  }
  expect(server.requests).toHaveLength(3)
})

describe('where requests leave the machine', () => {
  afterEach(() => vi.unstubAllGlobals())

  /** Stands for the network: answers with one stream of events, and keeps what was asked. */
  function network(
    events: readonly object[],
  ): { url: string; body: Record<string, unknown>; headers: Headers }[] {
    const asked: { url: string; body: Record<string, unknown>; headers: Headers }[] = []
    vi.stubGlobal('fetch', (url: string | URL, init: RequestInit) => {
      const body = JSON.parse(init.body as string) as Record<string, unknown>
      asked.push({ url: String(url), body, headers: new Headers(init.headers) })
      const text = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
      return Promise.resolve(new Response(text, { headers: { 'content-type': 'text/event-stream' } }))
    })
    return asked
  }

  test('OpenAI is asked for responses', async () => {
    const response = { id: 'r', created_at: 1, model: 'gpt-5' }
    const usage = {
      input_tokens: 9,
      output_tokens: 3,
      input_tokens_details: { cached_tokens: 2 },
      output_tokens_details: { reasoning_tokens: 1 },
    }
    const asked = network([
      { type: 'response.created', response },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'message', id: 'm', phase: null },
      },
      { type: 'response.output_text.delta', item_id: 'm', delta: 'Hi' },
      { type: 'response.output_item.done', output_index: 0, item: { type: 'message', id: 'm', phase: null } },
      { type: 'response.completed', response: { ...response, usage, incomplete_details: null } },
    ])
    const models = modelSet({}, { OPENAI_API_KEY: 'sk-key' })
    const step = await models.step(telling({ model: 'openai/gpt-5', tools: [READ] }).request)
    expect(step).toMatchObject({
      content: 'Hi',
      finishReason: 'stop',
      usage: { inputTokens: 9, outputTokens: 3, cachedInputTokens: 2, reasoningTokens: 1 },
    })
    expect(asked).toMatchObject([
      {
        url: 'https://api.openai.com/v1/responses',
        body: { model: 'gpt-5', stream: true, tools: [{ name: 'read' }] },
      },
    ])
    expect(asked[0]?.headers.get('authorization')).toBe('Bearer sk-key')
  })

  test('a stream of OpenAI’s that ends before its last event is no answer', async () => {
    network([
      { type: 'response.created', response: { id: 'r', created_at: 1, model: 'gpt-5' } },
      {
        type: 'response.output_item.added',
        output_index: 0,
        item: { type: 'message', id: 'm', phase: null },
      },
      { type: 'response.output_text.delta', item_id: 'm', delta: 'Hi' },
    ])
    const step = modelSet({}, { OPENAI_API_KEY: 'sk-key' }).step(telling({ model: 'openai/gpt-5' }).request)
    await expect(step).rejects.toThrow(errorWith('model_failed'))
  })

  test('Google is asked for generated content, and a call is one', async () => {
    const parts = [{ text: 'Looking' }, { functionCall: { name: 'read', args: { path: 'a' } } }]
    const asked = network([
      {
        candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2 },
      },
    ])
    const models = modelSet({}, { GOOGLE_GENERATIVE_AI_API_KEY: 'g-key' })
    const step = await models.step(telling({ model: 'google/gemini-x', tools: [READ] }).request)
    expect(step).toMatchObject({
      content: 'Looking',
      toolCalls: [{ name: 'read', input: { path: 'a' } }],
      finishReason: 'tool-calls',
      usage: { inputTokens: 5, outputTokens: 2 },
    })
    expect(asked[0]?.url).toContain('/models/gemini-x:streamGenerateContent')
    expect(asked[0]?.headers.get('x-goog-api-key')).toBe('g-key')
    expect(asked[0]?.body).toMatchObject({ tools: [{ functionDeclarations: [{ name: 'read' }] }] })
  })

  test('a stream of Google’s that ends without a reason is no answer', async () => {
    network([{ candidates: [{ content: { role: 'model', parts: [{ text: 'Half' }] } }] }])
    const models = modelSet({}, { GOOGLE_GENERATIVE_AI_API_KEY: 'g-key' })
    const step = models.step(telling({ model: 'google/gemini-x' }).request)
    await expect(step).rejects.toThrow(errorWith('model_failed'))
  })
})

test('providers are described with the keys that they lack', () => {
  const mine = provider({ type: 'openai-compatible', baseURL: 'http://10.0.0.1/v1', apiKeyEnv: 'MINE' })
  const openai = provider({ type: 'openai', apiKeyEnv: 'WORK_KEY' })
  const states = describeProviders({ ...NO_MODELS, providers: { mine, openai } }, { WORK_KEY: 'x', MINE: '' })
  expect(states.find(({ name }) => name === 'mine')).toMatchObject({
    ready: false,
    missing: ['MINE'],
    keyless: false,
  })
  expect(states.filter(({ name }) => name === 'openai')).toMatchObject([{ ready: true, missing: [] }])
  expect(states.find(({ name }) => name === 'ollama')).toMatchObject({ ready: true, keyless: true })
  expect(modelHint()).toMatch(/OPENAI_API_KEY.*ANTHROPIC_API_KEY.*11434/)
})

test.each(['openai-compatible', 'anthropic'] as const)(
  'an address that is no URL is named: %s',
  async (type) => {
    const models = modelSet({ local: provider({ type, baseURL: 'localhost' }) })
    const step = models.step(telling({ model: 'local/x' }).request)
    await expect(step).rejects.toThrow(errorWith('invalid_config', 'providers.local.baseURL'))
  },
)

test('nothing of the library is loaded before the first step', () => {
  const source = `
    import { createModelSet } from ${JSON.stringify(new URL('../../../src/runtime/models/model-set.ts', import.meta.url).href)}
    createModelSet({ providers: {}, prices: {} }, {}, {})
    console.log(globalThis.AI_SDK_LOG_WARNINGS === undefined ? 'light' : 'heavy')
  `
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' })
  expect(output.trim()).toBe('light')
})
