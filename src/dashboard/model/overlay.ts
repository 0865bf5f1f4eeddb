/** The box over the panes: help, the palette, the session picker, questions. Pure. */
import { ageText } from '../../core/figures.ts'
import { plainLine } from '../../core/terminal-text.ts'
import type { OverlayBox } from './frame.ts'
import { helpLines } from './help.ts'
import { type Line, span } from './line.ts'
import { SESSION_LOOKS } from './session-lines.ts'
import type { DashboardState } from './state.ts'
import { inTone, scrolledTo, tableRow } from './table-lines.ts'
import { cutToWidth, widthOf, wrapToWidth } from './text.ts'
import { pickedEntries, pickedSessions } from './update-overlay.ts'

/** `rows`: of the panes that it lies over. */
export function overlayBox(state: DashboardState, columns: number, rows: number): OverlayBox | undefined {
  const { overlay } = state
  if (overlay === undefined) return undefined
  switch (overlay.kind) {
    case 'help': {
      const width = Math.min(columns, 100)
      const all = helpLines(width - 2)
      const height = Math.min(rows, all.length + 2)
      const top = Math.min(overlay.scroll, Math.max(0, all.length - (height - 2)))
      const more = all.length - top > height - 2 ? ' - ↓ for more' : ''
      return box(`Help${more} - any other key closes`, all.slice(top, top + height - 2), width, height)
    }
    case 'confirm': {
      const width = Math.min(columns, 70)
      const text = wrapToWidth(plainLine(overlay.question, 1000), width - 4)
      const lines: Line[] = [...text.map((line) => [span(` ${line}`)]), [span(' [y/N]', 'strong')]]
      return box('Sure?', lines, width, Math.min(rows, lines.length + 2))
    }
    case 'palette':
    case 'picker': {
      const width = Math.min(columns, 90)
      const height = Math.min(rows, 20)
      const inner = width - 2
      const room = Math.max(1, height - 3)
      const entries =
        overlay.kind === 'picker'
          ? pickedSessions(state, overlay.query.text).map((session) =>
              tableRow(
                [
                  { text: SESSION_LOOKS[session.status].glyph, tone: SESSION_LOOKS[session.status].tone, width: 1 },
                  { text: plainLine(session.name), tone: 'strong' },
                  { text: session.agentId, tone: 'accent', width: 14 },
                  { text: session.status, tone: SESSION_LOOKS[session.status].tone, width: 10 },
                  { text: ageText(session.lastAccessedAt, state.nowMs), tone: 'dim', width: 4, align: 'right' },
                ],
                inner,
              ),
            )
          : pickedEntries(overlay.query.text).map(({ label, summary, keys }) =>
              tableRow(
                [
                  { text: label, tone: 'accent', width: Math.min(34, Math.floor(inner / 2)) },
                  { text: summary },
                  { text: keys, tone: 'dim', width: 14, align: 'right' },
                ],
                inner,
              ),
            )
      const top = scrolledTo(overlay.index, overlay.index - Math.floor(room / 2), entries.length, room)
      const shown = entries
        .slice(top, top + room)
        .map((line, index) => (top + index === overlay.index ? inTone(line, 'selected') : line))
      const query = plainLine(overlay.query.text)
      const prompt: Line = [span('❯ ', 'accent'), span(cutToWidth(query, inner - 3))]
      const empty: Line = [span('nothing matches', 'dim')]
      const title = overlay.kind === 'picker' ? 'Open a session' : 'Commands'
      return {
        ...box(`${title} (${entries.length})`, [prompt, ...(shown.length > 0 ? shown : [empty])], width, height),
        cursor: {
          x: Math.min(inner - 1, 2 + widthOf(plainLine(overlay.query.text.slice(0, overlay.query.cursor)))),
          y: 0,
        },
      }
    }
  }
}

function box(title: string, lines: readonly Line[], width: number, height: number): OverlayBox {
  return { title: [span(title, 'strong')], lines, width, height }
}
