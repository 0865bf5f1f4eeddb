import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AgentSpecInput } from '../src/api.ts'
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
const resolveAnything = (input: unknown) => resolveAgentSpec(input as AgentSpecInput, base)

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
        /^behavior: expected shell, echo or the path of a module, received "shel".*did you mean "shell"\?$/,
      ),
    )
    expect(() => resolveAgentSpec({ id: 'a', behavior: '.' }, base)).toThrow('is not a file')
    expect(() => resolveAgentSpec({ id: 'a', behavior: 'a\0b' }, base)).toThrow(errorWith('invalid_config'))
  })

  test.each<[unknown, string]>([
    [{ id: 'a', behaviour: 'shell' }, 'behaviour: unknown key; did you mean "behavior"?'],
    [{ id: 'a' }, 'behavior: expected string, received nothing'],
    [{ behavior: 'shell' }, 'id: expected string, received nothing'],
    [{ id: 'a', behavior: 'shell', model: 'x' }, 'model: unknown key'],
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

describe('the limits of a team', () => {
  test('have a default each', () => {
    expect(resolveTeamLimits()).toEqual(TEAM_DEFAULTS.limits)
    expect(resolveTeamLimits({ threads: 4 })).toEqual({ ...TEAM_DEFAULTS.limits, threads: 4 })
  })

  test('are positive', () => {
    expect(() => resolveTeamLimits({ messageBytes: 0 })).toThrow(errorWith('invalid_config', 'messageBytes'))
  })
})
