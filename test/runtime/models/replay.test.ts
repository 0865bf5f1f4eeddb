import { describe, expect, test } from 'vitest'
import type { ConversationEntry } from '../../../src/runtime/models/model-step.ts'
import { asking, PROTOCOLS, READ, telling } from './asking.ts'

const user = (content: string): ConversationEntry => ({ role: 'user', content })
const call = (toolCallId: string, input: { path: string } | string = { path: 'a' }) => ({
  toolCallId,
  name: 'read',
  input,
})
const result = (toolCallId: string, content: string): ConversationEntry => ({
  role: 'tool',
  toolCallId,
  name: 'read',
  content,
  outcome: 'ok',
})

const CONVERSATIONS: [string, ConversationEntry[]][] = [
  ['nothing', []],
  ['two messages of a user in a row', [user('One'), user('Two')]],
  ['an answer of the model first', [{ role: 'assistant', content: 'Welcome' }, user('Hello')]],
  ['an answer of the model last', [user('Hello'), { role: 'assistant', content: 'Welcome ' }]],
  ['an empty answer', [user('Hello'), { role: 'assistant', content: '' }, user('Well?')]],
  ['blank messages', [user(''), { role: 'assistant', content: ' \n' }, user('  ')]],
  [
    'a call without words',
    [user('Look'), { role: 'assistant', content: '', toolCalls: [call('c1')] }, result('c1', 'A')],
  ],
  [
    'an empty result',
    [user('Look'), { role: 'assistant', content: 'Ok', toolCalls: [call('c1')] }, result('c1', '')],
  ],
  [
    'a call without a result',
    [
      user('Look'),
      { role: 'assistant', content: 'Ok', toolCalls: [call('c1'), call('c2')] },
      result('c2', 'B'),
    ],
  ],
  [
    'results out of order',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('c1'), call('c2')] },
      result('c2', 'B'),
      result('c1', 'A'),
    ],
  ],
  [
    'a message between a call and its result',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('c1')] },
      user('Hurry'),
      result('c1', 'A'),
    ],
  ],
  ['a result without a call', [result('gone', 'A'), user('So?')]],
  [
    'the same result twice',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('c1')] },
      result('c1', 'A'),
      result('c1', 'B'),
    ],
  ],
  [
    'ids of another provider',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('functions.read:0'), call('functions_read_0')] },
      result('functions.read:0', 'A'),
      result('functions_read_0', 'B'),
    ],
  ],
  [
    'an id of two hundred characters',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('x'.repeat(200))] },
      result('x'.repeat(200), 'A'),
    ],
  ],
  [
    'an id used twice',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('c1')] },
      result('c1', 'A'),
      { role: 'assistant', content: '', toolCalls: [call('c1')] },
      result('c1', 'B'),
    ],
  ],
  [
    'arguments that are no JSON',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('c1', '{"path":')] },
      result('c1', 'no'),
    ],
  ],
  [
    'a name that a model made up',
    [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [{ toolCallId: 'c1', name: 'rm -rf /', input: {} }] },
      result('c1', 'no'),
    ],
  ],
  [
    'text that is not well-formed',
    [
      user('a\ud800b'),
      { role: 'assistant', content: 'c\udc00', toolCalls: [call('c1')] },
      result('c1', 'd\ud800'),
    ],
  ],
]

