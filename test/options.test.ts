import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentSpecInput } from '../src/api.ts'
import { defaultModel, resolveModels } from '../src/model-options.ts'
import { BUILT_IN_PROVIDERS, BUILT_IN_TOOLS } from '../src/llm-spec.ts'
import { resolveAgentSpec, resolveTeamLimits, TEAM_DEFAULTS } from '../src/options.ts'
import { errorWith } from './error-with.ts'

let base: string

beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'agentry-options-'))
  writeFileSync(join(base, 'behavior.mjs'), 'export default { run: () => "" }\n')
})

afterAll(() => {
  rmSync(base, { recursive: true })
})

/** For what a program without types could pass. */
const resolveAnything = (input: unknown) => resolveAgentSpec(input as AgentSpecInput, base, {}, {})

describe('the spec of an agent', () => {
  test('needs only an id and a behavior', () => {
    expect(resolveAgentSpec({ id: 'ops', behavior: 'shell' }, base)).toEqual({
      id: 'ops',
      role: '',
      behavior: 'shell',
      instructions: '',
      workingDir: base,
      restart: { type: 'permanent', maxRestarts: 5, withinMs: 60_000 },
      limits: { memoryMb: 512, turnMs: 600_000 },
    })
  })

  test('keeps what is given, and fills in the rest of a part that is given in part', () => {
    const spec = resolveAgentSpec(
      {
        id: 'coder',
        behavior: 'echo',
        role: 'Writes code',
        instructions: 'Be brief.',
        restart: { type: 'transient' },
        limits: { memoryMb: 64 },
      },
      base,
    )
    expect(spec).toMatchObject({
      role: 'Writes code',
      instructions: 'Be brief.',
      restart: { type: 'transient', maxRestarts: 5 },
      limits: { memoryMb: 64, turnMs: 600_000 },
    })
  })

  test('resolves paths from the folder that it is given in, also of a directory that does not exist yet', () => {
    const spec = resolveAgentSpec({ id: 'a', behavior: './behavior.mjs', workingDir: 'later' }, base)
    expect(spec).toMatchObject({ behavior: join(base, 'behavior.mjs'), workingDir: join(base, 'later') })
  })

  test('gives itself when it is resolved again, from anywhere', () => {
    const spec = resolveAgentSpec({ id: 'a', behavior: './behavior.mjs', workingDir: 'w' }, base)
    expect(resolveAgentSpec(spec, '/')).toEqual(spec)
  })

  test.each(['', 'A', '../x', 'a b', '-a', 'a'.repeat(65), 'a\0'])('refuses %j as an id', (id) => {
    expect(() => resolveAgentSpec({ id, behavior: 'shell' }, base)).toThrow(
      errorWith('invalid_id', 'received'),
    )
  })

  test('refuses a behavior that is neither a name nor a file, and says which names there are', () => {
    expect(() => resolveAgentSpec({ id: 'a', behavior: 'shel' }, base)).toThrow(
      errorWith(
        'invalid_config',
        /^behavior: expected llm, shell, echo or the path of a module, received "shel".*did you mean "shell"\?$/,
      ),
    )
    expect(() => resolveAgentSpec({ id: 'a', behavior: '.' }, base)).toThrow('is not a file')
    expect(() => resolveAgentSpec({ id: 'a', behavior: 'a\0b' }, base)).toThrow(errorWith('invalid_config'))
  })

  test.each<[unknown, string]>([
    [{ id: 'a', behaviour: 'shell' }, 'behaviour: unknown key; did you mean "behavior"?'],
    [{ id: 'a' }, 'behavior: expected string, received nothing'],
    [{ behavior: 'shell' }, 'id: expected string, received nothing'],
    [
      { id: 'a', behavior: 'shell', limits: { memoryMb: 0 } },
      'limits.memoryMb: expected more than 0, received 0',
    ],
    [
      { id: 'a', behavior: 'shell', limits: { memoryMb: NaN } },
      'limits.memoryMb: expected number, received NaN',
    ],
    [{ id: 'a', behavior: 'shell', limits: { turnMs: 1.5 } }, 'limits.turnMs: expected int, received 1.5'],
    [
      { id: 'a', behavior: 'shell', restart: { type: 'permament' } },
      'restart.type: expected one of permanent, transient, temporary, received "permament"; did you mean "permanent"?',
    ],
    [
      { id: 'a', behavior: 'shell', restart: { maxRestarts: -1 } },
      'restart.maxRestarts: expected at least 0, received -1',
    ],
    [{ id: 'a', behavior: 'shell', role: '\ud800' }, 'role: expected well-formed Unicode text'],
    [{ id: 'a', behavior: 'shell', workingDir: 'a\0' }, 'workingDir: expected a path, without NUL'],
    ['ops', 'expected object, received "ops"'],
    [null, 'expected object, received null'],
  ])('refuses %j with what was expected and received', (input, message) => {
    expect(() => resolveAnything(input)).toThrow(errorWith('invalid_config', message))
  })

  test('names all that is wrong at once', () => {
    expect(() => resolveAnything({ id: 'a', behavior: 'shell', rol: '', limit: {} })).toThrow(
      'rol: unknown key; did you mean "role"?\nlimit: unknown key; did you mean "limits"?',
    )
  })
})

