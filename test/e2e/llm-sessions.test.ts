/** What sessions of llm agents hold: usage, summaries, no secrets; and that any model goes on with what another one began. */
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { TeamEvent } from '../../src/api.ts'
import { openTeam } from '../fakes/open-team.ts'
import { call, eventsOf, llmTeam, providersOf, said, specOf } from './llm-team.ts'

describe('usage', () => {
  test('and cost are in the outcome, in the session and at the agent', async () => {
    const usage = { usage: { input: 1_000, output: 100, cached: 400 } }
    const { agent } = await llmTeam(
      (_, index) => (index === 0 ? [call('list', {}), usage] : ['done', usage]),
      { coder: {} },
      { prices: { 'fake/m': { input: 1, output: 10, cachedInput: 0.5 } } },
    )
    const { usage: used } = await agent().send('begin')
    expect(used).toMatchObject({
      steps: 2,
      inputTokens: 2_000,
      outputTokens: 200,
      cachedInputTokens: 800,
      unpricedSteps: 0,
    })
    expect(used?.costUsd).toBeCloseTo((2 * (600 + 200 + 1_000)) / 1e6)
    expect(agent().currentSession()?.counts).toMatchObject({ inputTokens: 2_000, costUsd: used?.costUsd })
    expect(agent().info().spent).toEqual(used)
  })

  test('of a model without a price is told as such, not as free', async () => {
    const { agent } = await llmTeam(() => 'done')
    expect((await agent().send('begin')).usage).toMatchObject({ steps: 1, costUsd: 0, unpricedSteps: 1 })
  })
})

test('a limit ends the turn by its name, what was done is kept, and the next message goes on', async () => {
  const { agent, server } = await llmTeam(() => call('list', {}), { coder: { limits: { maxSteps: 2 } } })
  const reached = { status: 'failed', error: { code: 'limit_reached', data: { limit: 'maxSteps' } } }
  expect(await agent().send('begin')).toMatchObject(reached)
  expect(server.requests).toHaveLength(2)
  expect(await agent().send('again')).toMatchObject(reached)
  expect(server.requests).toHaveLength(4)
  expect(server.refused).toEqual([])
})

test('a conversation that fills the window is summed up for the model, and stays whole in the session', async () => {
  const { agent, server, memory } = await llmTeam(
    ({ system, messages }) => {
      if (system.startsWith('You sum up')) return 'THE SUMMARY'
      return messages.length > 0 ? `answer ${'x'.repeat(1_000)}` : ''
    },
    { coder: { contextTokens: 2_000 } },
  )
  let compacted = 0
  for (let turn = 0; turn < 8; turn++) {
    const events = await eventsOf(agent(), `message ${turn} ${'y'.repeat(500)}`)
    compacted += events.filter(({ type }) => type === 'compacted').length
    expect(events.at(-1)).toMatchObject({ outcome: { status: 'completed' } })
  }
  expect(compacted).toBeGreaterThan(0)
  expect(server.requests.at(-1)?.messages[0]?.content).toContain('THE SUMMARY')
  expect(server.requests.at(-1)?.messages.length).toBeLessThan(10)
  const kept = said(await memory())
  expect(kept).toHaveLength(16)
  expect(kept[0]).toContain('message 0')
  expect(server.refused).toEqual([])
})

test('a secret that a tool prints is in no file, no event, no stream and no request', async () => {
  const secret = 'sk-7f3a9c1e5b2d8046'
  process.env['LEAKY_API_KEY'] = secret
  onTestFinished(() => void delete process.env['LEAKY_API_KEY'])
  const { agent, team, server, workingDir, data, memory } = await llmTeam((_, index) =>
    index === 0
      ? [
          call('read', { path: 'file' }),
          call('shell', { command: 'echo $LEAKY_API_KEY; cat file; base64 file' }),
        ]
      : 'done',
  )
  writeFileSync(join(workingDir, 'file'), secret)
  const seen: TeamEvent[] = []
  const stop = new AbortController()
  const reading = (async () => {
    for await (const event of team.events({ signal: stop.signal })) seen.push(event)
  })().catch(() => undefined)
  const streamed = await eventsOf(agent(), 'look')
  await agent().saveSession()
  stop.abort()
  await reading
  const encoded = Buffer.from(secret).toString('base64')
  const files = readdirSync(data, { recursive: true, encoding: 'utf8' })
    .map((name) => join(data, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'utf8'))
  const asked = server.requests.map(({ body }) => JSON.stringify(body))
  for (const text of [JSON.stringify(streamed), JSON.stringify(seen), ...files, ...asked]) {
    expect(text).not.toContain(secret)
    expect(text).not.toContain(encoded)
  }
  expect(seen.length).toBeGreaterThan(0)
  expect(JSON.stringify(await memory())).toContain('[redacted:LEAKY_API_KEY]')
  expect(asked.at(-1)).toContain('[redacted:LEAKY_API_KEY]')
})

