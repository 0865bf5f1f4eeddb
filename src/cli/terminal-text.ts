/** Text from sessions, models and tools, made fit for a terminal: it can be read, and do nothing else. Pure. */
import { stripVTControlCharacters } from 'node:util'

// C0 but tab and newline, DEL and C1: what is left of sequences after their known forms are gone, and what stands alone.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
/** Marks that turn the direction of text round them: they make a text read as something that it is not. */
const BIDI_CONTROLS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const SPACE = /\s+/g
// What JSON leaves unescaped of the above.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const UNESCAPED_IN_JSON = /[\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

/** The text without control sequences and control characters; newlines and tabs stay. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text).replaceAll(CONTROLS, '').replaceAll(BIDI_CONTROLS, '')
}

/** plainText on one line, of at most `maxLength` characters. */
export function plainLine(text: string, maxLength = 200): string {
  const line = plainText(text).replaceAll(SPACE, ' ').trim()
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line
}

/** Indented JSON that is safe on a terminal, and still the same value. */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    UNESCAPED_IN_JSON,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
