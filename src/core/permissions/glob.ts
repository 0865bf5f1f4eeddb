/** Globs over one text: `*` stands for any run of characters, `?` for one. Pure, and never slower than length x length. */

const STAR = -1
const ANY = -2

/** Character codes, with STAR and ANY between them. */
export type Glob = readonly number[]

export interface GlobOptions {
  /** `?` is one character; else it is itself. */
  questionMarks: boolean
}

export function parseGlob(source: string, { questionMarks }: GlobOptions): Glob {
  const glob: number[] = []
  for (let index = 0; index < source.length; index++) {
    const char = source.charAt(index)
    if (char === '*') glob.push(STAR)
    else glob.push(char === '?' && questionMarks ? ANY : char.charCodeAt(0))
  }
  return glob
}

/** A text in which nothing stands for anything else. */
export function literal(text: string): Glob {
  return Array.from({ length: text.length }, (_, index) => text.charCodeAt(index))
}

/** `text` where no character of it stands for others; undefined: it is a pattern. */
export function literalOf(glob: Glob): string | undefined {
  return glob.every((token) => token >= 0) ? String.fromCharCode(...glob) : undefined
}

/** True where all of `text` fits. With `withinSegments` no `*` stands for a `/`. */
export function matchesGlob(glob: Glob, text: string, withinSegments = false): boolean {
  let at = 0
  let token = 0
  // Where the last star stands, and what it covers up to: it takes one more where what follows does not fit.
  let star = -1
  let covered = 0
  while (at < text.length) {
    const expected = glob[token]
    if (expected === STAR) {
      star = token++
      covered = at
    } else if (expected === ANY || expected === text.charCodeAt(at)) {
      token++
      at++
    } else if (star >= 0 && !(withinSegments && text.charAt(covered) === '/')) {
      token = star + 1
      at = ++covered
    } else return false
  }
  while (glob[token] === STAR) token++
  return token === glob.length
}
