/** What holds for tools that no rule names. */
import type { Permission, PermissionSubject } from './rule-types.ts'
import { harmProblem, type Surroundings } from './harmless-commands.ts'

/** Of the agent's own notes and its team: nothing outside of those changes. */
const ALLOWED = ['remember', 'recall', 'todo', 'list_agents', 'ask_agent', 'tell_agent']

export interface DefaultCall extends Surroundings {
  tool: string
  subject: PermissionSubject
  readOnly: boolean
}

/** Reading is allowed, and command lines that only read; the rest asks. Never deny. */
export function defaultDecision({ tool, subject, readOnly, ...surroundings }: DefaultCall): {
  decision: Exclude<Permission, 'deny'>
  reason: string
} {
  if (readOnly || ALLOWED.includes(tool))
    return { decision: 'allow', reason: `${tool} is allowed by default` }
  if (tool !== 'shell' || subject.kind !== 'command') {
    return { decision: 'ask', reason: `${tool} asks by default` }
  }
  const problem = harmProblem(subject.text, surroundings)
  return problem === undefined
    ? { decision: 'allow', reason: 'the command only reads' }
    : { decision: 'ask', reason: `commands ask by default, unless they are known to only read (${problem})` }
}
