/**
 * Whether a call may be run, by permission rules and what people have granted.
 *
 * R1. The rule of the tool's own name counts, else that of its server (`server__*`), else that of `*`, else the default rules.
 * R2. Among patterns deny counts before ask, ask before allow, allow before the rule's default.
 * R3. A grant stands for the answer to a question: it lets run what would be asked, never what is denied.
 * R4. What is not understood is never allowed by a pattern, nor by a default beside patterns that could mean it.
 * R5. Every call is about something: where its tool does not say what, about all that it is given. Of that a pattern of allow has
 *     to fit the whole; one of deny or ask may fit any value in it.
 */
import { judgeCommand } from './command-rules.ts'
import { type CompiledPattern, type CompiledPatterns, type CompiledRules, ruleFor } from './compile-rules.ts'
import { type DefaultCall, defaultDecision } from './default-rules.ts'
import { matchesGlob } from './glob.ts'
import { grantedText, textsIn } from './input-subject.ts'
import { matchesPath } from './path-pattern.ts'
import { type Permission, PERMISSIONS, type PermissionSubject } from './rule-types.ts'
import { matchesUrl } from './url-pattern.ts'

export { type CompiledRules, compileRules } from './compile-rules.ts'
export { assertPermissionRules, assertRulesNameTools, unknownServerTools } from './assert-rules.ts'

export interface PermissionCall extends DefaultCall {
  /** Absolute: what relative paths are relative to. Without it a pattern and a path fit only where both are absolute, or neither. */
  workingDir?: string
  /** The same without symbolic links. */
  realDir?: string
}

export interface PermissionDecision {
  decision: Permission
  /** Why, in words for a person and for the model. */
  reason: string
}

/** As it is recorded in a session. */
export interface PermissionGrant {
  tool: string
  /**
   * The exact text of the subject, nothing in it standing for anything else; of a long input its hash. Left out, as older versions did:
   * whatever the tool is given.
   */
  pattern?: string
}

export function decide(
  rules: CompiledRules,
  call: PermissionCall,
  grants: readonly PermissionGrant[],
): PermissionDecision {
  const ruled = byRules(ruleFor(rules, call.tool), call)
  if (ruled.decision !== 'ask') return ruled
  const text = grantedText(call.subject)
  const granted = grants.some(
    ({ tool, pattern }) => tool === call.tool && (pattern === undefined || pattern === text),
  )
  return granted ? { decision: 'allow', reason: 'allowed by a person for this session' } : ruled
}

/** What the answer "for this session" to a question about such a call allows: this very subject. */
export function grantFor(tool: string, subject: PermissionSubject): Required<PermissionGrant> {
  return { tool, pattern: grantedText(subject) }
}

function byRules(rule: Permission | CompiledPatterns | undefined, call: PermissionCall): PermissionDecision {
  if (rule === undefined) return defaultDecision(call)
  if (typeof rule === 'string') return { decision: rule, reason: `${call.tool} is set to ${rule}` }
  const { subject } = call
  if (subject.kind === 'command') return byCommand(rule, call.tool, subject.text)
  const matches = matcherOf(call)
  for (const decision of PERMISSIONS.toReversed()) {
    const pattern = rule[decision].find((one) => matches(one, decision !== 'allow'))
    if (pattern) return byPattern(call.tool, decision, pattern.source)
    const unread = rule[decision].find(({ url }) => subject.kind === 'url' && url === undefined)
    if (unread && decision !== 'allow')
      return unsure(rule, { why: `${unread.source} cannot be told of a URL` })
  }
  return byDefaultOf(rule, call.tool)
}

function byCommand(rule: CompiledPatterns, tool: string, text: string): PermissionDecision {
  const opinion = judgeCommand(
    { allow: commands(rule.allow), ask: commands(rule.ask), deny: commands(rule.deny) },
    text,
  )
  switch (opinion.fits) {
    case 'allow':
    case 'ask':
    case 'deny':
      return byPattern(tool, opinion.fits, opinion.pattern)
    case 'unsure':
      return rule.default === 'allow' && rule.ask.length + rule.deny.length === 0
        ? byDefaultOf(rule, tool)
        : unsure(rule, opinion)
    case 'none': {
      const { decision, reason } = byDefaultOf(rule, tool)
      return { decision, reason: decision === 'allow' ? reason : `${reason} (${opinion.why})` }
    }
    default:
      return unknownOpinion(opinion)
  }
}

function unsure(rule: CompiledPatterns, { why }: { why: string }): PermissionDecision {
  return { decision: rule.default === 'deny' ? 'deny' : 'ask', reason: why }
}

function commands(patterns: readonly CompiledPattern[]): NonNullable<CompiledPattern['command']>[] {
  return patterns.flatMap(({ command }) => command ?? [])
}

/** Tells whether a pattern fits the call; `loosely`: whatever it could mean. */
function matcherOf({
  subject,
  workingDir,
  realDir,
}: PermissionCall): (pattern: CompiledPattern, loosely: boolean) => boolean {
  switch (subject.kind) {
    case 'path': {
      const base = workingDir === undefined ? undefined : { workingDir, realDir }
      return ({ path }, loosely) => matchesPath(path, subject.text, base, loosely)
    }
    case 'url':
      return ({ url }, loosely) => url !== undefined && matchesUrl(url, subject.text, loosely)
    case 'input': {
      const texts = textsIn(subject)
      return ({ text }, loosely) =>
        texts.slice(0, loosely ? texts.length : 1).some((one) => matchesGlob(text, one))
    }
    default:
      return ({ text }) => matchesGlob(text, subject.text)
  }
}

function byPattern(tool: string, decision: Permission, pattern: string): PermissionDecision {
  const said = { allow: 'allows', ask: 'asks about', deny: 'denies' }[decision]
  return { decision, reason: `a rule of ${tool} ${said}: ${pattern}` }
}

function byDefaultOf(rule: CompiledPatterns, tool: string): PermissionDecision {
  return { decision: rule.default, reason: `no pattern of ${tool} fits, and its default is ${rule.default}` }
}

function unknownOpinion(opinion: never): never {
  throw new Error(`unexpected opinion ${JSON.stringify(opinion)}`)
}
