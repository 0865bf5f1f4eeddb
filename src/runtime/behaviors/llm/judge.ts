/** Permission rules, as the calls of a model are judged by. */
import { compileRules, decide, grantFor } from '../../../core/permissions/rules.ts'
import type { PermissionRules } from '../../../core/permissions/rule-types.ts'
import type { Judge } from './run-calls.ts'

/** Throws `invalid_config` for rules that cannot be read. The judge throws what a tool's `subject` throws. */
export function createJudge(rules: PermissionRules): Judge {
  const compiled = compileRules(rules)
  return (tool, input, context, grants) => {
    const subject = tool.subject?.(input, context)
    const call = {
      tool: tool.name,
      readOnly: tool.readOnly,
      workingDir: context.workingDir,
      ...(subject !== undefined && { subject }),
    }
    const { decision, reason } = decide(compiled, call, grants)
    if (decision === 'allow') return { decision }
    if (decision === 'deny') return { decision, reason }
    return { decision, reason, subject: subject?.text ?? '', grant: grantFor(tool.name, subject) }
  }
}
