import { describe, expect, test } from 'vitest'
import type { Agent, SendOptions, Team } from '../../src/api.ts'
import type { ImportedSession } from '../../src/protocol/commands.ts'
import { errorWith } from '../error-with.ts'
import { openTeam } from '../fakes/open-team.ts'

async function open(): Promise<{ team: Team; agent: Agent }> {
  const team = await openTeam({ host: 'in-process', limits: { messageBytes: 1_000 } })
  return { team, agent: await team.spawn({ id: 'a', behavior: 'echo' }) }
}

const entry = { at: '2026-01-01T00:00:00.000Z', turnId: 't', role: 'user', content: 'hello' }
const session = { name: 'old', status: 'suspended', memory: [entry] }

describe('a session that is imported', () => {
  const importing = (agent: Agent, value: unknown) => agent.importSession(value as ImportedSession)

  test('keeps its conversation and nothing that a session has not', async () => {
    const { team, agent } = await open()
    const answer = {
      ...entry,
      seq: 9,
      role: 'assistant',
      toolCalls: [{ toolCallId: 'c', name: 'shell', input: { command: ['ls', null] } }],
      usage: { inputTokens: 3, outputTokens: 4 },
      colour: 'green',
    }
    const { id, status } = await importing(agent, {
      ...session,
      status: 'active',
      description: undefined,
      vars: { K: '1' },
      metadata: { a: [1, null] },
      memory: [entry, answer],
      journalOffset: 77,
    })
    expect(status).toBe('suspended')
    const { colour: _, ...kept } = answer
    expect(await team.readSession(id)).toMatchObject({ vars: { K: '1' }, metadata: { a: [1, null] } })
    expect((await team.readSession(id)).memory).toEqual([
      { ...entry, seq: 1 },
      { ...kept, seq: 1 },
    ])
  })

  test('can be the state of another session, as it is', async () => {
    const { team, agent } = await open()
    const { sessionId } = await agent.send('hello')
    const state = await team.readSession(sessionId)
    const copy = await agent.importSession(state)
    expect((await team.readSession(copy.id)).memory.map(({ content }) => content)).toEqual(
      state.memory.map(({ content }) => content),
    )
  })

  test.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /^session: expected object, received nothing$/],
    ['a status that there is not', { ...session, status: 'bogus' }, /^status: expected one of/],
    ['a conversation that is no list', { ...session, memory: 'no' }, /^memory: expected array/],
    [
      'entries of the wrong form',
      { ...session, memory: [{ ...entry, at: 'x', role: 'robot', content: 5 }] },
      /^memory\[0\]\.at: expected a time.*\nmemory\[0\]\.role: .*\nmemory\[0\]\.content: expected string/,
    ],
    [
      'text with a lone surrogate',
      { ...session, memory: [{ ...entry, content: '\ud800' }] },
      /^memory\[0\]\.content: expected well-formed Unicode text$/,
    ],
    [
      'arguments of a tool that are no JSON',
      {
        ...session,
        memory: [{ ...entry, toolCalls: [{ toolCallId: 'c', name: 'n', input: { at: new Date() } }] }],
      },
      /^memory\[0\]\.toolCalls\[0\]\.input: value\.at: expected a plain object/,
    ],
    ['metadata that is no object', { ...session, metadata: ['a'] }, /^metadata: expected an object$/],
    ['vars that are no texts', { ...session, vars: { K: 1 } }, /^vars\.K: expected string, received 1$/],
    ['a var that the environment cannot hold', { ...session, vars: { 'a b': '1' } }, /^vars: expected names/],
    ['an empty name', { ...session, name: ' ' }, /^name: expected 1 to 200 characters/],
  ])('is refused for %s, and leaves nothing behind', async (_, value, message) => {
    const { team, agent } = await open()
    await expect(importing(agent, value)).rejects.toThrow(errorWith('invalid_input', message))
    expect(team.sessions()).toEqual([])
  })
})

describe('a message', () => {
  test('counts with its sender and metadata against the limit', async () => {
    const { agent } = await open()
    const metadata = { note: 'x'.repeat(900) }
    expect(await agent.send('x'.repeat(80), { from: 'me', metadata })).toMatchObject({ status: 'completed' })
    await expect(agent.send('x'.repeat(90), { from: 'me', metadata })).rejects.toThrow(
      errorWith('message_too_large', 'at most 1000 bytes'),
    )
    await expect(agent.post('', { metadata: { note: 'x'.repeat(5_000) } })).rejects.toThrow(
      errorWith('message_too_large'),
    )
  })

  test.each<[string, unknown, string]>([
    ['a sender that is no text', { from: 5 }, 'from: expected text, received number'],
    ['a sender with a lone surrogate', { from: '\ud800' }, 'from: expected well-formed'],
    [
      'a sender that is a text of its own',
      { from: 'x'.repeat(201) },
      'from: expected at most 200 characters',
    ],
    ['metadata that is no object', { metadata: ['a'] }, 'metadata: expected an object, received a list'],
    ['metadata that is no JSON', { metadata: { at: new Date() } }, 'metadata.at: expected a plain object'],
  ])('is refused for %s', async (_, options, message) => {
    const { agent } = await open()
    await expect(agent.send('hello', options as SendOptions)).rejects.toThrow(
      errorWith('invalid_input', message),
    )
  })
})