test('a secret in a file outlasts an agent that writes the file back, by its mark or by its value', async () => {
  const secret = 'sk-51c0ffee7b2d8046'
  process.env['KEPT_API_KEY'] = secret
  onTestFinished(() => void delete process.env['KEPT_API_KEY'])
  const mark = '[redacted:KEPT_API_KEY]'
  const replies = [
    [call('read', { path: '.env' })],
    [call('write', { path: '.env', content: `PORT=2\nKEY=${mark}\n` })],
    [call('write', { path: '.env', content: `PORT=2\nKEY=${secret}\n` })],
    [call('edit', { path: '.env', oldText: 'PORT=1', newText: 'PORT=2' })],
  ]
  const { agent, server, workingDir, memory } = await llmTeam((_, index) => replies[index] ?? 'done')
  writeFileSync(join(workingDir, '.env'), `PORT=1\nKEY=${secret}\n`)
  expect(await agent().send('set the port')).toMatchObject({ status: 'completed' })
  expect(readFileSync(join(workingDir, '.env'), 'utf8')).toBe(`PORT=2\nKEY=${secret}\n`)
  const results = (await memory()).filter(({ role }) => role === 'tool')
  expect(results.map(({ outcome }) => outcome)).toEqual(['ok', 'error', 'error', 'ok'])
  for (const { content } of results.slice(1, 3)) expect(content).toContain(`the input holds ${mark}`)
  expect(JSON.stringify(server.requests.at(-1)?.body)).toContain(`the input holds ${mark}`)
})

test('without a key the failure names the variable to set and the local servers that need none', async () => {
  const { team, workingDir } = await llmTeam(() => 'never')
  const agent = await team.spawn(specOf('keyless', workingDir, { model: 'openrouter/some/model' }))
  const { status, error } = await agent.send('hello')
  expect([status, error?.code]).toEqual(['failed', 'model_unavailable'])
  for (const part of ['OPENROUTER_API_KEY', 'ANTHROPIC_API_KEY', 'Ollama', 'LM Studio'])
    expect(error?.message).toContain(part)
})

describe('a conversation with tool calls of one provider', () => {
  test.each([
    ['fake/m', 'claude/m'],
    ['claude/m', 'fake/m'],
  ])('begun with %s goes on with %s and back, in another team and in the same', async (first, second) => {
    const reply = (_: unknown, index: number) =>
      index % 2 === 0 ? ['I look.', call('list', {}), call('shell', { command: 'echo x' })] : 'done'
    const { agent, team, server, workingDir, data } = await llmTeam(reply, { coder: { model: first } })
    expect(await agent().send('begin')).toMatchObject({ status: 'completed' })
    const sessionId = agent().currentSession()?.id ?? ''
    await team.close({ graceMs: 0 })
    const later = await openTeam({
      data,
      providers: providersOf(server),
      agents: [specOf('coder', workingDir, { model: second })],
    })
    await later.agent('coder')?.loadSession(sessionId)
    expect(await later.agent('coder')?.send('on')).toMatchObject({ status: 'completed', sessionId })
    await later.removeAgent('coder')
    const again = await later.spawn(specOf('coder', workingDir, { model: first }))
    await again.loadSession(sessionId)
    expect(await again.send('and back')).toMatchObject({ status: 'completed', sessionId })
    expect(server.refused).toEqual([])
    expect(new Set(server.requests.map(({ protocol }) => protocol))).toEqual(new Set(['openai', 'anthropic']))
    expect(server.requests.at(-1)?.messages.filter(({ role }) => role === 'tool')).toHaveLength(6)
  })
})
