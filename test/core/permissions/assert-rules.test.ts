import { describe, expect, test } from 'vitest'
import type { PermissionRules } from '../../../src/core/permissions/rule-types.ts'
import {
  assertPermissionRules,
  assertRulesNameTools,
  compileRules,
  unknownServerTools,
} from '../../../src/core/permissions/rules.ts'
import { BUILT_IN_TOOLS } from '../../../src/llm-spec.ts'
import { resolveAgentSpec } from '../../../src/options.ts'
import { errorWith } from '../../error-with.ts'

const assert = (rules: PermissionRules): void => assertPermissionRules(rules, BUILT_IN_TOOLS)

describe('permission rules', () => {
  test('may name tools, servers, everything, and custom tools', () => {
    assert({
      shell: { allow: ['git status', 'npm test *', "grep 'a b' *", 'npm run test:*', '*'], deny: ['rm *'] },
      write: { allow: ['src/**'], default: 'deny' },
      fetch: { allow: ['https://*.example.com/docs/*', '*'] },
      ask_agent: { allow: ['coder*'] },
      deploy: { deny: ['prod && more'] },
      'github__*': 'allow',
      github__create_issue: 'ask',
      '*': 'ask',
    })
  })

  test.each([
    ['', 'an empty text'],
    ['  ', 'an empty text'],
    ['git status && ls', 'the operator &'],
    ['git status; ls', 'the operator ;'],
    ['git status | less', 'the operator |'],
    ['(ls)', 'the operator ('],
    ['ls > f', 'a redirect'],
    ['cat < f', 'a redirect'],
    ['echo $(ls)', 'an expansion'],
    ['echo `ls`', 'an expansion'],
    ['echo "$x"', 'an expansion'],
    ['echo \\*', 'an expansion'],
    ["echo 'x", "a ' that is not closed"],
    ['echo "x', 'a \\" that is not closed'],
    ['git * status', 'a * as a word before others'],
    ['* status', 'a * as a word before others'],
    ['A=1 ls', 'an assignment'],
    ['# ls', 'a comment'],
    ['ls\nrm', 'several lines'],
  ])('refuse %j for a command', (pattern, what) => {
    for (const list of ['allow', 'ask', 'deny']) {
      const rules = { shell: { [list]: [pattern] } }
      expect(() => assert(rules)).toThrow(errorWith('invalid_config', `of shell.${list}`))
      expect(() => assert(rules)).toThrow(errorWith('invalid_config', `received ${what.replace('\\"', '"')}`))
      expect(() => compileRules(rules)).toThrow(errorWith('invalid_config', `of shell.${list}`))
    }
  })

  test.each(['example.com', 'ftp://example.com', 'https://me@example.com', 'https://ex*.com', 'https://'])(
    'refuse %j for a URL',
    (pattern) => {
      expect(() => assert({ fetch: { deny: [pattern] } })).toThrow(
        errorWith('invalid_config', 'expected https://host/path'),
      )
    },
  )

  test.each([
    ['shel', 'did you mean "shell"?'],
    ['Write', 'did you mean "write"?'],
    ['', 'expected the name of a tool'],
    ['a b', 'expected the name of a tool'],
    ['gi*', 'expected the name of a tool'],
  ])('refuse the tool %j', (tool, message) => {
    expect(() => assert({ [tool]: 'allow' })).toThrow(errorWith('invalid_config', message))
  })

  test('are checked where an agent is configured', () => {
    const given = {
      id: 'a',
      behavior: 'llm',
      model: 'ollama/x',
      permissions: { shell: { allow: ['ls; rm'] } },
    }
    expect(() => resolveAgentSpec(given, process.cwd())).toThrow(
      errorWith('invalid_config', 'permissions: the pattern "ls; rm" of shell.allow'),
    )
  })
})

describe('rules of an agent', () => {
  const tracker = { type: 'http', url: 'https://tracker.example/mcp' } as const
  const specOf = (permissions: PermissionRules, more: object = {}) =>
    resolveAgentSpec(
      { id: 'a', behavior: 'llm', model: 'ollama/x', mcpServers: { tracker }, permissions, ...more },
      process.cwd(),
    )

  test('may name its tools, those of its servers, and all', () => {
    const permissions: PermissionRules = {
      fetch: 'deny',
      'tracker__*': 'allow',
      tracker__delete: 'deny',
      'tracker__more__*': 'ask',
      '*': 'ask',
    }
    expect(specOf(permissions).llm?.permissions).toEqual(permissions)
  })

  test.each([
    ['trackr__*', 'did you mean "tracker__*"?'],
    ['trackr__delete', 'received "trackr__delete"'],
    ['track__*', 'received "track__*"'],
    ['tracker', 'received "tracker"'],
    ['deploy', 'received "deploy"'],
  ])('name no tool that it could have: %j', (name, message) => {
    expect(() => specOf({ [name]: 'deny', '*': 'allow' })).toThrow(errorWith('invalid_config', message))
  })

  test('may name tools of modules, which are known when those are loaded', () => {
    expect(
      specOf({ deploy: 'deny', own__tool: 'ask' }, { tools: [import.meta.filename] }).llm?.permissions,
    ).toEqual({
      deploy: 'deny',
      own__tool: 'ask',
    })
    const tools = ['deploy', 'own__tool']
    assertRulesNameTools({ deploy: 'deny', 'own__*': 'ask' }, { tools, servers: [] })
    expect(() => assertRulesNameTools({ deplyo: 'deny' }, { tools, servers: [] })).toThrow(
      errorWith('invalid_config', 'did you mean "deploy"?'),
    )
  })

  test('are not of two servers at once: no name of a server ends with _', () => {
    expect(() => specOf({}, { mcpServers: { tracker_: tracker } })).toThrow(
      errorWith('invalid_config', 'no _ at the end'),
    )
  })

  test('that name a tool which a server turns out not to have are told', () => {
    const rules: PermissionRules = {
      tracker__delte: 'deny',
      tracker__list: 'allow',
      'tracker__*': 'ask',
      far__x: 'deny',
    }
    expect(unknownServerTools(rules, ['tracker__list', 'tracker__delete'])).toEqual(['tracker__delte'])
    expect(unknownServerTools(rules, [])).toEqual([])
  })
})
