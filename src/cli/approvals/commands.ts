/** `agentry approvals list | answer`. */
import type { ApprovalDecision } from '../../core/session-state.ts'
import { AgentryError } from '../../errors.ts'
import { type CommandContext, withTeam } from '../open-team.ts'
import { findApproval } from './find.ts'
import { approvalList, decisionText, questionLine } from './view.ts'

/** The open questions, oldest first; with --json `{ "approvals": [ … ] }`. Wakes nobody. */
export async function listApprovals(context: CommandContext): Promise<void> {
  await withTeam(context, { resume: false }, async (team) => {
    const approvals = await team.approvals()
    context.report.answer({ approvals }, () => approvalList(approvals, context.io.clock.now()))
  })
}

export interface AnswerOptions {
  /** For the model, with a no. */
  reason?: string
}

/**
 * Answers one question, durably; with --json the question and the `decision`. Where no supervisor runs, its turn stays as it is
 * until its agent is next started. Throws `approval_not_found`, `invalid_input`.
 */
export async function answerApproval(
  context: CommandContext,
  reference: string,
  decision: ApprovalDecision,
  { reason }: AnswerOptions,
): Promise<void> {
  if (reason !== undefined && decision !== 'deny') {
    throw new AgentryError(
      'invalid_input',
      `expected --reason with deny alone: of ${decision} the model hears none`,
    )
  }
  await withTeam(context, { resume: false }, async (team) => {
    const { approvalId } = findApproval(await team.approvals(), reference)
    const answer = { decision, ...(reason !== undefined && { reason }) }
    const approval = await team.answerApproval(approvalId, answer)
    context.report.answer({ ...approval, decision }, () => {
      const done = `${decisionText({ decision, by: 'person' })}: ${questionLine(approval)}, for ${approval.agentId}`
      return 'url' in team ? done : `${done}; its turn goes on when the agent is next started`
    })
  })
}
