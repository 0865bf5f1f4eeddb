/**
 * What a tool may do: rules by tool, and what a person has allowed for the session.
 *
 * PR1 deny wins over ask, ask over allow, a pattern over the default of its rule.
 * PR2 The rule of a tool is that of its name, else of `server__*` for the tools of an MCP server, else `*`, else the default rule.
 * PR3 What a person allows for the session stands in for asking, never for a deny.
 * PR4 A command line that is not understood is never allowed by a pattern.
 */
import { AgentryError, isAgentryError } from '../../errors.ts'
import { nearest } from '../suggest.ts'
import { type CommandPattern, compileCommandPattern, covers, mentions } from './command-patterns.ts'
import { defaultRule } from './default-rules.ts'
import {
  type PatternRules,
  type Permission,
  type PermissionRules,
  type PermissionSubject,
  PERMISSIONS,
} from './rule-types.ts'
import { parseShellLine } from './shell-line.ts'
import { assertTextPattern, fitsText } from './text-patterns.ts'

/** What a person has allowed; `pattern` is the exact text of the subject. */
export interface PermissionGrant {
  tool: string
  pattern?: string
}

export interface PermissionCall {
  tool: string
  subject?: PermissionSubject
  readOnly: boolean
}

export interface Decision {
  decision: Permission
  /** Which rule says so, for a person and for the model. */
  reason: string
}

export function decide(
  rules: PermissionRules,
  call: PermissionCall,
  grants: readonly PermissionGrant[],
): Decision {
  const { tool, subject, readOnly } = call
  const [name, rule] = ruleOf(rules, tool, readOnly)
  const decided = typeof rule === 'string' ? byName(rule, name) : byPatterns(rule, name, subject)
  if (decided.decision !== 'ask' || !grants.some((grant) => isGranted(grant, call))) return decided
  return { decision: 'allow', reason: 'allowed by a person for this session' }
}

/** What "always in this session" allows: this very text, or, where there is none, the tool. */
export function grantFor(tool: string, subject: PermissionSubject | undefined): PermissionGrant {
  return subject === undefined ? { tool } : { tool, pattern: subject.text }
}

/** Throws `invalid_config`, naming the tool and the pattern. `knownTools` are those that a near miss is measured by. */
export function assertPermissionRules(rules: PermissionRules, knownTools: readonly string[]): void {
  for (const [tool, rule] of Object.entries(rules)) {
    const meant = knownTools.includes(tool) || tool.includes('__') ? undefined : nearest(tool, knownTools)
    if (meant !== undefined) {
      throw new AgentryError(
        'invalid_config',
        `${tool}: expected the name of a tool; did you mean "${meant}"?`,
      )
    }
    if (typeof rule === 'string') continue
    for (const list of PERMISSIONS) {
      for (const pattern of rule[list] ?? []) {
        try {
          if (tool === 'shell') compileCommandPattern(pattern)
          else assertTextPattern(pattern)
        } catch (error) {
          if (!isAgentryError(error)) throw error
          throw new AgentryError('invalid_config', `${tool}.${list}: ${error.message}`, { cause: error })
        }
      }
    }
  }
}

/** PR2 */
function ruleOf(
  rules: PermissionRules,
  tool: string,
  readOnly: boolean,
): [name: string, rule: Permission | PatternRules] {
  const server = tool.includes('__') ? `${tool.slice(0, tool.indexOf('__'))}__*` : undefined
  for (const name of [tool, server, '*']) {
    const rule = name !== undefined && Object.hasOwn(rules, name) ? rules[name] : undefined
    if (name !== undefined && rule !== undefined) return [`permissions.${name}`, rule]
  }
  return ['the default', defaultRule(tool, readOnly)]
}

function byName(decision: Permission, name: string): Decision {
  return { decision, reason: `${name} is ${decision}` }
}

function byPatterns(rule: PatternRules, name: string, subject: PermissionSubject | undefined): Decision {
  const { allow = [], ask = [], deny = [], default: otherwise = 'ask' } = rule
  if (subject === undefined) return byName(otherwise, `${name}.default`)
  const denied = firstFit(deny, subject)
  if (denied !== undefined) return { decision: 'deny', reason: `${name}.deny has ${denied}` }
  const asked = firstFit(ask, subject)
  if (asked !== undefined) return { decision: 'ask', reason: `${name}.ask has ${asked}` }
  const allowed =
    subject.kind === 'command'
      ? covers(parseShellLine(subject.text), compiled(allow))
      : firstFit(allow, subject) !== undefined
  if (allowed) return { decision: 'allow', reason: `${name}.allow` }
  return { decision: otherwise, reason: `no pattern of ${name} fits: ${otherwise}` }
}

/** The first pattern that fits; of a command line, that any command in it may fit. */
function firstFit(patterns: readonly string[], subject: PermissionSubject): string | undefined {
  if (patterns.length === 0) return undefined
  if (subject.kind === 'command') return mentions(parseShellLine(subject.text), compiled(patterns))?.source
  return patterns.find((pattern) => fitsText(pattern, subject))
}

const known = new Map<string, CommandPattern>()

/** Patterns come from the configuration: there are few. */
function compiled(patterns: readonly string[]): CommandPattern[] {
  return patterns.map((source) => {
    const pattern = known.get(source) ?? compileCommandPattern(source)
    known.set(source, pattern)
    return pattern
  })
}

function isGranted({ tool, pattern }: PermissionGrant, call: PermissionCall): boolean {
  return tool === call.tool && (pattern === undefined || pattern === call.subject?.text)
}
