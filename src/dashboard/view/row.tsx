/** One row of the screen. */
import { Text } from 'ink'
import { memo, type ReactNode } from 'react'
import stringWidth from 'string-width'
import type { Line, Tone } from '../model/line.ts'
import type { Paint } from './theme.ts'

export interface RowProps {
  readonly line: Line
  readonly width: number
  readonly paint: Paint
}

/** The line over the whole width. Drawn anew only for another line: selectors that give the same one again cost nothing here. */
export const Row: (props: RowProps) => ReactNode = memo(function Row({ line, width, paint }: RowProps) {
  return <Text wrap="truncate">{paintedRow(line, width, paint)}</Text>
})

/** The line padded to `width` columns. A row that is chosen is so to its end. */
export function paintedRow(line: Line, width: number, paint: Paint): string {
  const rest = ' '.repeat(Math.max(0, width - lineWidth(line)))
  return painted(line, paint) + paint(rest, rowTone(line))
}

export function painted(line: Line, paint: Paint): string {
  return line.map(({ text, tone }) => paint(text, tone)).join('')
}

/** Columns of the terminal. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + stringWidth(text), 0)
}

function rowTone(line: Line): Tone {
  const tone = line[0]?.tone
  return tone === 'selected' || tone === 'chosen' ? tone : 'plain'
}
