/** What the dashboard may write to a terminal. Whatever else is found in its output came out of somebody's text. */

/** Modes that are set and reset: alternate screen, cursor, synchronized output, bracketed paste. */
const MODES = String.raw`\?(?:1049|25|2026|2004)[hl]`
/** Cursor to a place or by rows, erasing of a line's rest and of what is below. */
const MOVES = String.raw`(?:\d+(?:;\d+)?)?[ABCDEGH]|K|J|2K|0?J`
/** Tones of theme.ts, and what ends them. */
const TONES = '(?:0|1|2|7|1;4|4|22|24|27|39|49|30|31|32|33|36|90|97|48;5;240|1;48;5;240;97)?m'
const OWN = new RegExp(String.raw`\u001b\[(?:${MODES}|${MOVES}|${TONES})|\r\n`, 'g')
const CONTROL = new RegExp(String.raw`[\u0000-\u001f\u007f-\u009f]|${bidi()}`, 'g')

/** The control and bidi characters in `output` that belong to no sequence of the dashboard, each with what follows it. */
export function foreignIn(output: string): string[] {
  const rest = output.replaceAll(OWN, '')
  return [...rest.matchAll(CONTROL)].map(({ index }) => JSON.stringify(rest.slice(index, index + 24)))
}

function bidi(): string {
  return String.raw`[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]`
}
