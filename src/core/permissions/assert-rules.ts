/** Permission rules as they are written in a file, checked before anything runs by them. */
import { AgentryError } from '../../errors.ts'
import { quote } from '../ids.ts'
import { didYouMean } from '../suggest.ts'
import { compileRules } from './compile-rules.ts'
import type { PermissionRules } from './rule-types.ts'

/** As providers take names of tools, or with `__*` behind the name of a server. */
const NAME = /^(?:\*|[A-Za-z0-9_-]{1,64}|[A-Za-z0-9][A-Za-z0-9_-]*__\*)$/u

/**
 * Throws `invalid_config` for a pattern that its tool cannot read, and for the name of a tool that cannot be one. What custom
 * tools are called is not known here: a name that is not among `knownTools` is refused only where it is near to one of those, so
 * most likely mistyped.
 */
export function assertPermissionRules(rules: PermissionRules, knownTools: readonly string[]): void {
  for (const tool of Object.keys(rules)) {
    if (knownTools.includes(tool)) continue
    const hint = tool.includes('__') ? '' : didYouMean(tool, knownTools)
    if (NAME.test(tool) && hint === '') continue
    throw new AgentryError(
      'invalid_config',
      `expected the name of a tool, server__* or *, received ${quote(tool)}${hint}`,
    )
  }
  compileRules(rules)
}

export interface AgentTools {
  /** Names of all tools but those of MCP servers. */
  tools: readonly string[]
  /** Names of MCP servers; what tools they have is not known before they run. */
  servers: readonly string[]
}

/** Throws `invalid_config` for a rule that names no tool the agent could have: a mistyped deny would hold nothing back. */
export function assertRulesNameTools(rules: PermissionRules, { tools, servers }: AgentTools): void {
  for (const name of Object.keys(rules)) {
    if (name === '*' || tools.includes(name) || servers.some((server) => name.startsWith(`${server}__`)))
      continue
    if (name.endsWith('__*') && tools.some((tool) => tool.startsWith(name.slice(0, -1)))) continue
    const known = name.includes('__') ? servers.map((server) => `${server}__*`) : tools
    throw new AgentryError(
      'invalid_config',
      `expected the name of a tool that the agent has, or of one of its MCP servers (server__*), received ${quote(name)}${didYouMean(name, known)}`,
    )
  }
}

/** The names among the rules of tools that MCP servers do not have, of those servers that have told theirs. */
export function unknownServerTools(rules: PermissionRules, served: readonly string[]): string[] {
  const serverOf = (name: string): string => name.slice(0, name.indexOf('__') + 2)
  const servers = new Set(served.map(serverOf))
  return Object.keys(rules).filter(
    (name) =>
      name.includes('__') && !name.endsWith('*') && servers.has(serverOf(name)) && !served.includes(name),
  )
}
