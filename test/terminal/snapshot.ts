import type { Emulator, StyledCell } from './emulator.ts'

/** The screen as text, and below it for each row what is not plain: for a file that people read. */
export function frameSnapshot(emulator: Emulator): string {
  const edge = '-'.repeat(emulator.columns)
  const legend = Array.from({ length: emulator.rows }, (_, y) => describeRow(emulator, y)).flat()
  return [`+${edge}+`, ...boxed(emulator), `+${edge}+`, ...legend, describeCursor(emulator), ''].join('\n')
}

function boxed(emulator: Emulator): string[] {
  return Array.from({ length: emulator.rows }, (_, y) => {
    const cells = Array.from({ length: emulator.columns }, (_, x) => emulator.cellAt(x, y).text)
    return `|${cells.join('')}|`
  })
}

/** `row:first-last style "text"` for each run of cells of one style. */
function describeRow(emulator: Emulator, y: number): string[] {
  const runs: { style: string; first: number; last: number; text: string }[] = []
  for (let x = 0; x < emulator.columns; x++) {
    const cell = emulator.cellAt(x, y)
    const style = describeStyle(cell)
    const run = runs.at(-1)
    if (run?.style === style) {
      run.last = x
      run.text += cell.text
    } else {
      runs.push({ style, first: x, last: x, text: cell.text })
    }
  }
  return runs
    .filter(({ style }) => style !== '')
    .map(({ style, first, last, text }) => `${y}:${first}-${last} ${style} ${JSON.stringify(text.trimEnd())}`)
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

function describeStyle(cell: StyledCell): string {
  const words = (['bold', 'dim', 'italic', 'underline', 'inverse'] as const).filter((name) => cell[name])
  return [
    cell.foreground === 'default' ? '' : colourName(cell.foreground),
    cell.background === 'default' ? '' : `on ${colourName(cell.background)}`,
    ...words,
  ]
    .filter((word) => word !== '')
    .join(' ')
}

function colourName(colour: string): string {
  const index = colour.startsWith('ansi:') ? Number(colour.slice('ansi:'.length)) : Infinity
  if (index < 8) return COLOURS[index] ?? colour
  return index < 16 ? `bright ${COLOURS[index - 8]}` : colour
}

function describeCursor({ cursor }: Emulator): string {
  return cursor.visible ? `cursor at ${cursor.y}:${cursor.x}` : 'cursor hidden'
}
