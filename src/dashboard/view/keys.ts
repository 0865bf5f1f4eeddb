/** What Ink says was typed, in the names of keys that the model knows (`Input`, model/input.ts). Pure. */
import type { Key } from 'ink'

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const LAST_C0 = 0x1f
const DELETE = 0x7f
const LAST_C1 = 0x9f

/** What Ink names by a flag. */
const NAMED: readonly (readonly [flag: keyof Key, name: string])[] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
]

/**
 * The keys, in order: none for those that have no name here (F1, Insert). What came in one piece, because it was typed faster than it was
 * read, is one key for each character: the view does not know whether they go to the input line or move in a pane.
 */
export function keysOf(input: string, key: Key): string[] {
  // Esc, Esc within a moment reads as one with alt.
  if (key.escape) return key.meta ? ['esc', 'esc'] : ['esc']
  if (key.tab) return [key.shift ? 'shift+tab' : withModifiers('tab', key)]
  const named = NAMED.find(([flag]) => key[flag] === true)
  if (named) return [withModifiers(named[1], key)]
  if (key.ctrl || key.meta) return input === '' ? [] : [withModifiers(input === ' ' ? 'space' : input, key)]
  return Array.from(GRAPHEMES.segment(input), ({ segment }) => keyOfGrapheme(segment)).filter(
    (name) => name !== undefined,
  )
}

function withModifiers(name: string, key: Key): string {
  return `${key.ctrl ? 'ctrl+' : ''}${key.meta ? 'alt+' : ''}${name}`
}

/** In a longer piece control characters stand as they were typed. */
function keyOfGrapheme(grapheme: string): string | undefined {
  if (grapheme === ' ') return 'space'
  if (grapheme === '\r' || grapheme === '\n' || grapheme === '\r\n') return 'enter'
  if (grapheme === '\t') return 'tab'
  const code = grapheme.charCodeAt(0)
  if (code <= LAST_C0) return `ctrl+${String.fromCharCode(code + (code >= 1 && code <= 26 ? 96 : 64))}`
  return code >= DELETE && code <= LAST_C1 ? undefined : grapheme
}
