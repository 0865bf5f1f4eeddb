/**
 * The words of a command line, split and quoted as a shell does it, without anything that a shell would expand. Pure.
 *
 * White space separates words. '...' is literal; in "..." a backslash stands before " and \ only; elsewhere it takes the next
 * character as it is.
 */

export interface Word {
  /** Without its quotes and backslashes. */
  readonly value: string
  /** Where it stands in the line, its quotes included. */
  readonly start: number
  readonly end: number
}

export interface Words {
  readonly words: readonly Word[]
  /** The quote that the last word opened and nobody closed. */
  readonly open?: { readonly quote: string; readonly start: number }
}

export function splitWords(line: string): Words {
  const words: Word[] = []
  let at = 0
  while (true) {
    while (at < line.length && isSpace(line[at])) at++
    if (at === line.length) return { words }
    const start = at
    let value = ''
    while (at < line.length && !isSpace(line[at])) {
      const character = line[at] ?? ''
      if (character === '"' || character === "'") {
        const part = readQuoted(line, at)
        value += part.value
        if (part.end === undefined) {
          words.push({ value, start, end: line.length })
          return { words, open: { quote: character, start: at } }
        }
        at = part.end
      } else if (character === '\\' && at + 1 < line.length) {
        value += line[at + 1] ?? ''
        at += 2
      } else {
        value += character
        at++
      }
    }
    words.push({ value, start, end: at })
  }
}

/** What stands for `value` as one word. */
export function quoteWord(value: string): string {
  return value !== '' && PLAIN.test(value) ? value : `${quoted(value)}"`
}

/** What stands for the beginning of a word that goes on. */
export function quoteBeginning(value: string): string {
  return PLAIN.test(value) ? value : quoted(value)
}

const PLAIN = /^[^\s"'\\]*$/

function quoted(value: string): string {
  return `"${value.replaceAll(/["\\]/g, (character) => `\\${character}`)}`
}

/** From the quote at `start` to behind the one that closes it; no `end` where none does. */
function readQuoted(line: string, start: number): { value: string; end?: number } {
  const quote = line[start]
  let value = ''
  for (let at = start + 1; at < line.length; at++) {
    const character = line[at] ?? ''
    if (character === quote) return { value, end: at + 1 }
    const next = line[at + 1]
    if (character === '\\' && quote === '"' && (next === '"' || next === '\\')) {
      value += next
      at++
    } else {
      value += character
    }
  }
  return { value }
}

function isSpace(character: string | undefined): boolean {
  return character !== undefined && /\s/.test(character)
}
