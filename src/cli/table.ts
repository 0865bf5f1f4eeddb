/** Tables as people read them. Pure. */
import { plainLine } from '../core/terminal-text.ts'

const MAX_CELL = 40

/**
 * Rows below a head, in columns as wide as their widest cell; every cell is made one plain line. `paint` may put colours round
 * the padded cell of a row and column (both from 0, the head not counted).
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (cell: string, row: number, column: number) => string = (cell) => cell,
): string {
  const plainRows = rows.map((row) => row.map((cell) => plainLine(cell, MAX_CELL)))
  const widths = head.map((title, column) =>
    Math.max(title.length, ...plainRows.map((row) => row[column]?.length ?? 0)),
  )
  const pad = (cell: string, column: number): string => cell.padEnd(widths[column] ?? 0)
  const lines = plainRows.map((row, index) =>
    row.map((cell, column) => paint(pad(cell, column), index, column)).join('  '),
  )
  return [head.map(pad).join('  '), ...lines].map((line) => line.trimEnd()).join('\n')
}
