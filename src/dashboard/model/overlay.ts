/** The box over the panes: help, the palette, the session picker, questions. Pure. */
import type { SessionInfo } from '../../api.ts'
import { ageText } from '../../core/figures.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { assertNever } from '../../errors.ts'
import { approvalsBox } from './approvals-box.ts'
import type { OverlayBox } from './frame.ts'
import { helpLines, type PaletteEntry } from './help.ts'
import { type Line, span } from './line.ts'
import type { LineEditor } from './line-editor.ts'
import { SESSION_LOOKS } from './session-lines.ts'
import type { DashboardState } from './state.ts'
import { inTone, scrolledTo, tableRow } from './table-lines.ts'
import { cutToWidth, widthOf, wrapToWidth } from './text.ts'
import { type Picked, pickedEntries, pickedSessions } from './update-overlay.ts'

const HELP_WIDTH = 100
const QUESTION_WIDTH = 70
const CHOICE = { width: 104, height: 20 }

/** `rows`: of the panes that it lies over. */
export function overlayBox(state: DashboardState, columns: number, rows: number): OverlayBox | undefined {
  const { overlay } = state
  switch (overlay?.kind) {
    case undefined:
      return undefined
    case 'help':
      return helpBox(overlay.scroll, columns, rows)
    case 'approvals':
      return approvalsBox(state, overlay.scroll, columns, rows)
    case 'confirm':
      return questionBox(overlay.question, columns, rows)
    case 'palette': {
      const entries = pickedEntries(overlay.query.text)
      const lines = (width: number): Line[] => entries.map((entry) => entryLine(entry, width))
      return choiceBox('Commands', overlay, lines, columns, rows)
    }
    case 'picker': {
      const sessions = pickedSessions(state, overlay.query.text)
      const lines = (width: number): Line[] =>
        sessions.map((picked) => sessionLine(picked, state.nowMs, width))
      return choiceBox('Open a session', overlay, lines, columns, rows)
    }
    default:
      return assertNever(overlay)
  }
}

function helpBox(scroll: number, columns: number, rows: number): OverlayBox {
  const width = Math.min(columns, HELP_WIDTH)
  const all = helpLines(width - 2)
  const height = Math.min(rows, all.length + 2)
  const room = height - 2
  const top = Math.min(scroll, Math.max(0, all.length - room))
  const more = all.length - top > room ? ' - ↓ for more' : ''
  return box(`Help${more} - any other key closes`, all.slice(top, top + room), width, height)
}

function questionBox(question: string, columns: number, rows: number): OverlayBox {
  const width = Math.min(columns, QUESTION_WIDTH)
  const text = wrapToWidth(plainLine(question, 1000), width - 4)
  const lines: Line[] = [...text.map((line) => [span(` ${line}`)]), [span(' [y/N]', 'strong')]]
  return box('Sure?', lines, width, Math.min(rows, lines.length + 2))
}

function choiceBox(
  title: string,
  { query, index }: { readonly query: LineEditor; readonly index: number },
  linesOf: (width: number) => Line[],
  columns: number,
  rows: number,
): OverlayBox {
  const width = Math.min(columns, CHOICE.width)
  const height = Math.min(rows, CHOICE.height)
  const inner = width - 2
  const room = Math.max(1, height - 3)
  const entries = linesOf(inner)
  const top = scrolledTo(index, index - Math.floor(room / 2), entries.length, room)
  const shown = entries
    .slice(top, top + room)
    .map((line, at) => (top + at === index ? inTone(line, 'selected') : line))
  const prompt: Line = [span('❯ ', 'accent'), span(cutToWidth(plainLine(query.text), inner - 3))]
  const nothing: Line = [span('nothing matches', 'dim')]
  const lines = [prompt, ...(shown.length > 0 ? shown : [nothing])]
  const before = widthOf(plainLine(query.text.slice(0, query.cursor)))
  return {
    ...box(`${title} (${entries.length})`, lines, width, height),
    cursor: { x: Math.min(inner - 1, 2 + before), y: 0 },
  }
}

function entryLine({ item, positions }: Picked<PaletteEntry>, width: number): Line {
  const { label, summary, keys } = item
  return tableRow(
    [
      {
        text: label,
        tone: 'accent',
        width: Math.min(36, Math.floor(width / 2)),
        ...(positions && { found: positions }),
      },
      { text: summary },
      { text: keys, tone: 'dim', width: 12, align: 'right' },
    ],
    width,
  )
}

function sessionLine({ item: session, positions }: Picked<SessionInfo>, nowMs: number, width: number): Line {
  const { glyph, tone } = SESSION_LOOKS[session.status]
  return tableRow(
    [
      { text: glyph, tone, width: 1 },
      { text: plainLine(session.name), ...(positions && { found: positions }) },
      { text: session.agentId, tone: 'accent', width: 14 },
      { text: session.status, tone, width: 10 },
      { text: ageText(session.lastAccessedAt, nowMs), tone: 'dim', width: 4, align: 'right' },
    ],
    width,
  )
}

function box(title: string, lines: readonly Line[], width: number, height: number): OverlayBox {
  return { title: [span(title, 'strong')], lines, width, height }
}
