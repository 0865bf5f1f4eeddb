/** A part of a command's words, by where it begins: what stands behind wrappers shares the words of the whole. */
import type { Word } from './shell-types.ts'

export interface Tail {
  readonly words: readonly Word[]
  readonly from: number
  /** Left out: up to the last word. */
  readonly end?: number
  /** Further words may follow when it runs, which are not known. */
  readonly more?: true
}

export function tailOf(words: readonly Word[]): Tail {
  return { words, from: 0 }
}

export function endOf({ words, end = words.length }: Tail): number {
  return end
}

/** undefined: the command has ended before. */
export function wordAt(tail: Tail, index: number): Word | undefined {
  const at = tail.from + index
  return at < endOf(tail) ? tail.words[at] : undefined
}

export function wordsOf(tail: Tail): readonly Word[] {
  return tail.words.slice(tail.from, endOf(tail))
}
