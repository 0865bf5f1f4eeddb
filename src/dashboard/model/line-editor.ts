/**
 * The text of the input line and the place of the cursor. Pure.
 *
 * E1  the text has no control sequence and no control character but newline and tab, whatever was typed or pasted.
 * E2  the cursor is at the edge of a grapheme.
 * E3  no text is longer than MAX_TEXT_LENGTH; what would make it longer is refused whole, and the editor says so until the next key.
 */
import { plainText } from '../../core/terminal-text.ts'

export interface LineEditor {
  readonly text: string
  /** Index into `text` (E2). */
  readonly cursor: number
  /** What was cut last, for Ctrl-Y. */
  readonly cut?: string
  /** True after a key that cut: the next one adds to what was cut. */
  readonly cutting?: true
  /** Characters that were refused just now (E3). */
  readonly refused?: number
}

/** Characters; far below what a message may have. */
export const MAX_TEXT_LENGTH = 65_536

export const emptyLine: LineEditor = { text: '', cursor: 0 }

/** The text typed or pasted at the cursor, made fit for a terminal (E1), or refused (E3). */
export function insertText(editor: LineEditor, text: string): LineEditor {
  const added = plainText(text.replaceAll(/\r\n?/g, '\n'))
  if (editor.text.length + added.length > MAX_TEXT_LENGTH)
    return { ...settled(editor), refused: added.length }
  return spliced(editor, editor.cursor, editor.cursor, added)
}

/** The text from `start` to the cursor replaced, as completion does it. */
export function replaceBefore(editor: LineEditor, start: number, text: string): LineEditor {
  return insertText(spliced(editor, start, editor.cursor, ''), text)
}

/** What a key does to the text; undefined for one that is no editing key, or has nothing to do there. Names as in `Input` (input.ts). */
export function editKey(editor: LineEditor, key: string): LineEditor | undefined {
  const edit = EDITS.get(key)
  if (edit !== undefined) return edit(editor)
  // All other names of keys are longer than one grapheme.
  if (!isGrapheme(key)) return undefined
  const typed = insertText(editor, key)
  return typed.text === editor.text && typed.refused === undefined ? undefined : typed
}

type Edit = (editor: LineEditor) => LineEditor | undefined

/** The editing keys, as the help shows them. */
export const EDITING_KEYS: readonly { keys: readonly string[]; summary: string; edit: Edit }[] = [
  {
    keys: ['left', 'ctrl+b'],
    summary: 'a character to the left',
    edit: (editor) => movedTo(editor, before(editor)),
  },
  {
    keys: ['right', 'ctrl+f'],
    summary: 'a character to the right',
    edit: (editor) => movedTo(editor, after(editor)),
  },
  {
    keys: ['alt+b', 'alt+left', 'ctrl+left'],
    summary: 'a word to the left',
    edit: (editor) => movedTo(editor, wordBefore(editor)),
  },
  {
    keys: ['alt+f', 'alt+right', 'ctrl+right'],
    summary: 'a word to the right',
    edit: (editor) => movedTo(editor, wordAfter(editor)),
  },
  {
    keys: ['ctrl+a', 'home'],
    summary: 'to the beginning of the line',
    edit: (editor) => movedTo(editor, lineStart(editor)),
  },
  {
    keys: ['ctrl+e', 'end'],
    summary: 'to the end of the line',
    edit: (editor) => movedTo(editor, lineEnd(editor)),
  },
  {
    keys: ['backspace', 'ctrl+h'],
    summary: 'delete the character before',
    edit: (editor) => spliced(editor, before(editor), editor.cursor, ''),
  },
  {
    keys: ['delete'],
    summary: 'delete the character after',
    edit: (editor) => spliced(editor, editor.cursor, after(editor), ''),
  },
  {
    keys: ['ctrl+w'],
    summary: 'cut back to the space before',
    edit: (editor) => cut(editor, spaceBefore(editor), editor.cursor),
  },
  {
    keys: ['alt+backspace'],
    summary: 'cut the word before',
    edit: (editor) => cut(editor, wordBefore(editor), editor.cursor),
  },
  {
    keys: ['alt+d'],
    summary: 'cut the word after',
    edit: (editor) => cut(editor, editor.cursor, wordAfter(editor)),
  },
  {
    keys: ['ctrl+u'],
    summary: 'cut to the beginning of the line',
    edit: (editor) => cut(editor, lineStart(editor), editor.cursor),
  },
  { keys: ['ctrl+k'], summary: 'cut to the end of the line', edit: cutToEnd },
  {
    keys: ['ctrl+y'],
    summary: 'put in what was cut',
    edit: (editor) => insertText(editor, editor.cut ?? ''),
  },
  { keys: ['up'], summary: 'in a text of several lines: a line up', edit: (editor) => lineMoved(editor, -1) },
  {
    keys: ['down'],
    summary: 'in a text of several lines: a line down',
    edit: (editor) => lineMoved(editor, 1),
  },
]

