/** Open questions as people read them: all of what they would allow, nothing cut, made plain text. Pure. */
import type { ApprovalInfo } from '../../api.ts'
import { ageText, shortIdLength } from '../../core/figures.ts'
import type { ApprovalAnswer, ApprovalDecision, Grant } from '../../core/session-state.ts'
import { plainLine, plainText, verbatimLine } from '../../core/terminal-text.ts'

/** One block for each question, with as much of its id as the answer needs. */
export function approvalList(approvals: readonly ApprovalInfo[], nowMs: number): string {
  if (approvals.length === 0) return 'no open questions'
  const idLength = shortIdLength(approvals.map(({ approvalId }) => approvalId))
  const now = new Date(nowMs).toISOString()
  const blocks = approvals.map((approval) => {
    const { approvalId, sessionName, askedAt, expiresAt } = approval
    const times = `asked ${ageText(askedAt, nowMs)} ago, expires in ${ageText(now, Date.parse(expiresAt))}`
    return [
      `${approvalId.slice(0, idLength)}  ${questionText(approval)}`,
      field('session', plainLine(sessionName)),
      field('time', times),
    ].join('\n')
  })
  return blocks.join('\n\n')
}

/** Who asks for what and why, and what a yes for the session would allow. */
export function questionText(approval: ApprovalInfo): string {
  const { agentId, tool, subject, detail, reason, grant, askedBy } = approval
  const who = askedBy === undefined ? agentId : `${agentId} (asked by ${askedBy.agentId})`
  const what = subject === '' ? plainLine(tool) : `${plainLine(tool)}: ${indented(subject)}`
  return [
    `${who} asks for ${what}`,
    ...(detail === undefined ? [] : [field('with', indented(detail))]),
    field('why', indented(reason)),
    field('always', `would allow ${grantText(grant)} for the rest of the session`),
  ].join('\n')
}

/** `shell npm publish`: on one line, cut where it is long. */
export function questionLine({ tool, subject }: Pick<ApprovalInfo, 'tool' | 'subject'>): string {
  return verbatimLine(`${tool} ${subject}`)
}

export function decisionText({ decision, by }: Pick<ApprovalAnswer, 'decision' | 'by'>): string {
  if (by === 'timeout') return 'denied: nobody answered in time'
  return DECISIONS[decision]
}

const DECISIONS: Record<ApprovalDecision, string> = {
  once: 'allowed once',
  session: 'allowed for the rest of the session',
  deny: 'denied',
}

function grantText({ tool, pattern }: Grant): string {
  const name = plainLine(tool)
  return pattern === undefined ? `${name}, whatever it is given,` : `${name}: ${indented(pattern)}`
}

function field(name: string, value: string): string {
  return `  ${name.padEnd(9)}${value}`
}

/** Lines behind the first one stand apart from what is said about them: no subject can look like a line of ours. */
function indented(text: string): string {
  return plainText(text).trimEnd().replaceAll('\n', '\n    | ')
}
