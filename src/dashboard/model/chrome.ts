/** What stands below the panes, and with that how high these are. Pure. */
import { attentionOf } from './attention.ts'
import type { ConversationSize } from './conversation-lines.ts'
import type { Frame } from './frame.ts'
import { inputLines } from './input-lines.ts'
import { layoutOf } from './layout.ts'
import { type Line, span } from './line.ts'
import { questionLines } from './question-lines.ts'
import type { DashboardState } from './state.ts'
import { noticeLines } from './status-lines.ts'
import { cutSpans } from './text.ts'

type PanesFrame = Extract<Frame, { kind: 'panes' }>

export interface Chrome extends Pick<PanesFrame, 'strip' | 'notice' | 'input'> {
  /** Rows of the panes, their titles included. */
  readonly height: number
}

const STATUS_ROWS = 1
/** Of the panes, whatever there is to say below them. */
const LEAST_HEIGHT = 2

export function chromeOf(state: DashboardState): Chrome {
  const { columns, rows } = state.size
  const { stripRows, questionRows, noticeRows, inputRows } = layoutOf(state)
  const strip = [...stripLines(state, columns, stripRows), ...questionLines(state, columns, questionRows)]
  const input = inputLines(state, columns, inputRows)
  const left = rows - strip.length - input.lines.length - STATUS_ROWS
  const notice = noticeLines(state, columns, Math.min(noticeRows, left - LEAST_HEIGHT))
  return { strip, notice, input, height: left - notice.length }
}

/** The room that the conversation has below its title. */
export function conversationSizeOf(state: DashboardState): ConversationSize {
  const { width, inset } = layoutOf(state).main
  return { width: width - inset, height: Math.max(1, chromeOf(state).height - 1), nowMs: state.nowMs }
}

/** Who needs the user: the worst first; what does not fit is counted. */
function stripLines(state: DashboardState, columns: number, rows: number): readonly Line[] {
  const items = attentionOf(state)
  if (items.length === 0 || rows === 0) return []
  const shown = items.length > rows ? items.slice(0, rows) : items
  return shown.map(({ agentId, tone, text }, index) => {
    const more =
      index === shown.length - 1 && items.length > shown.length
        ? ` (+${items.length - shown.length} more: ctrl+n)`
        : ''
    const said = span(`${text}${more}`, tone === 'bad' ? 'strong' : 'plain')
    return cutSpans([span(`! ${agentId} `, tone), said], columns)
  })
}
