/** `agentry approvals …` as commander has it. */
import { Argument, type Command } from 'commander'
import { APPROVAL_DECISIONS } from '../../core/session-state.ts'
import type { ActionOf } from '../action.ts'
import { answerApproval, listApprovals } from './commands.ts'

export function addApprovalCommands(program: Command, action: ActionOf): void {
  const approvals = program
    .command('approvals')
    .summary('what agents ask before they go on')
    .description('The questions of agents that wait for a yes or no before they run a tool.')
  approvals
    .command('list', { isDefault: true })
    .description('List the open questions, oldest first; the same as no command.')
    .action(action(listApprovals))
  approvals
    .command('answer')
    .description(
      'Answer a question: allow the call once, allow the like for the rest of the session, or deny it.',
    )
    .argument('<approval>', 'id of the question, or its beginning')
    .addArgument(new Argument('<decision>', 'the answer').choices(APPROVAL_DECISIONS))
    .option('--reason <text>', 'with deny: what the agent is told')
    .action(action(answerApproval))
}