describe.each(PROTOCOLS)('over the protocol of %s', (protocol) => {
  test.each(CONVERSATIONS)('a conversation with %s is taken', async (_, conversation) => {
    const { models, server } = await asking(() => 'Fine')
    const step = await models.step(telling({ model: `${protocol}/m`, tools: [READ], conversation }).request)
    expect(server.refused).toEqual([])
    expect(step.content).toBe('Fine')
    expect(JSON.stringify(server.requests[0]?.body)).not.toMatch(/\\u[dD][89a-fA-F]/)
  })

  test('every call has its own result, whatever the order and the ids', async () => {
    const { models, server } = await asking(() => 'Fine')
    const conversation: ConversationEntry[] = [
      user('Look'),
      {
        role: 'assistant',
        content: '',
        toolCalls: [call('a:1', { path: 'one' }), call('a_1', { path: 'two' }), call('c', { path: 'three' })],
      },
      result('a_1', 'TWO'),
      user('Hurry'),
      result('a:1', 'ONE'),
    ]
    await models.step(telling({ model: `${protocol}/m`, conversation }).request)
    const messages = server.requests[0]?.messages ?? []
    const calls = messages.flatMap(({ toolCalls }) => toolCalls ?? [])
    const told = calls.map(({ id, input }) => [
      (input as { path: string }).path,
      messages.find(({ toolCallId }) => toolCallId === id)?.content,
    ])
    expect(told.slice(0, 2)).toEqual([
      ['one', 'ONE'],
      ['two', 'TWO'],
    ])
    expect(told[2]?.[1]).toContain('outcome unknown')
    expect(messages.at(-1)).toMatchObject({ role: 'user', content: 'Hurry' })
  })

  test('what one provider answered is replayed at the other', async () => {
    const other = protocol === 'openai' ? 'anthropic' : 'openai'
    const { models, server } = await asking((_, index) =>
      index === 0
        ? [
            { reasoning: 'Thinking of it' },
            'Reading both.',
            { toolCall: { name: 'read', input: { path: 'a' }, id: 'call:1/x' } },
            { toolCall: { name: 'read', input: { path: 'b' }, id: 'call:1/x' } },
          ]
        : 'Read.',
    )
    const step = await models.step(telling({ model: `${protocol}/m`, tools: [READ] }).request)
    const conversation: ConversationEntry[] = [
      user('Hello'),
      { role: 'assistant', content: step.content, toolCalls: step.toolCalls },
      ...step.toolCalls.map(({ toolCallId, name }, index): ConversationEntry => ({
        role: 'tool',
        toolCallId,
        name,
        content: `result ${index}`,
        outcome: index === 0 ? 'ok' : 'error',
      })),
    ]
    const next = await models.step(telling({ model: `${other}/m`, tools: [READ], conversation }).request)
    expect(server.refused).toEqual([])
    expect(next).toMatchObject({ model: `${other}/m`, content: 'Read.' })
    expect(server.requests[1]?.messages).toMatchObject([
      { role: 'user', content: 'Hello' },
      {
        role: 'assistant',
        content: 'Reading both.',
        toolCalls: [{ input: { path: 'a' } }, { input: { path: 'b' } }],
      },
      { role: 'tool', content: 'result 0' },
      { role: 'tool', content: 'result 1' },
    ])
    expect(JSON.stringify(server.requests[1]?.body)).not.toContain('Thinking of it')
  })

  test('the same conversation grows into the same request with more at its end, so that caches hit', async () => {
    const { models, server } = await asking(() => 'Fine')
    const conversation: ConversationEntry[] = [
      user('Look'),
      { role: 'assistant', content: '', toolCalls: [call('a:1')] },
      result('a:1', 'A'),
    ]
    await models.step(telling({ model: `${protocol}/m`, conversation }).request)
    const longer = [...conversation, { role: 'assistant', content: 'Seen' } as const, user('And?')]
    await models.step(telling({ model: `${protocol}/m`, conversation: longer }).request)
    const [first, second] = server.requests
    expect(second?.messages.slice(0, first?.messages.length)).toEqual(first?.messages)
  })
})

test('a failed call is an error for a provider that knows the difference', async () => {
  const { models, server } = await asking(() => 'Fine')
  const conversation: ConversationEntry[] = [
    user('Look'),
    { role: 'assistant', content: '', toolCalls: [call('a'), call('b'), call('c')] },
    { role: 'tool', toolCallId: 'a', content: 'A', outcome: 'ok' },
    { role: 'tool', toolCallId: 'b', content: 'B', outcome: 'error' },
    { role: 'tool', toolCallId: 'c', content: '', outcome: 'unknown' },
  ]
  await models.step(telling({ model: 'anthropic/m', conversation }).request)
  expect(
    server.requests[0]?.messages.filter(({ role }) => role === 'tool').map(({ isError }) => isError),
  ).toEqual([false, true, true])
})

test('Anthropic is asked to cache the instructions and the conversation', async () => {
  const { models, server } = await asking(() => 'Fine')
  await models.step(telling({ model: 'anthropic/m', conversation: [user('One')] }).request)
  const mark = { cache_control: { type: 'ephemeral' } }
  expect(server.requests[0]?.body).toMatchObject({ system: [mark], messages: [{ content: [mark] }] })
})