const EDITS: ReadonlyMap<string, Edit> = new Map([
  ...EDITING_KEYS.flatMap(({ keys, edit }) => keys.map((key) => [key, edit] as const)),
  ['space', (editor: LineEditor) => insertText(editor, ' ')] as const,
])

/** True for a key that has a meaning by its name, not by what it types. */
export function isEditingKey(key: string): boolean {
  return EDITS.has(key)
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const LETTER = /[\p{L}\p{N}_]/u
const SPACE = /\s/

function isGrapheme(key: string): boolean {
  return key !== '' && GRAPHEMES.segment(key).containing(0)?.segment === key
}

/** Without what holds until the next key only. */
function settled({ text, cursor, cut }: LineEditor): LineEditor {
  return { text, cursor, ...(cut !== undefined && { cut }) }
}

function movedTo(editor: LineEditor, cursor: number): LineEditor {
  return { ...settled(editor), cursor }
}

/** The text from `start` to `end` replaced, the cursor behind what came, at an edge: what comes may join what is there. */
function spliced(editor: LineEditor, start: number, end: number, added: string): LineEditor {
  const text = editor.text.slice(0, start) + added + editor.text.slice(end)
  return { ...settled(editor), text, cursor: edgeFrom(text, start + added.length) }
}

function cut(editor: LineEditor, start: number, end: number): LineEditor {
  if (start === end) return settled(editor)
  const piece = editor.text.slice(start, end)
  const earlier = editor.cutting === true ? (editor.cut ?? '') : ''
  return {
    ...spliced(editor, start, end, ''),
    cut: start < editor.cursor ? piece + earlier : earlier + piece,
    cutting: true,
  }
}

/** At the end of a line the newline goes. */
function cutToEnd(editor: LineEditor): LineEditor {
  const end = lineEnd(editor)
  return cut(editor, editor.cursor, end === editor.cursor ? Math.min(end + 1, editor.text.length) : end)
}

/** The first edge of a grapheme from `index` on. */
function edgeFrom(text: string, index: number): number {
  const grapheme = GRAPHEMES.segment(text).containing(index)
  return grapheme === undefined || grapheme.index === index ? index : grapheme.index + grapheme.segment.length
}

function before({ text, cursor }: LineEditor): number {
  return GRAPHEMES.segment(text).containing(cursor - 1)?.index ?? 0
}

function after({ text, cursor }: LineEditor): number {
  return cursor + (GRAPHEMES.segment(text).containing(cursor)?.segment.length ?? 0)
}

function wordBefore({ text, cursor }: LineEditor): number {
  const graphemes = GRAPHEMES.segment(text)
  return backOver(graphemes, backOver(graphemes, cursor, false), true)
}

function wordAfter({ text, cursor }: LineEditor): number {
  const graphemes = GRAPHEMES.segment(text)
  return onOver(graphemes, onOver(graphemes, cursor, false), true)
}

/** Back over the graphemes that are letters of words, or that are not. */
function backOver(graphemes: Intl.Segments, from: number, letters: boolean): number {
  let at = from
  for (let last = graphemes.containing(at - 1); last !== undefined; last = graphemes.containing(at - 1)) {
    if (LETTER.test(last.segment) !== letters) break
    at = last.index
  }
  return at
}

function onOver(graphemes: Intl.Segments, from: number, letters: boolean): number {
  let at = from
  for (let next = graphemes.containing(at); next !== undefined; next = graphemes.containing(at)) {
    if (LETTER.test(next.segment) !== letters) break
    at += next.segment.length
  }
  return at
}

function spaceBefore({ text, cursor }: LineEditor): number {
  let at = cursor
  while (at > 0 && SPACE.test(text.charAt(at - 1))) at--
  while (at > 0 && !SPACE.test(text.charAt(at - 1))) at--
  return at
}

function lineStart({ text, cursor }: LineEditor): number {
  return cursor === 0 ? 0 : text.lastIndexOf('\n', cursor - 1) + 1
}

function lineEnd({ text, cursor }: LineEditor): number {
  const end = text.indexOf('\n', cursor)
  return end === -1 ? text.length : end
}

/** As many characters into the line before or after; undefined where there is none. */
function lineMoved(editor: LineEditor, step: 1 | -1): LineEditor | undefined {
  const { text, cursor } = editor
  const start = lineStart(editor)
  const end = lineEnd(editor)
  if (step === -1 ? start === 0 : end === text.length) return undefined
  const target = movedTo(editor, step === -1 ? start - 1 : end + 1)
  const targetStart = lineStart(target)
  const wanted = Math.min(targetStart + cursor - start, lineEnd(target))
  return movedTo(editor, edgeFrom(text, wanted))
}
