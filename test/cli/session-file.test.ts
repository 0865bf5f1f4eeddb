import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import { parseSessionFile } from '../../src/cli/sessions/session-file.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { errorWith } from '../error-with.ts'
import { createCli } from './harness.ts'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.json`, import.meta.url))
const origin = { name: 'the-file', nowMs: Date.parse('2026-01-02T03:04:05.000Z') }
const parse = (name: string) => parseSessionFile(readFileSync(fixture(name), 'utf8'), origin)

describe('a session file of the original Agentry', () => {
  test('gives name, directory, prompt, vars and metadata, and where it comes from', () => {
    const { session, agentId, notes } = parse('go-session')
    expect(agentId).toBe('coder')
    expect(notes).toEqual([])
    expect(session).toMatchObject({
      name: 'fix-login',
      description: 'The login form loses its state',
      status: 'suspended',
      workingDir: '/home/marta/shop',
      prompt: 'You are a careful Go programmer.',
      vars: { GOFLAGS: '-mod=mod', TICKET: 'SHOP-117' },
      metadata: {
        branch: 'fix/login',
        attempts: 2,
        importedFrom: {
          format: 'go',
          id: '3f2b8c1e-6a47-4d0b-9c55-0f1e2d3c4b5a',
          agentId: 'coder',
          createdAt: '2025-06-14T07:12:45.123Z',
        },
      },
    })
  })

  test('gives each step as an answer with its calls and their results, in the order of the calls', () => {
    const at = '2025-06-14T09:40:02.000Z'
    const { memory } = parse('go-session').session
    expect(memory).toMatchObject([
      {
        role: 'assistant',
        content: 'I will look at the handler first.',
        at,
        toolCalls: [{ toolCallId: 'call_9xKq', name: 'view', input: { path: 'internal/web/login.go' } }],
      },
      {
        role: 'tool',
        toolCallId: 'call_9xKq',
        content: 'package web\n\nfunc login(w http.ResponseWriter, r *http.Request) {\n',
      },
      {
        role: 'assistant',
        content: '',
        toolCalls: [
          {
            toolCallId: 'call_b',
            name: 'edit_range',
            input: { path: 'internal/web/login.go', from: 3, to: 4 },
          },
          { toolCallId: 'call_a', name: 'bash', input: { command: 'go test ./...' } },
        ],
      },
      { role: 'tool', toolCallId: 'call_b', content: 'edited 2 lines' },
      { role: 'tool', toolCallId: 'call_a', content: 'ok  \tshop/internal/web\t0.41s\n' },
      { role: 'assistant', content: 'The form keeps its state now: ✓ tests pass.' },
    ])
    expect(memory[5]).not.toHaveProperty('toolCalls')
    expect(new Set(memory.map(({ turnId }) => turnId)).size).toBe(3)
  })

  test('may have nothing in it but nulls and times that were never set', () => {
    const { session, agentId } = parse('go-session-empty')
    expect(agentId).toBe('f81d4fae-7dec-41d0-a765-00a0c91e6bf6')
    expect(session).toEqual({
      name: 'the-file',
      description: '',
      status: 'suspended',
      prompt: '',
      vars: {},
      metadata: { importedFrom: { format: 'go', id: '', agentId } },
      memory: [],
    })
  })

  test('is read liberally: names in any form, arguments as JSON or text, values that are no text', () => {
    const { session, notes } = parse('go-session-loose')
    expect(session).toMatchObject({
      name: 'the-file',
      status: 'terminated',
      workingDir: 'C:\\work\\notes',
      vars: { retries: '3', debug: 'true', filters: '["a","b"]', nothing: '' },
      metadata: { source: 'import test', importedFrom: { vars: { 'user.name': 'marta', '2nd': 'x' } } },
    })
    expect(session.vars).not.toHaveProperty('user.name')
    expect(notes).toHaveLength(2)
    expect(session.memory).toMatchObject([
      {
        at: '2025-03-01T08:00:00.000Z',
        content: 'Searching.',
        toolCalls: [
          { toolCallId: 'c1', name: 'web_search', input: { query: 'sessions' } },
          { toolCallId: 'c2', name: 'fetch', input: { url: 'https://example.com' } },
          { name: 'note', input: 'plain words, no JSON' },
        ],
      },
      { toolCallId: 'c1', content: '3 results' },
      { toolCallId: 'c2', content: '{"status":200}' },
      { toolCallId: 'c9', content: 'a result of a call that is not there' },
    ])
  })

  test('may have a name of two lines, which becomes one', () => {
    const text = JSON.stringify({ agent_id: 'a', memory: null, name: 'fix\n the login' })
    expect(parseSessionFile(text, origin).session.name).toBe('fix the login')
  })

  test('is told from other JSON', () => {
    for (const text of ['{}', '[]', 'null', '1', '{"name":"x","version":"1.0.0"}', '{"memory":[]}']) {
      expect(() => parseSessionFile(text, origin)).toThrow(
        errorWith('invalid_input', 'expected a session that'),
      )
    }
    for (const text of ['', 'agent_id: coder', '{"agent_id":']) {
      expect(() => parseSessionFile(text, origin)).toThrow(errorWith('invalid_input', 'in JSON'))
    }
  })

  test('is refused where it holds what no session can keep', () => {
    const memory = `${'['.repeat(10_000)}${']'.repeat(10_000)}`
    expect(() => parseSessionFile(`{"agent_id":"a","vars":{},"memory":${memory}}`, origin)).toThrow(
      errorWith('invalid_input', 'levels of nesting'),
    )
    expect(() => parseSessionFile('{"agent_id":"a","vars":{"__proto__":"x"}}', origin)).toThrow(
      errorWith('invalid_input', '__proto__'),
    )
  })
})

describe('an exported session', () => {
  const state = {
    formatVersion: 1,
    id: '01a20fa7-598a-75f0-b0ca-4141dca7ccf9',
    agentId: 'main',
    name: 'work',
    description: '',
    status: 'active',
    createdAt: '2026-01-01T00:00:00.000Z',
    workingDir: '/tmp',
    prompt: '',
    vars: { K: '1' },
    metadata: { a: [1, null] },
    turn: null,
    queue: [],
    memory: [{ seq: 3, at: '2026-01-01T00:00:00.000Z', turnId: 't', role: 'user', content: 'hello' }],
  }

  test('comes back suspended, with its conversation', () => {
    expect(parseSessionFile(JSON.stringify(state), origin)).toMatchObject({
      agentId: 'main',
      notes: [],
      session: {
        name: 'work',
        status: 'suspended',
        vars: { K: '1' },
        metadata: { a: [1, null], importedFrom: { id: state.id, agentId: 'main' } },
        memory: [{ seq: 1, turnId: 't', role: 'user', content: 'hello' }],
      },
    })
  })

  test('stays terminated, and says what is not imported', () => {
    const { session, notes } = parseSessionFile(
      JSON.stringify({ ...state, status: 'terminated', queue: [{ input: 'next' }] }),
      origin,
    )
    expect(session.status).toBe('terminated')
    expect(notes).toEqual([expect.stringContaining('queued messages are not imported')])
  })

  test('of a newer version is refused as that', () => {
    expect(() => parseSessionFile(JSON.stringify({ ...state, formatVersion: 2 }), origin)).toThrow(
      errorWith('unsupported_format', 'received 2'),
    )
  })

  test('that somebody changed by hand is refused with what is wrong', () => {
    const broken = { ...state, memory: [{ ...state.memory[0], role: 'system' }], vars: { K: 1 } }
    expect(() => parseSessionFile(JSON.stringify(broken), origin)).toThrow(
      errorWith(
        'invalid_input',
        /vars\.K: expected string.*\n.*memory\[0\]\.role: expected one of user, assistant, tool/,
      ),
    )
  })
})

describe('sessions import', () => {
  test.each(['go-session', 'go-session-empty', 'go-session-loose'])('takes %s in, whole', async (name) => {
    const cli = createCli()
    writeFileSync(
      join(cli.cwd, 'agentry.yaml'),
      'agents: [{ id: main, behavior: echo }, { id: coder, behavior: echo }]\n',
    )
    const imported = await cli.json<SessionInfo>('sessions', 'import', fixture(name))
    const { session } = parse(name)
    expect(imported).toMatchObject({
      agentId: name === 'go-session' ? 'coder' : 'main',
      current: false,
      status: session.status,
      counts: { entries: session.memory.length },
    })
    const state = await cli.json<SessionState>('sessions', 'show', imported.id)
    expect(state.memory.map(({ role, content }) => ({ role, content }))).toEqual(
      session.memory.map(({ role, content }) => ({ role, content })),
    )
  })

  test('goes on where the old session ended', async () => {
    const cli = createCli()
    writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agents: [{ id: coder, behavior: echo }]\n')
    await cli.run('sessions', 'import', fixture('go-session'))
    expect(await cli.run('send', 'coder', '--session', 'fix-login', 'go on')).toMatchObject({
      code: 0,
      stdout: 'go on',
    })
    const { memory } = await cli.json<SessionState>('sessions', 'show', 'fix-login')
    expect(memory).toHaveLength(8)
  })

  test('refuses a file that is not there, and changes nothing', async () => {
    const cli = createCli()
    expect(await cli.fail('sessions', 'import', 'none.json')).toMatchObject({
      code: 2,
      error: { code: 'invalid_input' },
    })
  })
})
