import { failed } from './files/path-errors.ts'

/** A text with what was asked for done to it. */
export interface TextChange {
  text: string
  /** How many places differ. */
  changes: number
}

export interface Replacement {
  oldText: string
  newText: string
  replaceAll: boolean
}

/**
 * Replaces an exact text. Where the file ends its lines with CRLF and the text does not, both texts are taken to. Throws `tool_failed`
 * where the text does not occur, or more than once without `replaceAll`, or would be replaced by itself.
 */
export function replaceText(text: string, replacement: Replacement, shown: string): TextChange {
  const { replaceAll } = replacement
  const [oldText, newText] = inLineEndsOf(text, replacement)
  if (oldText === newText) throw failed(shown, 'oldText and newText are the same')
  const pieces = text.split(oldText)
  const found = pieces.length - 1
  if (found === 0) {
    throw failed(
      shown,
      'oldText does not occur in it: expected it exactly as it is there, indentation included',
    )
  }
  if (found > 1 && !replaceAll) {
    throw failed(
      shown,
      `oldText occurs ${found} times (lines ${linesOf(pieces, oldText)}): give more of the text around it, or set replaceAll`,
    )
  }
  return { text: pieces.join(newText), changes: found }
}

function inLineEndsOf(text: string, { oldText, newText }: Replacement): [string, string] {
  if (text.includes(oldText) || oldText.includes('\r') || !text.includes('\r\n')) return [oldText, newText]
  return [oldText.replaceAll('\n', '\r\n'), newText.replaceAll(/\r?\n/g, '\r\n')]
}

/** The lines on which the text begins, the first ten. */
function linesOf(pieces: readonly string[], oldText: string): string {
  const lines: number[] = []
  let line = 1
  for (const piece of pieces.slice(0, -1).slice(0, 10)) {
    line += lineEnds(piece)
    lines.push(line)
    line += lineEnds(oldText)
  }
  return lines.join(', ') + (pieces.length > 11 ? ', …' : '')
}

function lineEnds(text: string): number {
  return text.split('\n').length - 1
}
