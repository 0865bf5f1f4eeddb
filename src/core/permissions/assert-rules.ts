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
