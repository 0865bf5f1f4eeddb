/**
 * Text from sessions, models and tools, made fit for a terminal: it can be read, and do nothing else. Pure.
 *
 * T1  no control character but tab and newline is left, in one byte or in two, in a sequence or alone.
 * T2  nothing is left that turns the direction of text round, or takes no room here and some on a terminal.
 * T3  a sequence that is not ended hides no more than the rest of its line.
 */
import { shortened } from './shortened.ts'

/** All that can be in most texts. */
const PRINTABLE_ASCII = /^[\t\n\u0020-\u007e]*$/

// A string (OSC, DCS, SOS, PM, APC) to its end, which no other sequence may come before; else to the end of its line. A CSI with
// its parameters. Any other escape. Both the forms with ESC and those of one character. No two parts of it can match the same text,
// so that the time is linear.
const SEQUENCES =
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  /(?:\u001b[\]PX^_]|[\u0090\u0098\u009d-\u009f])(?:[^\u0007\u001b\u0080-\u009f]*(?:\u0007|\u001b\\|\u009c)|[^\u0007\n\u001b\u0080-\u009f]*)|(?:\u001b\[|\u009b)[\u0030-\u003f]*[\u0020-\u002f]*[\u0040-\u007e]?|\u001b[\u0020-\u002f]*[\u0030-\u007e]?/g

// C0 but tab and newline, DEL and C1: what stands alone.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

/**
 * Marks that turn the direction of text round: they make a text read as something that it is not. And characters without a shape, about
 * whose width terminals differ: soft hyphens, zero-width spaces, fillers, the invisible copy of ASCII. Joiners and the selectors of
 * emoji stay, as scripts and emoji are written with them.
 */
const UNSEEN =
  // oxlint-disable-next-line no-misleading-character-class -- single characters, whatever they combine with in texts
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu

/**
 * What makes one emoji of several characters, or an emoji of a sign: some terminals give the whole two columns, others each part its own.
 * Without it the parts stand beside each other, as wide everywhere.
 */
const EMOJI_JOINTS =
  // oxlint-disable-next-line no-misleading-character-class -- single characters
  /(?<=[\p{Extended_Pictographic}\u{1f3fb}-\u{1f3ff}]\ufe0f?)\u200d|(?<=\p{Extended_Pictographic})[\u{1f3fb}-\u{1f3ff}]|[\ufe0e\ufe0f\u20e3]/gu

const LINE_SEPARATORS = /[\u2028\u2029]/g
/** No script puts more marks on one letter; a tower of them covers the rows above. */
const TOWERS = /(\p{M}{8})\p{M}+/gu

const SPACE = /\s+/g
/** All white space but the space. */
const BREAKS = /[^\S ]+/g
// What JSON leaves unescaped of the above.
const UNESCAPED_IN_JSON = new RegExp(`[\u007f-\u009f\u2028\u2029]|${UNSEEN.source}`, 'gu')

/** The text without control sequences, control characters and what cannot be seen; newlines and tabs stay. */
export function plainText(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text
  return text
    .toWellFormed()
    .replaceAll(SEQUENCES, '')
    .replaceAll(CONTROLS, '')
    .replaceAll(LINE_SEPARATORS, '\n')
    .replaceAll(UNSEEN, '')
    .replaceAll(TOWERS, '$1')
}

/** plainText where columns count: as wide in one terminal as in another. The parts of an emoji stand beside each other. */
export function screenText(text: string): string {
  return plainText(text).replaceAll(EMOJI_JOINTS, '')
}

/** screenText on one line, of at most `maxLength` characters. */
export function plainLine(text: string, maxLength = 200): string {
  return shortened(screenText(text).replaceAll(SPACE, ' ').trim(), maxLength)
}

/** plainLine for what is run as it stands, a command or a path: runs of spaces are a part of it and stay. */
export function verbatimLine(text: string, maxLength = 200): string {
  return shortened(screenText(text).replaceAll(BREAKS, ' ').trim(), maxLength)
}

/** Indented JSON that is safe on a terminal, and still the same value. */
export function terminalJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(UNESCAPED_IN_JSON, (character) =>
    // Two of them outside the basic plane.
    Array.from(
      { length: character.length },
      (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`,
    ).join(''),
  )
}
