/** A terminal without a window: what was written to it, and how it looks. */
import xterm from '@xterm/headless'
import stringWidth from 'string-width'

export interface StyledCell {
  /** '' for the second half of a wide character. */
  readonly text: string
  /** 'default', the number of the palette as `ansi:2`, or `#rrggbb`. */
  readonly foreground: string
  readonly background: string
  readonly bold: boolean
  readonly dim: boolean
  readonly italic: boolean
  readonly underline: boolean
  readonly inverse: boolean
}

/** As most terminals measure: each character by itself, what a character joins to the one before it has no columns. */
const BY_CHARACTER: xterm.IUnicodeVersionProvider & {
  charProperties(codepoint: number, preceding: number): number
} = {
  version: 'by character',
  wcwidth: widthOfCharacter,
  // xterm's own encoding: the width from bit 1 on, bit 0 for what joins.
  charProperties(codepoint, preceding) {
    const width = widthOfCharacter(codepoint)
    const joins = width === 0 && preceding !== 0
    return ((joins ? (preceding >> 1) & 3 : width) << 1) | (joins ? 1 : 0)
  },
}

function widthOfCharacter(codepoint: number): 0 | 1 | 2 {
  if (codepoint < 0x300) return codepoint < 0x20 || (codepoint >= 0x7f && codepoint < 0xa0) ? 0 : 1
  const text = String.fromCodePoint(codepoint)
  if (/[\u{1f3fb}-\u{1f3ff}]/u.test(text)) return 2
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(text)) return 0
  return /[\p{Mc}\u{1f1e6}-\u{1f1ff}]/u.test(text) || stringWidth(text) < 2 ? 1 : 2
}

export class Emulator {
  readonly #terminal: xterm.Terminal
  #cursorVisible = true

  constructor(columns: number, rows: number) {
    this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true, scrollback: 1_000 })
    this.#terminal.unicode.register(BY_CHARACTER)
    this.#terminal.unicode.activeVersion = BY_CHARACTER.version
    for (const [final, visible] of [
      ['h', true],
      ['l', false],
    ] as const) {
      this.#terminal.parser.registerCsiHandler({ prefix: '?', final }, (modes) => {
        if (modes.includes(25)) this.#cursorVisible = visible
        return false // xterm goes on with it.
      })
    }
  }

  get columns(): number {
    return this.#terminal.cols
  }

  get rows(): number {
    return this.#terminal.rows
  }

  /** Resolves when it is on the screen. */
  feed(data: string): Promise<void> {
    return new Promise((resolve) => this.#terminal.write(data, resolve))
  }

  resize(columns: number, rows: number): void {
    this.#terminal.resize(columns, rows)
  }

  /** The rows that are in sight, without the spaces at their ends. */
  screen(): string[] {
    return Array.from(
      { length: this.rows },
      (_, y) => this.#line(y)?.translateToString(true, 0, this.columns).trimEnd() ?? '',
    )
  }

  cellAt(x: number, y: number): StyledCell {
    const cell = this.#line(y)?.getCell(x)
    if (cell === undefined) throw new Error(`no cell at ${x},${y} on ${this.columns}x${this.rows}`)
    return {
      text: cell.getWidth() === 0 ? '' : cell.getChars() || ' ',
      foreground: cell.isFgDefault() ? 'default' : colour(cell.isFgRGB(), cell.getFgColor()),
      background: cell.isBgDefault() ? 'default' : colour(cell.isBgRGB(), cell.getBgColor()),
      bold: cell.isBold() !== 0,
      dim: cell.isDim() !== 0,
      italic: cell.isItalic() !== 0,
      underline: cell.isUnderline() !== 0,
      inverse: cell.isInverse() !== 0,
    }
  }

  /** Of the first cell of the first place where `text` is, from the top. */
  styleOf(text: string): StyledCell {
    for (let y = 0; y < this.rows; y++) {
      const cells = Array.from({ length: this.columns }, (_, x) => this.cellAt(x, y))
      const at = cells
        .map((cell) => cell.text)
        .join('')
        .indexOf(text)
      let length = 0
      for (const cell of at === -1 ? [] : cells) {
        if (length >= at && cell.text !== '') return cell
        length += cell.text.length
      }
    }
    throw new Error(`"${text}" is not on the screen:\n${this.screen().join('\n')}`)
  }

  get cursor(): { readonly x: number; readonly y: number; readonly visible: boolean } {
    const { cursorX, cursorY } = this.#terminal.buffer.active
    return { x: cursorX, y: cursorY, visible: this.#cursorVisible }
  }

  get alternateScreen(): boolean {
    return this.#terminal.buffer.active.type === 'alternate'
  }

  get bracketedPaste(): boolean {
    return this.#terminal.modes.bracketedPasteMode
  }

  dispose(): void {
    this.#terminal.dispose()
  }

  #line(y: number): xterm.IBufferLine | undefined {
    const { active } = this.#terminal.buffer
    return active.getLine(active.viewportY + y)
  }
}

function colour(rgb: boolean, value: number): string {
  return rgb ? `#${value.toString(16).padStart(6, '0')}` : `ansi:${value}`
}
