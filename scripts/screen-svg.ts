/** A screen of a terminal as an SVG: text that can be selected, no fonts of its own. Pure. */
import { widthOf } from '../src/dashboard/model/text.ts'
import type { StyledCell } from '../test/terminal/emulator.ts'

export interface DrawnScreen {
  readonly title: string
  /** By row; all rows have the same length. */
  readonly rows: readonly (readonly StyledCell[])[]
  readonly cursor?: { readonly x: number; readonly y: number }
}

const CELL_WIDTH = 8.4
const CELL_HEIGHT = 18
const FONT_SIZE = 14
/** From the top of a cell to the line that letters stand on. */
const BASELINE = 13.5
const BAR_HEIGHT = 32
const MARGIN = 12

const FOREGROUND = '#d5dae3'
const BACKGROUND = '#12151c'
const BAR = '#1d222c'
const MUTED = '#8b95a7'
const LIGHTS = ['#f06a6a', '#e8b84a', '#5cc274']
const FONTS =
  "ui-monospace, 'SF Mono', 'Cascadia Mono', 'JetBrains Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace"
/** The sixteen colours of the palette. */
const PALETTE = [
  '#2a303c',
  '#f06a6a',
  '#5cc274',
  '#e8b84a',
  '#6ba4f8',
  '#c58af0',
  '#4fc3cf',
  '#d5dae3',
  '#6d7789',
  '#ff8b8b',
  '#7fdc95',
  '#f5d072',
  '#8fbcff',
  '#dcaeff',
  '#7fe0ea',
  '#ffffff',
]
/** Steps of one channel in the cube of 6 x 6 x 6 that follows the sixteen. */
const CUBE = [0, 95, 135, 175, 215, 255]

export function screenSvg({ title, rows, cursor }: DrawnScreen): string {
  const columns = rows[0]?.length ?? 0
  const width = round(columns * CELL_WIDTH + 2 * MARGIN)
  const height = round(rows.length * CELL_HEIGHT + BAR_HEIGHT + 2 * MARGIN)
  const middle = BAR_HEIGHT / 2
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="10" fill="${BACKGROUND}"/>`,
    `<path d="M0 ${BAR_HEIGHT}V10A10 10 0 0 1 10 0H${width - 10}A10 10 0 0 1 ${width} 10V${BAR_HEIGHT}Z" fill="${BAR}"/>`,
    ...LIGHTS.map((fill, index) => `<circle cx="${20 + index * 20}" cy="${middle}" r="6" fill="${fill}"/>`),
    `<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${FOREGROUND}" xml:space="preserve">`,
    `<text x="${width / 2}" y="${middle + 4.5}" text-anchor="middle" fill="${MUTED}">${escaped(title)}</text>`,
    `<g transform="translate(${MARGIN} ${BAR_HEIGHT + MARGIN})">`,
    ...rows.flatMap((cells, y) => drawRow(cells, y)),
    ...(cursor ? [drawCursor(cursor)] : []),
    '</g>',
    '</g>',
    '</svg>',
    '',
  ].join('\n')
}

interface Run {
  /** All of one style. */
  readonly cell: StyledCell
  readonly x: number
  text: string
  columns: number
}

/** Backgrounds first, so that none covers a letter that reaches out of its cell. */
function drawRow(cells: readonly StyledCell[], y: number): string[] {
  const runs = runsOf(cells)
  return [
    ...runs.flatMap((run) => drawBackground(run, y)),
    ...runs.flatMap((run) => (run.cell.underline ? [run] : wordsOf(run))).map((run) => drawText(run, y)),
  ]
}

function runsOf(cells: readonly StyledCell[]): Run[] {
  const runs: Run[] = []
  for (const [x, cell] of cells.entries()) {
    const last = runs.at(-1)
    if (last && (cell.text === '' || styleOf(last.cell) === styleOf(cell))) {
      last.text += cell.text
      last.columns++
    } else {
      runs.push({ cell, x, text: cell.text, columns: 1 })
    }
  }
  return runs
}

/** The run without the spaces at its ends, broken where there are several: browsers draw many as one. */
function wordsOf({ cell, x, text }: Run): Run[] {
  const words: Run[] = []
  let column = x
  for (const part of text.split(/( {2,}|^ | $)/)) {
    const columns = widthOf(part)
    if (part.trim() !== '') words.push({ cell, x: column, text: part, columns })
    column += columns
  }
  return words
}

function styleOf(cell: StyledCell): string {
  return JSON.stringify({ ...cell, text: undefined })
}

function drawBackground({ cell, x, columns }: Run, y: number): string[] {
  const fill = cell.inverse ? foregroundOf(cell) : colourOf(cell.background, BACKGROUND)
  if (fill === BACKGROUND) return []
  const left = round(x * CELL_WIDTH)
  return [
    `<rect x="${left}" y="${y * CELL_HEIGHT}" width="${round(columns * CELL_WIDTH)}" height="${CELL_HEIGHT}" fill="${fill}"/>`,
  ]
}

/** As wide as its cells, whatever the font: columns stay columns. */
function drawText({ cell, x, text, columns }: Run, y: number): string {
  const fill = cell.inverse ? colourOf(cell.background, BACKGROUND) : foregroundOf(cell)
  const attributes = [
    fill === FOREGROUND ? '' : ` fill="${fill}"`,
    cell.bold ? ' font-weight="700"' : '',
    cell.italic ? ' font-style="italic"' : '',
    cell.underline ? ' text-decoration="underline"' : '',
    cell.dim ? ' opacity="0.6"' : '',
  ].join('')
  const place = `x="${round(x * CELL_WIDTH)}" y="${round(y * CELL_HEIGHT + BASELINE)}"`
  return `<text ${place} textLength="${round(columns * CELL_WIDTH)}"${attributes}>${escaped(text)}</text>`
}

function drawCursor({ x, y }: { x: number; y: number }): string {
  const left = round(x * CELL_WIDTH)
  return `<rect x="${left}" y="${y * CELL_HEIGHT}" width="2" height="${CELL_HEIGHT}" fill="${FOREGROUND}"/>`
}

function foregroundOf(cell: StyledCell): string {
  return colourOf(cell.foreground, FOREGROUND)
}

function colourOf(colour: string, fallback: string): string {
  if (colour === 'default') return fallback
  if (!colour.startsWith('ansi:')) return colour
  const index = Number(colour.slice('ansi:'.length))
  if (index < 16) return PALETTE[index] ?? fallback
  const channels =
    index < 232
      ? [36, 6, 1].map((step) => CUBE[Math.floor((index - 16) / step) % 6] ?? 0)
      : [0, 0, 0].map(() => 8 + (index - 232) * 10)
  return `#${channels.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
