/** Permission rules as they are looked up with: every pattern parsed once. */
import { AgentryError } from '../../errors.ts'
import { quote } from '../ids.ts'
import { type CommandPattern, parseCommandPattern } from './command-pattern.ts'
import { type Glob, parseGlob } from './glob.ts'
import { parsePathPattern, type PathPattern } from './path-pattern.ts'
import {
  type PatternRules,
  type Permission,
  type PermissionRules,
  PERMISSIONS,
  type SubjectKind,
} from './rule-types.ts'
import { parseUrlPattern, type UrlPattern } from './url-pattern.ts'

/** A pattern as each kind of subject reads it; a kind that cannot read it has none. */
export interface CompiledPattern {
  source: string
  command: CommandPattern | undefined
  path: PathPattern
  url: UrlPattern | undefined
  text: Glob
}

export interface CompiledPatterns extends Readonly<Record<Permission, readonly CompiledPattern[]>> {
  readonly default: Permission
}

export interface CompiledRules {
  readonly byTool: ReadonlyMap<string, Permission | CompiledPatterns>
  /** Beginnings of names (`server__`), the longest first. */
  readonly byPrefix: readonly { prefix: string; rule: Permission | CompiledPatterns }[]
  readonly forAll: Permission | CompiledPatterns | undefined
}

/** What a built-in tool is asked for, which says how its patterns are written; of other tools it is not known before a call. */
const KINDS: ReadonlyMap<string, SubjectKind> = new Map<string, SubjectKind>([
  ['shell', 'command'],
  ['fetch', 'url'],
  ...['read', 'write', 'edit', 'list', 'glob', 'grep'].map((tool): [string, SubjectKind] => [tool, 'path']),
])

/** Throws `invalid_config` for a pattern that its tool cannot read. */
export function compileRules(rules: PermissionRules): CompiledRules {
  const all = Object.entries(rules).map(([tool, rule]) => ({
    tool,
    rule: typeof rule === 'string' ? rule : compilePatterns(tool, rule),
  }))
  return {
    byTool: new Map(all.map(({ tool, rule }) => [tool, rule])),
    byPrefix: all
      .filter(({ tool }) => tool.endsWith('__*'))
      .map(({ tool, rule }) => ({ prefix: tool.slice(0, -1), rule }))
      .sort((a, b) => b.prefix.length - a.prefix.length),
    forAll: all.find(({ tool }) => tool === '*')?.rule,
  }
}

/** By exact name, then by the server's prefix, then `*`. */
export function ruleFor(rules: CompiledRules, tool: string): Permission | CompiledPatterns | undefined {
  return (
    rules.byTool.get(tool) ??
    rules.byPrefix.find(({ prefix }) => tool.startsWith(prefix))?.rule ??
    rules.forAll
  )
}

function compilePatterns(tool: string, rule: PatternRules): CompiledPatterns {
  const [allow, ask, deny] = PERMISSIONS.map((list) =>
    (rule[list] ?? []).map((source) => compilePattern(tool, list, source)),
  )
  return { allow: allow ?? [], ask: ask ?? [], deny: deny ?? [], default: rule.default ?? 'ask' }
}

function compilePattern(tool: string, list: Permission, source: string): CompiledPattern {
  const where = `the pattern ${quote(source)} of ${tool}.${list}`
  if (source.trim() === '') {
    throw new AgentryError('invalid_config', `${where}: expected a pattern, received an empty text`)
  }
  const kind = KINDS.get(tool)
  const url = parseUrlPattern(source)
  if (kind === 'url' && url === undefined) {
    throw new AgentryError(
      'invalid_config',
      `${where}: expected https://host/path, with a path in which * stands for any text and a host that may begin with *., received ${quote(source)}`,
    )
  }
  return {
    source,
    command: commandOf(source, where, kind === 'command'),
    path: parsePathPattern(source),
    url,
    text: parseGlob(source, { questionMarks: false }),
  }
}

function commandOf(source: string, where: string, needed: boolean): CommandPattern | undefined {
  try {
    return parseCommandPattern(source)
  } catch (error) {
    if (!(error instanceof AgentryError)) throw error
    if (!needed) return undefined
    throw new AgentryError('invalid_config', `${where}: ${error.message}`, { cause: error })
  }
}
