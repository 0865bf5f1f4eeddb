import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { AgentSpec } from '../../src/agent-spec.ts'
import { DEFAULT_RESTART } from '../../src/core/restart-policy.ts'
import { openRegistry } from '../../src/store/agent-registry.ts'
import { createDurableFs, systemCalls } from '../../src/store/durable-fs.ts'

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agentry-registry-'))
  mkdirSync(join(directory, '.agentry', 'quarantine'), { recursive: true })
  file = join(directory, '.agentry', 'agents.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

function spec(id: string, overrides: Partial<AgentSpec> = {}): AgentSpec {
  return {
    id,
    role: 'Writes code',
    behavior: 'shell',
    instructions: 'Be brief.',
    workingDir: '/home/me/project',
    restart: DEFAULT_RESTART,
    limits: { memoryMb: 512, turnMs: 600_000 },
    ...overrides,
  }
}

const LLM: NonNullable<AgentSpec['llm']> = {
  model: 'mine/large',
  fallbacks: ['ollama/small'],
  tools: ['read', '/tools/mine.ts'],
  permissions: { '*': 'ask', shell: { allow: ['ls'], deny: ['rm *'], default: 'ask' } },
  mcpServers: {
    files: { type: 'stdio', command: 'npx', args: ['-y'], env: { A: '1' }, envFrom: ['B'], startMs: 1 },
    web: { type: 'http', url: 'http://127.0.0.1/mcp', headers: { C: '2' }, tokenEnv: 'D', startMs: 2 },
  },
  allowedPaths: ['/opt'],
  maxOutputTokens: 10,
  temperature: 0,
  contextTokens: 128_000,
  approvalMs: 3_600_000,
}

const ids = (): string[] =>
  openRegistry(directory)
    .all()
    .map((agent) => agent.spec.id)

describe('the registry of agents', () => {
  test('is empty in a new directory, and makes no file before it has something to say', () => {
    expect(openRegistry(directory).all()).toEqual([])
    expect(readdirSync(join(directory, '.agentry'))).toEqual(['quarantine'])
  })

  test('brings back every agent whole, in the order of their start', () => {
    const registry = openRegistry(directory)
    registry.put(spec('zoe', { restart: { type: 'transient', maxRestarts: 1, withinMs: 2 } }))
    registry.put(spec('adam'), true)
    const again = openRegistry(directory)
    expect(again.all()).toEqual(registry.all())
    expect(again.all()).toEqual([
      { spec: spec('zoe', { restart: { type: 'transient', maxRestarts: 1, withinMs: 2 } }), stopped: false },
      { spec: spec('adam'), stopped: true },
    ])
    expect(again.notes).toEqual([])
  })

  test('brings back an agent that asks models whole, down to the order of its keys', () => {
    const limits = { memoryMb: 1, turnMs: 2, maxSteps: 3, maxTokens: 4, maxCostUsd: 5, sessionTokens: 6 }
    const coder = spec('coder', { behavior: 'llm', limits: { ...limits, sessionCostUsd: 7 }, llm: LLM })
    openRegistry(directory).put(coder)
    expect(JSON.stringify(openRegistry(directory).get('coder')?.spec)).toBe(JSON.stringify(coder))
  })

  test('does not take settings of models that are damaged', () => {
    openRegistry(directory).put(spec('coder', { behavior: 'llm', llm: LLM }))
    writeFileSync(file, readFileSync(file, 'utf8').replace('"approvalMs": 3600000', '"approvalMs": "soon"'))
    const { notes } = openRegistry(directory)
    expect(notes.map((note) => note.message).join()).toMatch(
      /agents.json could not be understood .*approvalMs/s,
    )
  })

  test('replaces an agent where it stands, and takes one out', () => {
    const registry = openRegistry(directory)
    for (const id of ['a', 'b', 'c']) registry.put(spec(id))
    registry.put(spec('b', { role: 'Reviews' }))
    expect(openRegistry(directory).get('b')?.spec.role).toBe('Reviews')
    expect(ids()).toEqual(['a', 'b', 'c'])
    expect(registry.remove('a')).toBe(true)
    expect(registry.remove('a')).toBe(false)
    expect(ids()).toEqual(['b', 'c'])
  })

  test('keeps whether an agent was stopped', () => {
    const registry = openRegistry(directory)
    registry.put(spec('a'))
    registry.setStopped('a', true)
    expect(openRegistry(directory).get('a')?.stopped).toBe(true)
    registry.setStopped('a', false)
    expect(openRegistry(directory).get('a')?.stopped).toBe(false)
    expect(() => registry.setStopped('b', true)).toThrowError(
      expect.objectContaining({ code: 'agent_not_found' }),
    )
  })

  test('is a file for its owner alone, that people can read', () => {
    openRegistry(directory).put(spec('a'))
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readFileSync(file, 'utf8')).toContain('\n      "spec": {\n        "id": "a",\n')
  })

  test('does not hand out what a later change would change', () => {
    const registry = openRegistry(directory)
    registry.put(spec('a'))
    const before = registry.all()
    registry.put(spec('b'))
    registry.setStopped('a', true)
    expect(before).toEqual([{ spec: spec('a'), stopped: false }])
  })

  const whole = JSON.stringify({ formatVersion: 1, agents: [{ spec: spec('a'), stopped: false }] })
  test.each([
    ['cut off', whole.slice(0, -20)],
    ['empty', ''],
    ['of zeros', '\0'.repeat(100)],
    ['another program’s', '{"agents": "mine"}'],
    [
      'with an agent that lacks a part',
      JSON.stringify({ formatVersion: 1, agents: [{ spec: { id: 'a' } }] }),
    ],
    [
      'with an agent twice',
      JSON.stringify({
        formatVersion: 1,
        agents: ['a', 'a'].map((id) => ({ spec: spec(id), stopped: false })),
      }),
    ],
  ])('sets a file that is %s aside, says so, and starts empty', (_, content) => {
    writeFileSync(file, content)
    const registry = openRegistry(directory)
    expect(registry.all()).toEqual([])
    expect(registry.notes).toMatchObject([
      { kind: 'damage', message: expect.stringContaining(file) as string },
    ])
    expect(readFileSync(join(directory, '.agentry', 'quarantine', 'agents.json'), 'utf8')).toBe(content)
    registry.put(spec('new'))
    expect(ids()).toEqual(['new'])
  })

  test('keeps every file that it set aside', () => {
    for (const content of ['one', 'two']) {
      writeFileSync(file, content)
      openRegistry(directory)
    }
    const quarantine = join(directory, '.agentry', 'quarantine')
    const kept = readdirSync(quarantine).map((name) => readFileSync(join(quarantine, name), 'utf8'))
    expect(kept.sort()).toEqual(['one', 'two'])
  })

  test('sets a symlink in its place aside, and does not touch what it points to', () => {
    const target = join(directory, 'elsewhere')
    writeFileSync(target, whole)
    symlinkSync(target, file)
    const registry = openRegistry(directory)
    expect(registry.all()).toEqual([])
    expect(registry.notes).toHaveLength(1)
    registry.put(spec('new'))
    expect(readFileSync(target, 'utf8')).toBe(whole)
  })

  test('refuses a file of a newer version, and leaves it as it is', () => {
    const newer = JSON.stringify({ formatVersion: 2, agents: { a: {} } })
    writeFileSync(file, newer)
    expect(() => openRegistry(directory)).toThrowError(
      expect.objectContaining({ code: 'unsupported_format' }),
    )
    expect(readFileSync(file, 'utf8')).toBe(newer)
    expect(readdirSync(join(directory, '.agentry', 'quarantine'))).toEqual([])
  })

  test('stays as it was where a change could not be written, and takes the next one', () => {
    let full = false
    const fs = createDurableFs({
      ...systemCalls,
      write: (...args) => {
        if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
        return systemCalls.write(...args)
      },
    })
    const registry = openRegistry(directory, fs)
    registry.put(spec('a'))
    full = true
    for (const change of [
      () => registry.put(spec('b')),
      () => registry.remove('a'),
      () => registry.setStopped('a', true),
    ]) {
      expect(change).toThrowError(expect.objectContaining({ code: 'storage_full' }))
      expect(registry.all()).toEqual([{ spec: spec('a'), stopped: false }])
      expect(openRegistry(directory).all()).toEqual(registry.all())
    }
    full = false
    registry.put(spec('b'))
    expect(ids()).toEqual(['a', 'b'])
  })

  test('says when it cannot be read, and leaves it as it is', () => {
    writeFileSync(file, whole)
    const fs = createDurableFs({
      ...systemCalls,
      read: () => {
        throw Object.assign(new Error('i/o error'), { code: 'EIO' })
      },
    })
    expect(() => openRegistry(directory, fs)).toThrowError(
      expect.objectContaining({ code: 'storage_failed' }),
    )
    expect(readFileSync(file, 'utf8')).toBe(whole)
  })

  test('syncs the file and its folder before a change returns', () => {
    const calls: string[] = []
    const fs = createDurableFs({
      ...systemCalls,
      fsync: (fd) => {
        calls.push('fsync')
        systemCalls.fsync(fd)
      },
      rename: (from, to) => {
        calls.push('rename')
        systemCalls.rename(from, to)
      },
    })
    openRegistry(directory, fs).put(spec('a'))
    expect(calls).toEqual(['fsync', 'rename', 'fsync'])
  })
})
