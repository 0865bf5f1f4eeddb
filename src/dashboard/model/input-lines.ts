/** The input line: whom it goes to, what is typed, where the cursor stands. Pure. */
import type { Frame } from './frame.ts'
import { editorLines } from './editor-lines.ts'
import { type Line, span } from './line.ts'
import type { DashboardState } from './state.ts'
import { cutToWidth, widthOf } from './text.ts'

type InputPart = Extract<Frame, { kind: 'panes' }>['input']

export function inputLines(state: DashboardState, columns: number, rows: number): InputPart {
  const typing = state.focus === 'input' && state.overlay === undefined && state.filter?.typing !== true
  const to = state.denying === undefined ? (state.agentId ?? 'nobody') : 'reason'
  const name = cutToWidth(to, Math.max(1, Math.floor(columns / 3)))
  const prompt = `${name} ❯ `
  const indent = widthOf(prompt)
  const { lines, cursor } = editorLines(state.input, columns - indent, rows)
  const shown: Line[] = lines.map((line, index) => [
    index === 0 ? span(prompt, typing ? 'accent' : 'dim') : span(' '.repeat(indent)),
    ...line,
  ])
  return { lines: shown, ...(typing && { cursor: { x: indent + cursor.x, y: cursor.y } }) }
}
