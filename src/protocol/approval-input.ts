import { quote } from '../core/ids.ts'
import { assertText } from '../core/json.ts'
import { APPROVAL_DECISIONS, type ApprovalDecision } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'

/** Characters of the reason that a person gives with a no. */
export const MAX_REASON = 4_000

/** What a caller gives as the answer to a question. Throws `invalid_input`. */
export function assertApprovalAnswer(answer: { decision: ApprovalDecision; reason?: string | undefined }): {
  decision: ApprovalDecision
  reason?: string
} {
  const { decision, reason } = answer
  if (!APPROVAL_DECISIONS.includes(decision)) {
    throw invalid('decision', `one of ${APPROVAL_DECISIONS.join(', ')}`, quote(decision))
  }
  if (reason === undefined) return { decision }
  if (typeof reason !== 'string') throw invalid('reason', 'text', typeof reason)
  assertText(reason, 'reason')
  if (reason.length > MAX_REASON) {
    throw invalid('reason', `at most ${MAX_REASON} characters`, `${reason.length}`)
  }
  return { decision, reason }
}

function invalid(path: string, expected: string, received: string): AgentryError {
  return new AgentryError('invalid_input', `${path}: expected ${expected}, received ${received}`)
}
