import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { configJsonSchema, loadConfig } from '../src/config-file.ts'
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

function load(text: string): ReturnType<typeof loadConfig> {
  writeFileSync(file, text)
  return loadConfig(file)
}

describe('agentry.yaml', () => {
  test('may be empty: then all defaults hold', () => {
    expect(load('')).toEqual({
      data: join(folder, 'sessions'),
      agents: [],
      fsync: 'always',
      limits: TEAM_DEFAULTS.limits,
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
      '2:14: agents[0].behavior: expected shell, echo or the path',
    ],
    ['retntion: {}\n', '1:1: retntion: unknown key; did you mean "retention"?'],
    ['agents: []\nproviders: {}\n', '2:1: providers: unknown key'],
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

  test('has a JSON Schema, and the published one is this one', () => {
    const schema = configJsonSchema()
    expect(schema).toMatchObject({ type: 'object', additionalProperties: false })
    const published = readFileSync(new URL('../docs/agentry.schema.json', import.meta.url), 'utf8')
    expect(published, 'run `npm run schema`').toBe(`${JSON.stringify(schema, null, 2)}\n`)
  })
})
