/**
 * How tones look. The sequences are written here and not by Ink's props: those follow chalk, which knows nothing of NO_COLOR, reads the
 * environment of the process alone, and where it finds no colours drops inverse and bold with them.
 */
import type { Tone } from '../model/line.ts'

/** The text as it goes to the terminal. Text that is empty stays so. */
export type Paint = (text: string, tone: Tone) => string

type Attributes = Readonly<Record<Tone, string>>

/** The sixteen colours: the terminal's own theme decides what they are. */
const COLOURED: Attributes = {
  plain: '',
  dim: '2',
  strong: '1',
  accent: '36',
  good: '32',
  warn: '33',
  bad: '31',
  ask: '35',
  grey: '90',
  selected: '7',
  chosen: '1;4',
}

/** A grey that is there on dark and on light backgrounds; only 256 colours have one. */
const DEEP: Attributes = { ...COLOURED, chosen: '1;48;5;240;97' }

/** NO_COLOR is about colours: what is chosen, and what matters, still shows. */
const COLOURLESS: Attributes = {
  ...COLOURED,
  accent: '1',
  good: '',
  warn: '',
  bad: '1',
  ask: '1',
  grey: '2',
}

/** `colourBits`: as `getColorDepth` of the terminal says, which heeds NO_COLOR, FORCE_COLOR and TERM. 1 is none. */
export function painter(colourBits: number): Paint {
  const attributes = colourBits <= 1 ? COLOURLESS : colourBits < 8 ? COLOURED : DEEP
  return (text, tone) => {
    const codes = attributes[tone]
    return text === '' || codes === '' ? text : `\u001b[${codes}m${text}\u001b[0m`
  }
}

/** For screen readers: words only. */
export const unpainted: Paint = (text) => text
