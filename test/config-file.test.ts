import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configJsonSchema, loadConfig } from '../src/config-file.ts'
import { defaultModel } from '../src/model-options.ts'
import { BUILT_IN_PROVIDERS } from '../src/llm-spec.ts'
import { TEAM_DEFAULTS } from '../src/options.ts'
import { errorWith } from './error-with.ts'

let folder: string
let file: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'agentry-config-'))
  file = join(folder, 'agentry.yaml')
  mkdirSync(join(folder, 'behaviors'))
  writeFileSync(join(folder, 'behaviors', 'greet.mjs'), 'export default { run: () => "" }\n')
})

afterAll(() => {
  rmSync(folder, { recursive: true })
})

/** Without any key, whatever this machine has. */
function load(text: string, environment = {}): ReturnType<typeof loadConfig> {
  writeFileSync(file, text)
  return loadConfig(file, environment)
}

/** The names of all properties in a JSON Schema. */
function keysOf(schema: unknown, keys = new Set<string>()): Set<string> {
  if (typeof schema !== 'object' || schema === null) return keys
  for (const [name, value] of Object.entries(schema)) {
    if (name === 'properties') for (const key of Object.keys(value as object)) keys.add(key)
    keysOf(value, keys)
  }
  return keys
}

describe('agentry.yaml', () => {
  test('may be empty: then all defaults hold', () => {
    expect(load('')).toEqual({
      data: join(folder, 'sessions'),
      agents: [],
      fsync: 'always',
      limits: TEAM_DEFAULTS.limits,
      providers: {},
      prices: {},
    })
  })

  test('describes a whole team, with paths from its own folder', () => {
    const config = load(`
defaultAgent: greeter
data: ../elsewhere
agents:
  - id: ops
    behavior: shell
  - id: greeter
    role: Greets
    behavior: behaviors/greet.mjs
    instructions: |
      Be kind.
    workingDir: work
    restart: { type: transient, maxRestarts: 2, withinMs: 1000 }
    limits: { memoryMb: 64, turnMs: 5000 }
retention: { maxAge: 30d 12h, maxCount: 1000, includeSuspended: true }
fsync: interval
limits: { threads: 4 }
`)
    expect(config).toMatchObject({
      defaultAgent: 'greeter',
      data: join(folder, '../elsewhere'),
      agents: [
        { id: 'ops', workingDir: folder },
        {
          id: 'greeter',
          behavior: join(folder, 'behaviors/greet.mjs'),
          instructions: 'Be kind.\n',
          workingDir: join(folder, 'work'),
          restart: { type: 'transient', maxRestarts: 2, withinMs: 1000 },
          limits: { memoryMb: 64, turnMs: 5000 },
        },
      ],
      fsync: 'interval',
      limits: { threads: 4 },
    })
    expect(config.retention).toEqual({
      maxAgeMs: 30.5 * 86_400_000,
      maxCount: 1000,
      includeSuspended: true,
      trashAgeMs: 30 * 86_400_000,
    })
  })

  test.each([
    ['agents:\n  - id: x\n    limits: [1\nfsync: always\n', '4:1: Flow sequence'],
    ['fsync: always\nfsync: interval\n', '2:1: Map keys must be unique'],
    ['\tagents: []\n', '1:1: Tabs are not allowed as indentation'],
    ['agents: *nobody\n', '1:1: Unresolved alias'],
    [
      'agents:\n  - id: ops\n    behaviour: shell\n',
      '3:5: agents[0].behaviour: unknown key; did you mean "behavior"?',
    ],
    ['agents: [{ id: OPS, behavior: shell }]\n', '1:12: agents[0].id: expected an agent id'],
    [
      'agents:\n  - { id: a, behavior: shel }\n',
      '2:14: agents[0].behavior: expected llm, shell, echo or the path',
    ],
    ['retntion: {}\n', '1:1: retntion: unknown key; did you mean "retention"?'],
    ['agents: []\nprovider: {}\n', '2:1: provider: unknown key; did you mean "providers"?'],
    ['retention:\n  maxAge: 30 days\n', '2:3: retention.maxAge: expected a duration'],
    ['retention: { maxAge: 30 }\n', '1:14: retention.maxAge: expected string, received 30'],
    [
      'fsync: allways\n',
      '1:1: fsync: expected one of always, interval, received "allways"; did you mean "always"?',
    ],
    ['limits:\n  threads: 0\n', '2:3: limits.threads: expected more than 0, received 0'],
    [
      'agents:\n  - { id: a, behavior: shell }\n  - { id: a, behavior: echo }\n',
      '3:7: agents[1].id: there are two agents "a"',
    ],
    [
      'defaultAgent: opps\nagents: [{ id: ops, behavior: shell }]\n',
      '1:1: defaultAgent: expected the id of one of the agents, received "opps"; did you mean "ops"?',
    ],
    ['- 1\n', '1:1: expected object, received a list'],
  ])('is refused where it is wrong, at the line and column: %j', (text, message) => {
    expect(() => load(text)).toThrow(errorWith('invalid_config', `${file}:${message}`))
  })

  test('describes agents that ask models, with paths from its own folder and secrets by the names of their variables', () => {
    const config = load(`
providers:
  local: { type: openai-compatible, baseURL: 'http://127.0.0.1:8000/v1' }
  company:
    type: anthropic
    baseURL: https://models.example/anthropic
    apiKeyEnv: COMPANY_KEY
    headers: { X-Team: blue }
    headersEnv: { X-Api-Key: COMPANY_HEADER }
prices:
  local/qwen: { input: 0, output: 0 }
  anthropic/large: { input: 3, output: 15, cachedInput: 0.3 }
limits: { teamTokens: 1000000, teamCostUsd: 12.5 }
agents:
  - id: coder
    behavior: llm
    model: local/qwen/coder:32b
    fallbacks: [company/large]
    tools: [read, ./behaviors/greet.mjs]
    permissions:
      write: allow
      shell: { allow: [git status, npm test *], deny: [rm *], default: ask }
      files__*: deny
    mcpServers:
      files: { type: stdio, command: ./server, args: [-y, .], envFrom: [FILES_TOKEN] }
      tracker: { type: http, url: 'https://tracker.example/mcp', tokenEnv: TRACKER_TOKEN, startMs: 500 }
    allowedPaths: [../shared, /opt/data]
    maxOutputTokens: 4000
    temperature: 0.2
    contextTokens: 32000
    approvalMs: 60000
    limits: { maxSteps: 10, maxCostUsd: 0.5, sessionTokens: 2000000 }
`)
    expect(config.providers).toEqual({
      local: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:8000/v1', headers: {}, headersEnv: {} },
      company: {
        type: 'anthropic',
        baseURL: 'https://models.example/anthropic',
        apiKeyEnv: 'COMPANY_KEY',
        headers: { 'X-Team': 'blue' },
        headersEnv: { 'X-Api-Key': 'COMPANY_HEADER' },
      },
    })
    expect(config.prices).toEqual({
      'local/qwen': { input: 0, output: 0 },
      'anthropic/large': { input: 3, output: 15, cachedInput: 0.3 },
    })
    expect(config.limits).toEqual({ ...TEAM_DEFAULTS.limits, teamTokens: 1_000_000, teamCostUsd: 12.5 })
    expect(config.agents[0]).toMatchObject({
      id: 'coder',
      behavior: 'llm',
      limits: { maxSteps: 10, maxTokens: 500_000, maxCostUsd: 0.5, sessionTokens: 2_000_000 },
    })
    expect(config.agents[0]?.llm).toEqual({
      model: 'local/qwen/coder:32b',
      fallbacks: ['company/large'],
      tools: ['read', join(folder, 'behaviors/greet.mjs')],
      permissions: {
        write: 'allow',
        shell: { allow: ['git status', 'npm test *'], deny: ['rm *'], default: 'ask' },
        'files__*': 'deny',
      },
      mcpServers: {
        files: {
          type: 'stdio',
          command: join(folder, 'server'),
          args: ['-y', '.'],
          env: {},
          envFrom: ['FILES_TOKEN'],
          startMs: 10_000,
        },
        tracker: {
          type: 'http',
          url: 'https://tracker.example/mcp',
          headers: {},
          tokenEnv: 'TRACKER_TOKEN',
          startMs: 500,
        },
      },
      allowedPaths: [join(folder, '../shared'), '/opt/data'],
      maxOutputTokens: 4000,
      temperature: 0.2,
      contextTokens: 32_000,
      approvalMs: 60_000,
    })
  })

  const KEY = 'sk-live-5d41402abc4b2a76'

  test.each([
    [`providers: { p: { type: openai, apiKey: ${KEY} } }\n`, /1:33: providers.p.apiKey: .*apiKeyEnv$/],
    [`providers: { p: { type: openai, token: ${KEY} } }\n`, /1:33: providers.p.token: .*apiKeyEnv$/],
    [
      `providers: { p: { type: openai, apiKeyEnv: ${KEY} } }\n`,
      /1:33: providers.p.apiKeyEnv: expected the name of an environment variable$/,
    ],
    [
      `providers: { p: { type: openai, headers: { Authorization: Bearer ${KEY} } } }\n`,
      /1:\d+: providers.p.headers.Authorization: a secret .* headersEnv$/,
    ],
    [
      `providers: { p: { type: openai, baseURL: 'https://me:${KEY}@host/v1' } }\n`,
      /1:33: providers.p.baseURL: expected a URL without a name or password in it$/,
    ],
    [
      `providers: { p: { type: openai, baseURL: 'me:${KEY}@host' } }\n`,
      /1:33: providers.p.baseURL: expected a URL of http or https, received another text$/,
    ],
    [
      `agents: [{ id: a, behavior: llm, model: ollama/x, mcpServers: { s: { type: http, url: 'http://h', headers: { authorization: ${KEY} } } } }]\n`,
      /mcpServers.s.headers.authorization: a secret .* tokenEnv$/,
    ],
  ])('takes no key, wherever it is written, and does not repeat it: %j', (text, message) => {
    expect(() => load(text)).toThrow(errorWith('invalid_config', message))
    expect(() => load(text)).not.toThrow(KEY)
  })

  const agent = (keys: string): string => `agents: [{ id: a, behavior: llm, model: ollama/x, ${keys} }]\n`

  test.each([
    ['providers: { p: { type: opnai } }\n', 'providers.p.type: expected one of openai-compatible'],
    ['providers: { p: { type: openai-compatible } }\n', 'providers.p.baseURL: expected a URL'],
    ['providers: { p: { type: openai, baseUrl: http://x } }\n', 'did you mean "baseURL"?'],
    ['providers: { a/b: { type: openai } }\n', 'providers.a/b: expected a name without /'],
    ['prices: { gpt: { input: 1, output: 2 } }\n', 'prices.gpt: expected provider/model'],
    [
      'prices: { ollma/x: { input: 1, output: 2 } }\n',
      'prices.ollma/x: expected a provider of the team (openai, ',
    ],
    ['prices: { ollama/x: { input: -1, output: 2 } }\n', 'prices.ollama/x.input: expected at least 0'],
    ['prices: { ollama/x: { input: 1 } }\n', 'prices.ollama/x.output: expected number, received nothing'],
    ['limits: { teamTokens: 0 }\n', 'limits.teamTokens: expected more than 0, received 0'],
    [
      'agents: [{ id: a, behavior: llm, model: opnai/x }]\n',
      'agents[0].model: expected a provider of the team (openai, anthropic, google, openrouter, ollama, lmstudio), received "opnai" in "opnai/x"; did you mean "openai"?',
    ],
    [agent('fallbacks: [ollama/y, z/y]'), 'agents[0].fallbacks[1]: expected a provider of the team'],
    [agent('llm: {}'), 'agents[0].llm: unknown key'],
    [agent('tool: [read]'), 'agents[0].tool: unknown key; did you mean "tools"?'],
    [
      agent('permissions: { shell: alow }'),
      'permissions.shell: expected allow or ask or deny or object, received "alow"; did you mean "allow"?',
    ],
    [
      agent('permissions: { shell: { alow: [x] } }'),
      'permissions.shell.alow: unknown key; did you mean "allow"?',
    ],
    [agent('permissions: { shell: { allow: x } }'), 'permissions.shell.allow: expected array, received "x"'],
    [agent('permissions: { shel: deny }'), 'received "shel"; did you mean "shell"?'],
    [agent('permissions: { shell: { allow: ["git $(date)"] } }'), 'agents[0].permissions: '],
    [agent('mcpServers: { s: { command: x } }'), 'mcpServers.s.type: expected type stdio'],
    [
      agent('mcpServers: { s: { type: stdio, command: x, env: { PORT: 1 } } }'),
      'mcpServers.s.env.PORT: expected string, received 1',
    ],
    [
      agent('mcpServers: { s: { type: http, url: ftp://x } }'),
      'mcpServers.s.url: expected a URL of http or https, received "ftp://x"',
    ],
    [
      agent('mcpServers: { a__b: { type: http, url: http://x } }'),
      'mcpServers.a__b: expected the name of an MCP server',
    ],
  ])('is refused where models, tools and permissions are wrong: %j', (text, message) => {
    expect(() => load(text)).toThrow(errorWith('invalid_config', message))
  })

  test('needs a model for an agent that asks one, unless a key in the environment says which', () => {
    const text = 'agents:\n  - id: a\n    behavior: llm\n'
    expect(() => load(text)).toThrow(
      errorWith(
        'invalid_config',
        /^.*:2:5: agents\[0\].model: .*ANTHROPIC_API_KEY.*http:\/\/127.0.0.1:11434\/v1/,
      ),
    )
    expect(load(text, { OPENAI_API_KEY: 'k' }).agents[0]?.llm?.model).toMatch(/^openai\/./)
  })

  test('is refused with all its problems, in the order of its lines', () => {
    expect(() => load('fsnc: always\nagents: 3\nlimit: {}\n')).toThrow(
      [
        `${file}:1:1: fsnc: unknown key; did you mean "fsync"?`,
        `${file}:2:1: agents: expected array, received 3`,
        `${file}:3:1: limit: unknown key; did you mean "limits"?`,
      ].join('\n'),
    )
  })

  test('cannot harm by aliases that multiply', () => {
    const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`)
    expect(() => load(`l0: &l0 [1]\n${levels.join('\n')}\n`)).toThrow(errorWith('invalid_config'))
  })

  test('is refused by name where it cannot be read', () => {
    for (const path of [join(folder, 'none.yaml'), folder]) {
      expect(() => loadConfig(path)).toThrow(
        errorWith('invalid_config', `cannot read the configuration file ${path}`),
      )
    }
  })

  test('is as its documentation shows it', () => {
    for (const path of ['behaviors/builder.ts', 'tools/deploy.ts']) {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), 'export default {}\n')
    }
    const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
    const examples = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, example]) => example ?? '')
    expect(examples.length).toBeGreaterThan(4)
    for (const example of examples) expect(() => load(example), example).not.toThrow()
    for (const { apiKeyEnv } of Object.values(BUILT_IN_PROVIDERS)) {
      if (apiKeyEnv === undefined) continue
      expect(page).toContain(`| \`${apiKeyEnv}\` | \`${defaultModel({ [apiKeyEnv]: 'k' })}\` |`)
    }
  })

  test('names every key in its documentation', () => {
    const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
    const missing = [...keysOf(configJsonSchema())].filter((key) => !new RegExp(`\\b${key}[\`.]`).test(page))
    expect(missing).toEqual([])
  })

  test('has a JSON Schema, and the published one is this one', () => {
    const schema = configJsonSchema()
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
    const published = readFileSync(new URL('../docs/agentry.schema.json', import.meta.url), 'utf8')
    expect(published, 'run `npm run schema`').toBe(`${JSON.stringify(schema, null, 2)}\n`)
  })
})
