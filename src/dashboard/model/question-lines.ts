/** The oldest open question, as it stands above the input line. Pure. */
import type { ApprovalInfo } from '../../api.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { readable } from './conversation-items.ts'
import { type Line, type Span, span } from './line.ts'
import { openApprovals } from './questions.ts'
import type { DashboardState } from './state.ts'
import { cutSpans, cutToWidth, widthOf, wrapToWidth } from './text.ts'

/** More of a subject is never laid out: it is cut long before. */
const SUBJECT_CHARS = 20_000
const MARK = '… Ctrl-T: all'
const INDENT = '  '

/** At most `rows`: who asks for what, the subject and the rest as far as they fit, and what keys do. */
export function questionLines(state: DashboardState, columns: number, rows: number): readonly Line[] {
  const open = openApprovals(state)
  const approval = state.denying?.approval ?? open[0]
  if (approval === undefined || rows <= 0) return []
  const others = open.filter(({ approvalId }) => approvalId !== approval.approvalId).length
  const head = headSpans(approval)
  const keys = keyLine(state, approval, others, columns)
  if (rows < 3) {
    const inline = oneLine(approval)
    const used = widthOf(head.map(({ text }) => text).join(''))
    const first = cutSpans(
      [...head, ...(inline === '' ? [] : fitted(`: ${inline}`, columns - used))],
      columns,
    )
    return rows === 1 ? [withKeysInShort(state, first, columns)] : [first, keys]
  }
  const why = approval.reason === '' ? [] : [span(` - ${plainLine(approval.reason)}`, 'dim')]
  return [cutSpans([...head, ...why], columns), ...subjectLines(approval, columns, rows - 2), keys]
}

/** `? coder for lead: shell`. */
function headSpans({ agentId, askedBy, tool }: ApprovalInfo): readonly Span[] {
  return [
    span('? ', 'ask'),
    span(plainLine(agentId), 'ask'),
    ...(askedBy === undefined ? [] : [span(` for ${plainLine(askedBy.agentId)}`)]),
    span(' asks for '),
    span(plainLine(tool), 'strong'),
  ]
}

/** The subject on one line, its line ends shown. */
export function oneLine({ subject }: Pick<ApprovalInfo, 'subject'>): string {
  const lines = readable(subject.slice(0, SUBJECT_CHARS)).trim().split('\n')
  return plainLine(lines.join(' ⏎ '), SUBJECT_CHARS)
}

/** All of the text, or as much as there is room for and a mark that there is more. */
function fitted(text: string, width: number): readonly Span[] {
  if (widthOf(text) <= width) return [span(text)]
  const room = width - widthOf(MARK)
  return room < 1 ? [span(cutToWidth(text, width))] : [span(beginning(text, room)), span(MARK, 'ask')]
}

/** Without an ellipsis of its own. */
function beginning(text: string, width: number): string {
  const cut = cutToWidth(text, width + 1)
  return cut.endsWith('…') ? cut.slice(0, -1) : cutToWidth(text, width)
}

function subjectLines(
  { subject, detail = '' }: ApprovalInfo,
  columns: number,
  rows: number,
): readonly Line[] {
  const all = `${subject}\n${detail}`.trimEnd()
  const text = readable(all.slice(0, SUBJECT_CHARS)).trim()
  if (text === '') return []
  const room = columns - INDENT.length
  const wrapped = wrapToWidth(text, room)
  const shown = wrapped.slice(0, rows)
  const cut = wrapped.length > rows || all.length > SUBJECT_CHARS
  return shown.map((row, index) => {
    if (!cut || index < shown.length - 1) return [span(INDENT), span(row)]
    const left = room - widthOf(MARK)
    return left < 1
      ? [span(cutToWidth(INDENT + row, columns))]
      : [span(INDENT), span(widthOf(row) <= left ? row : beginning(row, left)), span(MARK, 'ask')]
  })
}

/** Where a row is all there is. */
function withKeysInShort(state: DashboardState, line: Line, columns: number): Line {
  const keys = state.denying === undefined ? ' y/a/n' : ' Enter: no'
  if (columns < 40) return line
  const room = columns - keys.length
  const shown = cutSpans(line, room)
  const used = widthOf(shown.map(({ text }) => text).join(''))
  return [...shown, span(' '.repeat(room - used)), span(keys, 'ask')]
}

/** What keys do on the left; on the right for how long it is open, and how many more there are. */
function keyLine(state: DashboardState, approval: ApprovalInfo, others: number, columns: number): Line {
  const right = [leftText(approval, state.nowMs), ...(others > 0 ? [`+${others} more`] : [])].join(' · ')
  const room = columns - widthOf(right) - 2
  const keys = cutSpans([span(INDENT), ...keySpans(state, approval)], Math.max(0, room))
  const used = widthOf(keys.map(({ text }) => text).join(''))
  if (room < 12) return cutSpans([span(INDENT), ...keySpans(state, approval)], columns)
  return [...keys, span(' '.repeat(columns - used - widthOf(right))), span(right, 'dim')]
}

function keySpans(state: DashboardState, approval: ApprovalInfo): readonly Span[] {
  if (state.denying !== undefined)
    return [span('no: a reason, if you like - Enter sends, Esc goes back', 'ask')]
  if (state.question === undefined) return [span('Ctrl-T to answer', 'dim')]
  return answerKeys(approval, state.question.armed)
}

/** The answers by their keys. `open`: they are taken now. */
export function answerKeys(approval: ApprovalInfo, open: boolean): readonly Span[] {
  const key = open ? 'ask' : 'dim'
  const word = open ? 'plain' : 'dim'
  return [
    span('y', key),
    span(' once  ', word),
    span('n', key),
    span(' no  ', word),
    span('a', key),
    span(` always in this session: ${grantText(approval)}`, word),
  ]
}

/** What the answer `session` allows. */
export function grantText({ grant: { tool, pattern } }: Pick<ApprovalInfo, 'grant'>): string {
  return pattern === undefined
    ? `all of ${plainLine(tool)}`
    : `${plainLine(tool)} ${plainLine(pattern, SUBJECT_CHARS)}`
}

/** `4m left`, in whole units, at least what is left. */
export function leftText({ expiresAt }: Pick<ApprovalInfo, 'expiresAt'>, nowMs: number): string {
  const seconds = Math.ceil((Date.parse(expiresAt) - nowMs) / 1000)
  if (!(seconds > 0)) return 'time is up'
  if (seconds < 120) return `${seconds}s left`
  if (seconds < 7_200) return `${Math.ceil(seconds / 60)}m left`
  return seconds < 172_800 ? `${Math.ceil(seconds / 3_600)}h left` : `${Math.ceil(seconds / 86_400)}d left`
}