describe('the spec of an agent that asks models', () => {
  const LLM = { id: 'coder', behavior: 'llm', model: 'ollama/qwen3-coder' }

  test('needs only a model more, and has every default', () => {
    const spec = resolveAgentSpec(LLM, base)
    expect(spec.limits).toEqual({ memoryMb: 512, turnMs: 600_000, maxSteps: 50, maxTokens: 500_000 })
    expect(spec.llm).toEqual({
      model: 'ollama/qwen3-coder',
      fallbacks: [],
      tools: BUILT_IN_TOOLS.filter((name) => name !== 'fetch'),
      permissions: {},
      mcpServers: {},
      allowedPaths: [],
      contextTokens: 128_000,
      approvalMs: 3_600_000,
    })
    expect(Object.keys(spec)).not.toContain('model')
  })

  test('gives itself when it is resolved again, from anywhere, down to the order of its keys', () => {
    const spec = resolveAgentSpec(
      {
        ...LLM,
        tools: ['./behavior.mjs', 'read'],
        allowedPaths: ['shared'],
        mcpServers: { s: { type: 'stdio', command: '../serve' } },
        permissions: { shell: { deny: ['rm *'], allow: ['ls'] } },
        limits: { maxCostUsd: 2, memoryMb: 64 },
      },
      base,
    )
    expect(spec.llm?.tools).toEqual([join(base, 'behavior.mjs'), 'read'])
    expect(spec.llm?.allowedPaths).toEqual([join(base, 'shared')])
    expect(spec.llm?.mcpServers['s']).toMatchObject({ command: join(base, '../serve') })
    expect(JSON.stringify(resolveAgentSpec(spec, '/'))).toBe(JSON.stringify(spec))
  })

  test('has the model that the environment has a key for where it names none, and is refused without any', () => {
    const { model: _model, ...unnamed } = LLM
    expect(resolveAgentSpec(unnamed, base, {}, { ANTHROPIC_API_KEY: 'k' }).llm?.model).toMatch(
      /^anthropic\/./,
    )
    expect(() => resolveAgentSpec(unnamed, base, {}, { ANTHROPIC_API_KEY: ' ' })).toThrow(
      errorWith('invalid_config', /^model: expected provider\/model.*OPENAI_API_KEY.*Ollama.*LM Studio/),
    )
  })

  test('may ask the team’s own providers, and no others', () => {
    const spec = { ...LLM, model: 'mine/x' }
    const { providers } = resolveModels({ providers: { mine: { type: 'openai' } } })
    expect(resolveAgentSpec(spec, base, providers).llm?.model).toBe('mine/x')
    expect(() => resolveAgentSpec(spec, base)).toThrow(
      errorWith('invalid_config', 'model: expected a provider of the team (openai,'),
    )
  })

  test.each<[object, string]>([
    [{ model: 'ollama' }, 'model: expected provider/model'],
    [{ model: 'ollama/' }, 'model: expected provider/model'],
    [{ model: 5 }, 'model: expected string, received 5'],
    [{ tools: ['sheel'] }, 'received "sheel"; did you mean "shell"?'],
    [{ tools: ['behavior.mjs'] }, 'tools[0]: expected one of read,'],
    [{ tools: ['./none.mjs'] }, '(ENOENT'],
    [{ tools: ['./a\0b'] }, 'tools[0]: expected one of read,'],
    [{ tools: ['./'] }, 'is not a file'],
    [{ tools: ['read', 'read'] }, 'tools[1]: "read" is named twice'],
    [{ allowedPaths: ['a\0'] }, 'allowedPaths[0]: expected a path, without NUL'],
    [{ maxOutputTokens: 0 }, 'maxOutputTokens: expected more than 0, received 0'],
    [{ temperature: 3 }, 'temperature: expected at most 2, received 3'],
    [{ approvalMs: 2 ** 31 }, 'approvalMs: expected at most 2147483647'],
    [{ limits: { maxSteps: 0.5 } }, 'limits.maxSteps: expected int, received 0.5'],
    [{ limits: { maxCostUsd: 0 } }, 'limits.maxCostUsd: expected more than 0, received 0'],
  ])('refuses %j with what was expected and received', (input, message) => {
    expect(() => resolveAnything({ ...LLM, ...input })).toThrow(errorWith('invalid_config', message))
  })

  test.each<[object, string]>([
    [{ model: 'ollama/x' }, 'model'],
    [{ fallbacks: [] }, 'fallbacks'],
    [{ tools: ['read'] }, 'tools'],
    [{ permissions: {} }, 'permissions'],
    [{ mcpServers: {} }, 'mcpServers'],
    [{ allowedPaths: [] }, 'allowedPaths'],
    [{ maxOutputTokens: 1 }, 'maxOutputTokens'],
    [{ temperature: 0 }, 'temperature'],
    [{ contextTokens: 1 }, 'contextTokens'],
    [{ approvalMs: 1 }, 'approvalMs'],
    [{ limits: { maxSteps: 1 } }, 'limits.maxSteps'],
    [{ limits: { maxTokens: 1 } }, 'limits.maxTokens'],
    [{ limits: { maxCostUsd: 1 } }, 'limits.maxCostUsd'],
    [{ limits: { sessionTokens: 1 } }, 'limits.sessionTokens'],
    [{ limits: { sessionCostUsd: 1 } }, 'limits.sessionCostUsd'],
  ])('refuses %j for another behavior, by its name', (input, key) => {
    for (const behavior of ['shell', './behavior.mjs']) {
      expect(() => resolveAnything({ id: 'a', behavior, ...input })).toThrow(
        errorWith('invalid_config', `${key}: only for behavior llm`),
      )
    }
  })
})

