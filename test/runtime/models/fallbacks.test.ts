import { expect, test } from 'vitest'
import { isContextTooLong } from '../../../src/runtime/models/model-set.ts'
import { asking, containing, telling } from './asking.ts'

test('the next model is asked after the retries of the one before, over another protocol too', async () => {
  const { models, server, clock } = await asking(({ model }) =>
    model === 'big' ? { status: 503 } : 'Small here',
  )
  const told = telling({ model: 'openai/big', fallbacks: ['anthropic/small'] }, clock)
  const step = await models.step(told.request)
  expect(step).toMatchObject({ model: 'anthropic/small', content: 'Small here' })
  expect(server.requests.map(({ model }) => model)).toEqual(['big', 'big', 'big', 'big', 'small'])
  expect(told.retries.map(({ attempt, fallback }) => [attempt, fallback])).toEqual([
    [1, undefined],
    [2, undefined],
    [3, undefined],
    [4, 'anthropic/small'],
  ])
})

test.each([
  ['a wrong key', { status: 401 }],
  ['no such model', { status: 404 }],
  ['a conversation that is too long', { status: 400, message: 'prompt is too long' }],
  ['an hour to wait', { status: 429, retryAfter: 3600 }],
])('the next model is asked at once where the one before fails for good: %s', async (_, reply) => {
  const { models, server } = await asking(({ model }) => (model === 'big' ? reply : 'Small here'))
  const told = telling({ model: 'anthropic/big', fallbacks: ['openai/small'] })
  expect(await models.step(told.request)).toMatchObject({ model: 'openai/small', content: 'Small here' })
  expect(server.requests).toHaveLength(2)
  expect(told.retries).toMatchObject([
    { model: 'anthropic/big', attempt: 1, delayMs: 0, fallback: 'openai/small' },
  ])
})

test('a model without a key is passed over', async () => {
  const { models, server } = await asking(() => 'Hi')
  const told = telling({ model: 'google/gemini', fallbacks: ['openai/small'] })
  expect(await models.step(told.request)).toMatchObject({ model: 'openai/small' })
  expect(told.retries).toMatchObject([
    { attempt: 0, reason: containing('GOOGLE_GENERATIVE_AI_API_KEY'), fallback: 'openai/small' },
  ])
  expect(server.requests).toHaveLength(1)
})

test('where all fail, the error tells of each', async () => {
  const { models } = await asking(({ model }) =>
    model === 'a' ? { status: 400, message: 'prompt is too long' } : { status: 403, message: 'not for you' },
  )
  const told = telling({ model: 'openai/a', fallbacks: ['nobody/c', 'anthropic/b'] })
  const error: unknown = await models.step(told.request).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    code: 'model_failed',
    message: expect.stringMatching(
      /openai\/a.*prompt is too long.*nobody.*anthropic\/b.*not for you/,
    ) as unknown,
    data: { model: 'openai/a', status: 403, attempts: 2, contextTooLong: true },
  })
  expect(isContextTooLong(error)).toBe(true)
})

test('usage is priced by the model that answered', async () => {
  const { models } = await asking(
    ({ model }) => (model === 'big' ? { status: 404 } : ['Hi', { usage: { input: 100, output: 10 } }]),
    {
      prices: { 'openai/big': { input: 1000, output: 1000 }, 'openai/small': { input: 1, output: 2 } },
    },
  )
  const step = await models.step(telling({ model: 'openai/big', fallbacks: ['openai/small'] }).request)
  expect(step.usage?.costUsd).toBeCloseTo(120 / 1_000_000, 12)
})
