import { describe, expect, test } from 'vitest'
import { asking, containing, KEYS, PROTOCOLS, READ, telling } from './asking.ts'

describe.each(PROTOCOLS)('a step over the protocol of %s', (protocol) => {
  const model = `${protocol}/some-model`

  test('streams the text as it comes and gives it whole', async () => {
    const { promise: gate, resolve: open } = Promise.withResolvers<void>()
    const { models, server } = await asking(() => [{ text: ['Good', ' '] }, { gate }, { text: ['morning'] }])
    const told = telling({ model })
    const { promise: first, resolve: came } = Promise.withResolvers<void>()
    const onText = (text: string): void => {
      told.text.push(text)
      if (told.text.join('') === 'Good ') came()
    }
    const step = models.step({ ...told.request, onText })
    await first
    open()
    expect(await step).toMatchObject({ model, content: 'Good morning', toolCalls: [], finishReason: 'stop' })
    expect(told.text).toEqual(['Good', ' ', 'morning'])
    expect(told.retries).toEqual([])
    expect(server.refused).toEqual([])
  })

  test('asks for the model with its instructions, tools, limits and key', async () => {
    const { models, server } = await asking(() => 'Hi')
    await models.step(telling({ model, tools: [READ], maxOutputTokens: 77, temperature: 0.5 }).request)
    const [request] = server.requests
    expect(request).toMatchObject({
      protocol,
      model: 'some-model',
      system: 'You are terse.',
      messages: [{ role: 'user', content: 'Hello' }],
      body: { max_tokens: 77, temperature: 0.5 },
    })
    expect(request?.tools).toMatchObject([
      { name: 'read', description: 'Reads a file.', inputSchema: READ.inputSchema },
    ])
    const key =
      protocol === 'openai'
        ? request?.headers.authorization
        : `Bearer ${String(request?.headers['x-api-key'])}`
    expect(key).toBe(`Bearer ${protocol === 'openai' ? KEYS.CHAT_KEY : KEYS.MESSAGES_KEY}`)
  })

  test('keeps the reasoning apart from the text', async () => {
    const { models } = await asking(() => [{ reasoning: ['Let me', ' see'] }, 'Done'])
    const told = telling({ model })
    expect(await models.step(told.request)).toMatchObject({ reasoning: 'Let me see', content: 'Done' })
    expect(told.reasoning).toEqual(['Let me', ' see'])
    expect(told.text).toEqual(['Done'])
  })

  test('gives parallel tool calls in the order they were made', async () => {
    const { models } = await asking(() => [
      'Looking.',
      { toolCall: { name: 'read', input: { path: 'a.txt' } } },
      { toolCall: { name: 'read', input: { path: 'b.txt' } } },
    ])
    const step = await models.step(telling({ model, tools: [READ] }).request)
    expect(step).toMatchObject({ content: 'Looking.', finishReason: 'tool-calls' })
    expect(step.toolCalls).toEqual([
      { toolCallId: expect.any(String) as unknown, name: 'read', input: { path: 'a.txt' } },
      { toolCallId: expect.any(String) as unknown, name: 'read', input: { path: 'b.txt' } },
    ])
    expect(step.toolCalls[0]?.toolCallId).not.toBe(step.toolCalls[1]?.toolCallId)
  })

  test('takes a call for a call though the answer says that it just stops', async () => {
    const { models } = await asking(() => [
      { toolCall: { name: 'read', input: { path: 'a' } } },
      { finish: 'stop' },
    ])
    const step = await models.step(telling({ model, tools: [READ] }).request)
    expect(step).toMatchObject({ finishReason: 'tool-calls', toolCalls: [{ name: 'read' }] })
  })

  test('says what is wrong with arguments that are no JSON and with a tool that does not exist', async () => {
    const { models } = await asking(() => [
      { toolCall: { name: 'read', arguments: '{"path": "a' } },
      { toolCall: { name: 'fly', input: { to: 'Rome' } } },
    ])
    const step = await models.step(telling({ model, tools: [READ] }).request)
    expect(step.toolCalls).toMatchObject([
      { name: 'read', input: '{"path": "a', problem: containing('read') },
      { name: 'fly', input: { to: 'Rome' }, problem: containing('fly') },
    ])
  })

  test('gives a call whose id was used before an id of its own', async () => {
    const { models } = await asking(() => [
      { toolCall: { name: 'read', id: 'call_1', input: { path: 'b' } } },
    ])
    const conversation = [
      { role: 'user', content: 'Hello' },
      {
        role: 'assistant',
        content: '',
        toolCalls: [{ toolCallId: 'call_1', name: 'read', input: { path: 'a' } }],
      },
      { role: 'tool', toolCallId: 'call_1', name: 'read', content: 'A', outcome: 'ok' },
    ] as const
    const step = await models.step(telling({ model, tools: [READ], conversation }).request)
    expect(step.toolCalls).toEqual([{ toolCallId: 'call_1_2', name: 'read', input: { path: 'b' } }])
  })

  test('keeps arguments that no record can hold as text, with the reason', async () => {
    const { models } = await asking(() => [{ toolCall: { name: 'read', arguments: '{"path":"\\ud800"}' } }])
    const step = await models.step(telling({ model, tools: [READ] }).request)
    expect(step.toolCalls).toMatchObject([{ problem: containing('Unicode') }])
    expect(JSON.stringify(step)).toSatisfy((text: string) => text.isWellFormed())
    expect(typeof step.toolCalls[0]?.input).toBe('string')
  })

  test('counts tokens, and money where the price is known', async () => {
    const reply = (): [string, { usage: { input: number; output: number; cached: number } }] => [
      'Hi',
      { usage: { input: 1000, output: 200, cached: 400 } },
    ]
    const { models } = await asking(reply, {
      prices: { [model]: { input: 2, output: 10, cachedInput: 0.5 } },
    })
    const { usage } = await models.step(telling({ model }).request)
    expect(usage).toMatchObject({ inputTokens: 1000, outputTokens: 200, cachedInputTokens: 400 })
    expect(usage?.costUsd).toBeCloseTo((600 * 2 + 400 * 0.5 + 200 * 10) / 1_000_000, 12)
    const other = await models.step(telling({ model: `${protocol}/unpriced` }).request)
    expect(other.usage).toMatchObject({ inputTokens: 1000, outputTokens: 200 })
    expect(other.usage).not.toHaveProperty('costUsd')
  })

  test.each(['length', 'content-filter'] as const)('says that the answer ended by %s', async (finish) => {
    const { models } = await asking(() => ['Half an ans', { finish }])
    const step = await models.step(telling({ model }).request)
    expect(step).toMatchObject({ content: 'Half an ans', finishReason: finish })
  })

  test.each(['', '{"path": "a'])(
    'does not let a call be run whose arguments (%s) were cut off',
    async (given) => {
      const { models } = await asking(() => [
        { toolCall: { name: 'read', input: { path: 'whole' } } },
        { toolCall: { name: 'read', arguments: given } },
        { finish: 'length' },
      ])
      const step = await models.step(telling({ model, tools: [READ] }).request)
      expect(step.finishReason).toBe('length')
      expect(step.toolCalls[0]).not.toHaveProperty('problem')
      expect(step.toolCalls.slice(1).every(({ problem }) => problem !== undefined)).toBe(true)
    },
  )
})