describe('the models of a team', () => {
  test('are none where none is given', () => {
    expect(resolveModels({})).toEqual({ providers: {}, prices: {} })
  })

  test('are refused with every problem, a line for each', () => {
    const prices = { 'x/y': { input: 1, output: 1 } }
    expect(() => resolveModels({ prices, providers: {} })).toThrow(
      errorWith('invalid_config', 'prices.x/y: expected a provider of the team'),
    )
    expect(() =>
      resolveModels({ providers: { p: { type: 'x' }, q: { type: 'openai', apiKey: 'k' } } }),
    ).toThrow(errorWith('invalid_config', /^providers.p.type: .*\nproviders.q.apiKey: .*apiKeyEnv$/))
  })

  test('have a default for each built-in provider that takes a key, the first that is set', () => {
    for (const [name, { apiKeyEnv }] of Object.entries(BUILT_IN_PROVIDERS)) {
      if (apiKeyEnv === undefined) continue
      expect(defaultModel({ [apiKeyEnv]: 'k' }), name).toMatch(new RegExp(`^${name}/\\S+$`))
    }
    expect(defaultModel({ OPENROUTER_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' })).toMatch(/^anthropic\//)
    expect(defaultModel({ OPENAI_API_KEY: ' ', HOME: '/' })).toBeUndefined()
  })
})

describe('the limits of a team', () => {
  test('have a default each', () => {
    expect(resolveTeamLimits()).toEqual(TEAM_DEFAULTS.limits)
    expect(resolveTeamLimits({ threads: 4 })).toEqual({ ...TEAM_DEFAULTS.limits, threads: 4 })
  })

  test('are positive', () => {
    expect(() => resolveTeamLimits({ messageBytes: 0 })).toThrow(errorWith('invalid_config', 'messageBytes'))
  })
})
