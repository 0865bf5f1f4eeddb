/** The box with all open questions, and all of the one that is chosen. Pure. */
import type { ApprovalInfo } from '../../api.ts'
import { ageText } from '../../core/figures.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { readable } from './conversation-items.ts'
import type { OverlayBox } from './frame.ts'
import { type Line, span } from './line.ts'
import { answerKeys, grantText, leftText, oneLine } from './question-lines.ts'
import { openApprovals, shownApproval } from './questions.ts'
import type { DashboardState } from './state.ts'
import { inTone, scrolledTo, tableRow } from './table-lines.ts'
import { cutSpans, cutToWidth, widthOf, wrapToWidth } from './text.ts'

const WIDTH = 104
const MAX_HEIGHT = 30
const MAX_LISTED = 6
/** The rule between list and question, and the keys. */
const FIXED_ROWS = 2

export function approvalsBox(
  state: DashboardState,
  scroll: number,
  columns: number,
  rows: number,
): OverlayBox {
  const width = Math.min(columns, WIDTH)
  const inner = Math.max(0, width - 2)
  const open = openApprovals(state)
  const chosen = shownApproval(state)
  const detail = chosen === undefined ? [] : detailLines(chosen, state.nowMs, inner)
  const listed = Math.min(open.length, MAX_LISTED, Math.max(1, Math.floor((rows - 2 - FIXED_ROWS) / 2)))
  const height = Math.min(rows, MAX_HEIGHT, listed + FIXED_ROWS + detail.length + 2)
  const room = Math.max(0, height - 2 - listed - FIXED_ROWS)
  const top = Math.min(scroll, Math.max(0, detail.length - room))
  const more = detail.length - top > room ? ' - PageDown for more' : ''
  const lines: Line[] = [
    ...listLines(state, open, chosen, inner, listed),
    [span('─'.repeat(inner), 'dim')],
    ...detail.slice(top, top + room),
    ...(chosen === undefined ? [] : [keysLine(chosen, state.question?.armed === true, inner)]),
  ]
  const title = cutToWidth(`Questions (${open.length})${more}`, Math.max(0, inner - 4))
  return { title: [span(title, 'strong')], lines, width, height }
}

function listLines(
  state: DashboardState,
  open: readonly ApprovalInfo[],
  chosen: ApprovalInfo | undefined,
  width: number,
  rows: number,
): Line[] {
  const index = open.findIndex(({ approvalId }) => approvalId === chosen?.approvalId)
  const top = scrolledTo(index, index - Math.floor(rows / 2), open.length, rows)
  return open.slice(top, top + rows).map((approval, at) => {
    const line = tableRow(
      [
        { text: '?', tone: 'ask', width: 1 },
        { text: plainLine(approval.agentId), tone: 'accent', width: Math.min(14, Math.floor(width / 4)) },
        { text: plainLine(approval.tool), tone: 'strong', width: Math.min(12, Math.floor(width / 4)) },
        { text: oneLine(approval) },
        {
          text: leftText(approval, state.nowMs),
          tone: 'dim',
          width: Math.min(10, Math.floor(width / 4)),
          align: 'right',
        },
      ],
      width,
    )
    return top + at === index ? inTone(line, 'selected') : line
  })
}

function detailLines(approval: ApprovalInfo, nowMs: number, width: number): Line[] {
  const { approvalId, agentId, askedBy, sessionName, tool, subject, detail, reason, askedAt } = approval
  const whom = askedBy === undefined ? '' : `, which works for ${plainLine(askedBy.agentId)},`
  const rows = (text: string, tone: 'plain' | 'dim' | 'strong' = 'plain'): Line[] =>
    wrapToWidth(text, width).map((row) => [span(row, tone)])
  return [
    ...rows(`${plainLine(agentId)}${whom} asks for ${plainLine(tool)} in session ${plainLine(sessionName)}`),
    [],
    ...(subject === '' ? [] : [...rows(readable(subject), 'strong'), []]),
    ...(detail === undefined ? [] : [...rows(readable(detail)), []]),
    ...(reason === '' ? [] : rows(`why: ${readable(reason)}`)),
    ...rows(`always would allow, in this session: ${grantText(approval)}`),
    ...rows(`asked ${ageText(askedAt, nowMs)} ago · ${leftText(approval, nowMs)} · ${approvalId}`, 'dim'),
  ]
}

function keysLine(approval: ApprovalInfo, open: boolean, width: number): Line {
  const [y, once, n, no, a] = answerKeys(approval, open)
  const keys = [y, once, n, no, a].filter((one) => one !== undefined)
  const rest = span(' always  Enter its session  Esc close', 'dim')
  const line = cutSpans([...keys, rest], width)
  return widthOf(line.map(({ text }) => text).join('')) > width ? [] : line
}
