/**
 * Finding names by some of their letters: `apm` finds `api main`. Pure.
 *
 * The letters of a word of the query come in order, any others between them; words separated by spaces may come in any order. Upper and
 * lower case count as the same letter.
 */
import { type Span, span, type Tone } from './line.ts'

export interface FuzzyMatch {
  /** The higher the better: letters that begin a word, letters side by side, short texts. */
  readonly score: number
  /** Indices into the text of the letters that were found, ascending. */
  readonly positions: readonly number[]
}

export interface FuzzyFound<Item> extends FuzzyMatch {
  readonly item: Item
}

const FOUND = 16
const AT_START = 10
const WORD_START = 8
const SIDE_BY_SIDE = 9
const GAP = 1
const NEVER = -1_000_000

/** The best way to find `query` in `text`; undefined where it is not in it. Every text has an empty query in it. */
export function fuzzyMatch(query: string, text: string): FuzzyMatch | undefined {
  return matchWords(wordsOf(query), text)
}

/** The items whose text has the query in it, the best first; equally good ones in the order in which they came. */
export function fuzzyFilter<Item>(
  items: readonly Item[],
  query: string,
  textOf: (item: Item) => string,
): FuzzyFound<Item>[] {
  const words = wordsOf(query)
  const found: FuzzyFound<Item>[] = []
  for (const item of items) {
    const match = matchWords(words, textOf(item))
    if (match !== undefined) found.push({ item, ...match })
  }
  return found.sort((a, b) => b.score - a.score)
}

/** The text with the graphemes at `positions` strong, for showing what was found. */
export function matchSpans(text: string, positions: readonly number[], tone: Tone = 'plain'): Span[] {
  const spans: Span[] = []
  let next = 0
  let run = ''
  let strong = false
  for (const { segment, index } of GRAPHEMES.segment(text)) {
    const end = index + segment.length
    const found = (positions[next] ?? Infinity) < end
    while ((positions[next] ?? Infinity) < end) next++
    if (found !== strong && run !== '') {
      spans.push(span(run, strong ? 'strong' : tone))
      run = ''
    }
    strong = found
    run += segment
  }
  if (run !== '') spans.push(span(run, strong ? 'strong' : tone))
  return spans
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

function wordsOf(query: string): string[] {
  return fold(query)
    .split(/\s+/)
    .filter((word) => word !== '')
}

function matchWords(words: readonly string[], text: string): FuzzyMatch | undefined {
  const folded = fold(text)
  // Most texts end here: to look whether the letters are there costs little, the best place for them more.
  if (!words.every((word) => hasInOrder(folded, word))) return undefined
  let score = 0
  const places: number[] = []
  for (const word of words) score += bestPlaces(folded, text, word, places)
  const positions = [...new Set(places)].sort((a, b) => a - b)
  // Far less than a letter: decides between texts that are found equally well.
  return { score: score - text.length / 1_000, positions }
}

/** In lower case, every index meaning the same character as before. */
function fold(text: string): string {
  const folded = text.toLowerCase()
  if (folded.length === text.length) return folded
  return Array.from(text, (character) => {
    const lower = character.toLowerCase()
    return lower.length === character.length ? lower : character
  }).join('')
}

function hasInOrder(text: string, word: string): boolean {
  let at = -1
  for (let index = 0; index < word.length; index++) {
    at = text.indexOf(word.charAt(index), at + 1)
    if (at === -1) return false
  }
  return true
}

/** Used for every text anew: an array for each would cost more than the search. Grows to what the longest search needs. */
let scratch = new Int32Array(1_024)

/** Adds the best places of the letters to `positions` and returns their score. Time: letters x length of the text. */
function bestPlaces(folded: string, text: string, word: string, positions: number[]): number {
  const length = folded.length
  if (scratch.length < word.length * length) scratch = new Int32Array(word.length * length * 2)
  // Row by letter: at each place, the best score of all letters so far with this one there.
  const scores = scratch.fill(NEVER, 0, word.length * length)
  for (let letter = 0; letter < word.length; letter++) {
    const row = letter * length
    const code = word.charCodeAt(letter)
    // The best of the letters before, somewhere on the left, less what the gap costs.
    let reached = NEVER
    for (let at = letter; at < length; at++) {
      if (letter > 0 && at >= 2) reached = Math.max(reached, scores[row - length + at - 2] ?? NEVER) - GAP
      if (folded.charCodeAt(at) !== code) continue
      const beside = letter === 0 ? 0 : (scores[row - length + at - 1] ?? NEVER) + SIDE_BY_SIDE
      scores[row + at] = FOUND + startBonus(text, at) + Math.max(beside, reached)
    }
  }
  return traceBack(scores, word.length, length, positions)
}

/** From the best place of the last letter back to where the scores came from. */
function traceBack(scores: Int32Array, letters: number, length: number, positions: number[]): number {
  let score = 0
  let right = length
  for (let letter = letters - 1; letter >= 0; letter--) {
    const last = letter === letters - 1
    let best = right - 1
    let bestScore = -Infinity
    for (let at = right - 1; at >= letter; at--) {
      const distance = right - at - 1
      const link = last ? 0 : distance === 0 ? SIDE_BY_SIDE : -distance * GAP
      const reached = (scores[letter * length + at] ?? NEVER) + link
      // The leftmost of the equally good ones.
      if (reached < bestScore) continue
      bestScore = reached
      best = at
    }
    if (last) score = bestScore
    positions.push(best)
    right = best
  }
  return score
}

function startBonus(text: string, at: number): number {
  if (at === 0) return AT_START
  const before = text.charCodeAt(at - 1)
  const here = text.charCodeAt(at)
  if (isLetter(before)) return isLower(before) && isUpper(here) ? WORD_START : 0
  return isLetter(here) ? WORD_START : 0
}

/** Beyond ASCII everything counts as a letter: no word is cut where it is not sure that one ends. */
function isLetter(code: number): boolean {
  return isLower(code) || isUpper(code) || (code >= 0x30 && code <= 0x39) || code > 0x7f
}

function isLower(code: number): boolean {
  return code >= 0x61 && code <= 0x7a
}

function isUpper(code: number): boolean {
  return code >= 0x41 && code <= 0x5a
}
