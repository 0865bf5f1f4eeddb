import { describe, expect, test } from 'vitest'
import type { Json } from '../../../src/core/json.ts'
import { inputSubject } from '../../../src/core/permissions/input-subject.ts'
import type {
  PatternRules,
  Permission,
  PermissionRules,
  PermissionSubject,
} from '../../../src/core/permissions/rule-types.ts'
import { compileRules, decide, grantFor, type PermissionGrant } from '../../../src/core/permissions/rules.ts'

interface Given {
  subject?: PermissionSubject
  readOnly?: boolean
  grants?: PermissionGrant[]
}

function decisionOf(
  rules: PermissionRules,
  tool: string,
  { subject = inputSubject({}), readOnly = false, grants = [] }: Given = {},
) {
  const call = { tool, readOnly, workingDir: '/home/me/project', subject }
  return decide(compileRules(rules), call, grants).decision
}

const path = (text: string): Given => ({ subject: { kind: 'path', text } })
const url = (text: string): Given => ({ subject: { kind: 'url', text } })
const command = (text: string): Given => ({ subject: { kind: 'command', text } })

describe('the rule of a tool', () => {
  const RULES: PermissionRules = {
    write: 'deny',
    git__push: 'deny',
    'git__*': 'allow',
    'git__more__*': 'ask',
    '*': 'ask',
  }

  test.each([
    ['write', 'deny'],
    ['git__push', 'deny'],
    ['git__status', 'allow'],
    ['git__more__status', 'ask'],
    ['github__status', 'ask'],
    ['edit', 'ask'],
    ['toString', 'ask'],
  ])('is that of its name, else of its server, else of *: %s', (tool, expected) => {
    expect(decisionOf(RULES, tool, { readOnly: true })).toBe(expected)
  })

  test.each([
    ['read', true, 'allow'],
    ['own_reader', true, 'allow'],
    ['remember', false, 'allow'],
    ['todo', false, 'allow'],
    ['list_agents', false, 'allow'],
    ['ask_agent', false, 'allow'],
    ['tell_agent', false, 'allow'],
    ['write', false, 'ask'],
    ['edit', false, 'ask'],
    ['fetch', false, 'ask'],
    ['shell', false, 'ask'],
    ['server__tool', false, 'ask'],
    ['own_tool', false, 'ask'],
    ['constructor', false, 'ask'],
  ])('where none names it, is the default one: %s (reads only: %s)', (tool, readOnly, expected) => {
    expect(decisionOf({}, tool, { readOnly })).toBe(expected)
  })

  test('says why', () => {
    const rules = compileRules({ write: { deny: ['secrets/**'] }, edit: 'deny' })
    const subject: PermissionSubject = { kind: 'path', text: 'secrets/key' }
    expect(decide(rules, { tool: 'write', readOnly: false, subject }, []).reason).toBe(
      'a rule of write denies: secrets/**',
    )
    expect(decide(rules, { tool: 'edit', readOnly: false, subject }, []).reason).toBe('edit is set to deny')
  })
})

