/**
 * Finds many words in a text in one pass (Aho and Corasick, 1975): time O(text), whatever the words.
 *
 * A state is a node of the tree of all words, and stands for the longest end of what was read that begins a word.
 */

/** Code units are below this: a transition is one number, the state times this plus the code unit. */
const UNITS = 0x10000

export interface Found {
  /** Length of the longest word that ends here. */
  length: number
  label: string
}

export class Automaton {
  readonly #next = new Map<number, number>()
  readonly #first = new Uint8Array(UNITS)
  readonly #depth: number[] = [0]
  readonly #fail: number[] = [0]
  readonly #found: (Found | undefined)[] = [undefined]

  /** The label of a word that is there twice: the first one's. */
  constructor(words: Iterable<readonly [word: string, label: string]>) {
    for (const [word, label] of words) this.#add(word, label)
    this.#link()
  }

  /** How many code units of what was read, at most, belong to a word that has not ended. */
  depth(state: number): number {
    return this.#depth[state] ?? 0
  }

  found(state: number): Found | undefined {
    return this.#found[state]
  }

  /** The state after one more code unit; the first state is 0. */
  step(state: number, unit: number): number {
    if (state === 0 && this.#first[unit] === 0) return 0
    for (let from = state; ; from = this.#fail[from] ?? 0) {
      const to = this.#next.get(from * UNITS + unit)
      if (to !== undefined) return to
      if (from === 0) return 0
    }
  }

  #add(word: string, label: string): void {
    let state = 0
    for (let index = 0; index < word.length; index++) {
      const unit = word.charCodeAt(index)
      let to = this.#next.get(state * UNITS + unit)
      if (to === undefined) {
        to = this.#depth.push(index + 1) - 1
        this.#next.set(state * UNITS + unit, to)
      }
      state = to
    }
    this.#found[state] ??= { length: word.length, label }
    this.#first[word.charCodeAt(0)] = 1
  }

  /** Shallow states first: what a state falls back to is shallower than itself. */
  #link(): void {
    const edges = [...this.#next].toSorted(([, a], [, b]) => this.depth(a) - this.depth(b))
    for (const [key, to] of edges) {
      const unit = key % UNITS
      const from = (key - unit) / UNITS
      const fail = from === 0 ? 0 : this.step(this.#fail[from] ?? 0, unit)
      this.#fail[to] = fail
      this.#found[to] ??= this.#found[fail]
    }
  }
}
