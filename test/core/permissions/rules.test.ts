import { describe, expect, test } from 'vitest'
import type { PermissionRules, PermissionSubject } from '../../../src/core/permissions/rule-types.ts'
import { compileRules, decide, grantFor, type PermissionGrant } from '../../../src/core/permissions/rules.ts'

interface Given {
  subject?: PermissionSubject
  readOnly?: boolean
  grants?: PermissionGrant[]
}

function decisionOf(
  rules: PermissionRules,
  tool: string,
  { subject, readOnly = false, grants = [] }: Given = {},
) {
  const call = { tool, readOnly, workingDir: '/home/me/project', ...(subject && { subject }) }
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

  test('do not fit a call without a subject', () => {
    expect(decisionOf({ own: { allow: ['*'] } }, 'own')).toBe('ask')
    expect(decisionOf({ own: { deny: ['*'], default: 'allow' } }, 'own')).toBe('allow')
  })

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

  test('is of the exact text, or of the tool where it is asked for nothing', () => {
    expect(grantFor('shell', { kind: 'command', text: 'npm *' })).toEqual({ tool: 'shell', pattern: 'npm *' })
    expect(grantFor('own', undefined)).toEqual({ tool: 'own' })
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

  test('of a tool without a text is of whatever it is given', () => {
    expect(decisionOf(RULES, 'shell', { ...command('npm test'), grants: [{ tool: 'shell' }] })).toBe('allow')
  })
})
