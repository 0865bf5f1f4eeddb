/** One row of the screen. */
import { Text } from 'ink'
import { memo, type ReactNode } from 'react'
import type { Line, Tone } from '../model/line.ts'
import { widthOf } from '../model/text.ts'
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

/**
 * A row that is chosen is so to its end. Others are not padded: Ink's cells are blank already, and each character that it is given costs it
 * as much as all the rest of drawing it.
 */
function paintedRow(line: Line, width: number, paint: Paint): string {
  const tone = rowTone(line)
  if (tone === 'plain') return painted(line, paint) || ' ' // Nothing at all would have no height.
  return painted(line, paint) + paint(' '.repeat(Math.max(0, width - lineWidth(line))), tone)
}

export function painted(line: Line, paint: Paint): string {
  return line.map(({ text, tone }) => paint(text, tone)).join('')
}

/** Columns of the terminal. */
export function lineWidth(line: Line): number {
  return line.reduce((sum, { text }) => sum + widthOf(text), 0)
}

/** The tone in which to pad the line: that of its beginning where it is a chosen one. */
export function rowTone(line: Line): Tone {
  const tone = line[0]?.tone
  return tone === 'selected' || tone === 'chosen' ? tone : 'plain'
}
