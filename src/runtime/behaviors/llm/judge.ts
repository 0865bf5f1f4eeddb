import { decide, grantFor } from '../../../core/permissions/rules.ts'
import type { PermissionRules } from '../../../llm-spec.ts'
import type { Judge } from './run-calls.ts'

/** What an agent's rules, and what a person has allowed in the session, say to a call. */
export function createJudge(rules: PermissionRules): Judge {
  return (tool, input, context, grants) => {
    const subject = tool.subject?.(input, context)
    const { name, readOnly } = tool
    const { decision, reason } = decide(rules, { tool: name, ...(subject && { subject }), readOnly }, grants)
    switch (decision) {
      case 'allow':
        return { decision }
      case 'deny':
        return { decision, reason }
      case 'ask':
        return { decision, reason, subject: subject?.text ?? '', grant: grantFor(name, subject) }
    }
  }
}
