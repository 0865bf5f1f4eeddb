/** Which open question a person means by what they typed. Pure. */
import type { ApprovalInfo } from '../../api.ts'
import { quote } from '../../core/ids.ts'
import { AgentryError } from '../../errors.ts'
import { MIN_PREFIX_LENGTH } from '../../store/find-session.ts'

const SHOWN_CANDIDATES = 3

/**
 * The one question whose id is `reference`, or begins with it (MIN_PREFIX_LENGTH characters or more). Throws `approval_not_found`, or
 * `invalid_input` where it fits several, which `data.candidates` names.
 */
export function findApproval(approvals: readonly ApprovalInfo[], reference: string): ApprovalInfo {
  const found =
    reference.length < MIN_PREFIX_LENGTH
      ? []
      : approvals.filter(({ approvalId }) => approvalId.startsWith(reference))
  const [first, ...more] = found
  if (first === undefined) {
    const message =
      `expected the id of an open question, or its beginning (${MIN_PREFIX_LENGTH} characters or more), ` +
      `received ${quote(reference)}`
    throw new AgentryError('approval_not_found', message, { data: { reference } })
  }
  if (more.length === 0) return first
  const ids = found.map(({ approvalId }) => approvalId)
  const rest = ids.length - SHOWN_CANDIDATES
  const shown = ids.slice(0, SHOWN_CANDIDATES).join(', ') + (rest > 0 ? ` and ${rest} more` : '')
  const message = `expected more of the id: ${quote(reference)} fits ${ids.length} questions: ${shown}`
  throw new AgentryError('invalid_input', message, { data: { reference, candidates: ids } })
}