describe('patterns', () => {
  test('deny before they ask, ask before they allow, allow before the default, which is ask', () => {
    const write = { deny: ['a/b/c/*'], ask: ['a/b/**'], allow: ['a/**'] }
    expect(decisionOf({ write }, 'write', path('a/b/c/d'))).toBe('deny')
    expect(decisionOf({ write }, 'write', path('a/b/x'))).toBe('ask')
    expect(decisionOf({ write }, 'write', path('a/x'))).toBe('allow')
    expect(decisionOf({ write }, 'write', path('x'))).toBe('ask')
    expect(decisionOf({ write: { ...write, default: 'deny' } }, 'write', path('x'))).toBe('deny')
  })

  test.each([
    [{ deny: ['*'], default: 'allow' }, {}, 'deny'],
    [{ deny: ['prod*'], default: 'allow' }, { target: 'production' }, 'deny'],
    [{ deny: ['prod*'], default: 'allow' }, { targets: [{ name: 'production' }] }, 'deny'],
    [{ deny: ['42'], default: 'allow' }, { id: 42 }, 'deny'],
    [{ deny: ['*"force":true*'], default: 'allow' }, { id: 1, force: true }, 'deny'],
    [{ ask: ['prod*'], default: 'allow' }, { target: 'production' }, 'ask'],
    [{ deny: ['prod*'], default: 'allow' }, { target: 'preprod' }, 'allow'],
    [{ allow: ['*'] }, { a: 'b' }, 'allow'],
    [{ allow: ['{"a":"b*"}'] }, { a: 'bc' }, 'allow'],
    [{ allow: ['b*'] }, { a: 'bc' }, 'ask'],
    [{ allow: ['staging'] }, { target: 'staging', force: true }, 'ask'],
  ] satisfies [PatternRules, Json, Permission][])(
    'over all that a tool is given, where it does not say what a call is about: %j and %j: %s',
    (own, input, expected) => {
      expect(decisionOf({ own }, 'own', { subject: inputSubject(input) })).toBe(expected)
    },
  )

  test('of * that cannot be told of a URL leave the question to a person', () => {
    const rules: PermissionRules = { '*': { deny: ['rm *'], default: 'allow' } }
    expect(decisionOf(rules, 'fetch', url('https://example.com/'))).toBe('ask')
    expect(decisionOf(rules, 'write', path('a'))).toBe('allow')
    expect(decisionOf({ '*': { deny: ['rm *'], default: 'deny' } }, 'fetch', url('https://a.b/'))).toBe(
      'deny',
    )
  })

  test.each([
    [{ deny: ['/data/project/secrets/**'] }, '/data/project/secrets/key', 'deny'],
    [{ deny: ['/link/secrets/**'] }, '/data/project/secrets/key', 'deny'],
    [{ deny: ['secrets/**'] }, '/data/project/secrets/key', 'deny'],
    [{ deny: ['secrets/**'] }, '/link/secrets/key', 'deny'],
    [{ deny: ['../other/**'] }, '/data/other/a', 'deny'],
    [{ deny: ['../other/**'] }, '/other/a', 'deny'],
    [{ allow: ['/data/project/src/*'], default: 'ask' }, '/data/project/src/a', 'allow'],
    [{ allow: ['/link/src/*'], default: 'ask' }, '/data/project/src/a', 'allow'],
    [{ allow: ['src/*'], default: 'ask' }, '/data/project/src/a', 'allow'],
    [{ allow: ['../other/*'], default: 'ask' }, '/data/other/a', 'allow'],
    [{ allow: ['../other/*'], default: 'ask' }, '/other/a', 'ask'],
    [{ allow: ['src/*'], default: 'ask' }, '/src/a', 'ask'],
  ] satisfies [PatternRules, string, Permission][])(
    'over paths of a working directory that is a link, by either name of it: %j and %j: %s',
    (write, text, expected) => {
      const subject: PermissionSubject = { kind: 'path', text }
      const call = { tool: 'write', readOnly: false, subject, workingDir: '/link', realDir: '/data/project' }
      const rules = compileRules({ write: { default: 'allow', ...write } })
      expect(decide(rules, call, []).decision).toBe(expected)
    },
  )

  test.each([
    ['src/*', 'src/a.ts', true],
    ['./src/*', 'src/a.ts', true],
    ['src/*', 'src/a/b.ts', false],
    ['src/*', 'src/../x', false],
    ['src/**', 'src/a/b.ts', true],
    ['src/**', 'src', true],
    ['src/**', 'srcs/a', false],
    ['src/**/*.ts', 'src/a.ts', true],
    ['src/**/*.ts', 'src/a/b/c.ts', true],
    ['src/**/*.ts', 'src/a/b/c.js', false],
    ['**/.env', '.env', true],
    ['**/.env', 'a/b/.env', true],
    ['a?.ts', 'ab.ts', true],
    ['a?.ts', 'a/.ts', false],
    ['a?.ts', 'a.ts', false],
    ['a.ts', 'axts', false],
    ['[ab]', 'a', false],
    ['**', 'any/where', true],
    ['**', '/any/where', false],
    ['/**', 'any/where', true],
    ['/home/me/project/src/*', 'src/a.ts', true],
    ['/home/me/other/*', '/home/me/other/a', true],
    ['/home/me/other/*', 'other/a', false],
    ['src/*', '/home/me/project/src/a', true],
    ['src/*', '/src/a', false],
    ['../other/*', '/home/me/other/a', true],
  ])('over paths: %j and %j: %s', (pattern, text, fits) => {
    expect(decisionOf({ write: { allow: [pattern] } }, 'write', path(text))).toBe(fits ? 'allow' : 'ask')
  })

  test.each([
    ['https://example.com/docs/*', 'https://example.com/docs/a/b?c', true],
    ['https://example.com/docs/*', 'https://example.com/docs/../x', false],
    ['https://example.com/docs/*', 'https://example.com/docs/%2e%2e/x', false],
    ['https://example.com/docs/*', 'http://example.com/docs/a', false],
    ['https://example.com/docs/*', 'https://example.com:8443/docs/a', false],
    ['https://example.com/docs/*', 'https://example.com:443/docs/a', true],
    ['https://example.com/docs/*', 'https://EXAMPLE.com/docs/a', true],
    ['https://example.com/docs/*', 'https://example.com.evil.net/docs/a', false],
    ['https://example.com/docs/*', 'https://example.com@evil.net/docs/a', false],
    ['https://example.com/docs/*', 'https://me@example.com/docs/a', false],
    ['https://example.com/docs/*', 'https://evil.net/?https://example.com/docs/a', false],
    ['https://example.com', 'https://example.com/any/where', true],
    ['https://example.com/', 'https://example.com/any', false],
    ['https://*.example.com', 'https://a.b.example.com/x', true],
    ['https://*.example.com', 'https://example.com/x', false],
    ['https://*.example.com', 'https://badexample.com/x', false],
    ['http://127.0.0.1:8080', 'http://127.0.0.1:8080/x', true],
    ['http://127.0.0.1:8080', 'http://127.0.0.1/x', false],
    ['https://example.com', 'no url', false],
    ['*', 'https://example.com/x', true],
  ])('over URLs: %j and %j: %s', (pattern, text, fits) => {
    expect(decisionOf({ fetch: { allow: [pattern] } }, 'fetch', url(text))).toBe(fits ? 'allow' : 'ask')
  })

  test.each(['https://me:key@example.com/x', 'https://example.com./x'])(
    'deny a host however it is written: %j',
    (text) => {
      const fetch = { deny: ['https://example.com'], default: 'allow' } as const
      expect(decisionOf({ fetch: { ...fetch, deny: [...fetch.deny] } }, 'fetch', url(text))).toBe('deny')
    },
  )

  test.each([
    ['coder', 'coder', true],
    ['coder', 'coder-2', false],
    ['coder*', 'coder-2', true],
    ['*-2', 'coder-2', true],
    ['c*r*2', 'coder-2', true],
    ['c.der', 'coder', false],
  ])('over names of agents: %j and %j: %s', (pattern, text, fits) => {
    const given: Given = { subject: { kind: 'agent', text } }
    expect(decisionOf({ ask_agent: { allow: [pattern] } }, 'ask_agent', given)).toBe(fits ? 'allow' : 'ask')
  })

  test('of * are read as the tool they meet needs them', () => {
    const rules = { '*': { allow: ['git status', 'src/**'] } }
    expect(decisionOf(rules, 'shell', command('git status'))).toBe('allow')
    expect(decisionOf(rules, 'shell', command('git status; x'))).toBe('ask')
    expect(decisionOf(rules, 'write', path('src/a'))).toBe('allow')
  })

  test('take no longer for patterns full of stars', () => {
    const started = performance.now()
    decisionOf({ own: { allow: ['*a'.repeat(100)] } }, 'own', {
      subject: { kind: 'text', text: `${'a'.repeat(50_000)}b` },
    })
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('a grant', () => {
  const RULES: PermissionRules = { shell: { deny: ['rm *'], ask: ['npm *'] } }

  test('is of the exact text', () => {
    expect(grantFor('shell', { kind: 'command', text: 'npm *' })).toEqual({ tool: 'shell', pattern: 'npm *' })
    const long = 'x'.repeat(10_000)
    expect(grantFor('shell', { kind: 'command', text: long })).toEqual({ tool: 'shell', pattern: long })
  })

  test('of a tool that says nothing of its calls is of the very same input, in whatever order', () => {
    const given = (input: Json): Given => ({ subject: inputSubject(input) })
    const grants = [grantFor('own', inputSubject({ id: 1, more: { a: 'x', b: null } }))]
    expect(decisionOf({}, 'own', { ...given({ more: { b: null, a: 'x' }, id: 1 }), grants })).toBe('allow')
    expect(decisionOf({}, 'own', { ...given({ id: 2, more: { a: 'x', b: null } }), grants })).toBe('ask')
    expect(decisionOf({}, 'own', { ...given({ id: '1', more: { a: 'x', b: null } }), grants })).toBe('ask')
    expect(decisionOf({}, 'own', { ...given({}), grants })).toBe('ask')
    expect(decisionOf({}, 'other', { ...given({ id: 1, more: { a: 'x', b: null } }), grants })).toBe('ask')
  })

  test('of a long input is short, and of that input alone', () => {
    const input = (middle: string): Given => ({ subject: inputSubject({ text: 'a'.repeat(9_000) + middle }) })
    const grants = [grantFor('own', inputSubject({ text: `${'a'.repeat(9_000)}b` }))]
    expect(grants[0]?.pattern.length).toBeLessThan(100)
    expect(decisionOf({}, 'own', { ...input('b'), grants })).toBe('allow')
    expect(decisionOf({}, 'own', { ...input('c'), grants })).toBe('ask')
  })

  test('allows what would be asked: that text, of that tool', () => {
    const grants = [grantFor('shell', { kind: 'command', text: 'npm *; x > f' })]
    expect(decisionOf(RULES, 'shell', { ...command('npm *; x > f'), grants })).toBe('allow')
    expect(decisionOf(RULES, 'shell', { ...command('npm test; x > f'), grants })).toBe('ask')
    expect(decisionOf(RULES, 'own', { ...command('npm *; x > f'), grants })).toBe('ask')
    expect(decisionOf(RULES, 'shell', { grants })).toBe('ask')
  })

  test('never allows what is denied', () => {
    expect(decisionOf(RULES, 'shell', { ...command('rm x'), grants: [{ tool: 'shell' }] })).toBe('deny')
    expect(decisionOf({ own: 'deny' }, 'own', { grants: [{ tool: 'own' }] })).toBe('deny')
  })

  test('without a text, as older sessions hold them, is of whatever the tool is given', () => {
    expect(decisionOf(RULES, 'shell', { ...command('npm test'), grants: [{ tool: 'shell' }] })).toBe('allow')
  })
})
