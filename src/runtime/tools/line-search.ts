import { describeThrown } from '../../errors.ts'
import { BoundedLines, cutLine } from './bounded-lines.ts'
import { isBinary, readFileBytes, textOf } from './files/read-bytes.ts'
import { createPause, type FoundFile } from './files/walk-tree.ts'
import { createMatcher, type Matcher } from './guarded-match.ts'
import { shownName } from './list.ts'

const MAX_LINE_CHARS = 300
/** Lines are matched in bunches of about this many characters: a call of the matcher costs 0.4 ms, and holds the thread. */
const BUNCH_CHARS = 32 * 1024
/** What one search may take, ms: a slow pattern on a large tree is not ended by its single calls. */
const BUDGET_MS = 30_000

export interface LineSearchOptions {
  expression: RegExp
  maxMatches: number
  /** Most bytes of the lines that are kept. */
  outputBytes: number
  /** What the whole search may take, ms. Default 30,000. */
  budgetMs?: number
}

interface Bunch {
  lines: string[]
  /** `path:number` of each. */
  where: string[]
  chars: number
}

/** Searches files line by line, in their order, until there is no room for more. */
export class LineSearch {
  readonly #matcher: Matcher
  readonly #maxMatches: number
  readonly #kept: BoundedLines
  readonly #budgetMs: number
  #isOverTime = false
  #bunch: Bunch = { lines: [], where: [], chars: 0 }
  #isFull = false
  #skipped = 0
  #skippedWhy = ''

  constructor({ expression, maxMatches, outputBytes, budgetMs = BUDGET_MS }: LineSearchOptions) {
    this.#matcher = createMatcher(expression)
    this.#maxMatches = maxMatches
    this.#kept = new BoundedLines(outputBytes)
    this.#budgetMs = budgetMs
  }

  /** True where a match was left out. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** True where the search was given up for the time that it took. */
  get isOverTime(): boolean {
    return this.#isOverTime
  }

  get matches(): number {
    return this.#kept.count
  }

  /** Files that could not be read, or are refused; why the first one was. */
  get skipped(): number {
    return this.#skipped
  }

  get skippedWhy(): string {
    return this.#skippedWhy
  }

  /** `prefix`: of every path that is given. Resolves with what `files` returns: true where it left something out. */
  async run(
    files: AsyncGenerator<FoundFile, boolean>,
    prefix: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const pause = createPause(signal)
    const endMs = performance.now() + this.#budgetMs
    const goesOn = async (): Promise<boolean> => {
      await pause()
      this.#isOverTime = performance.now() > endMs
      return !this.#isOverTime && !this.#isFull
    }
    let next = await files.next()
    while (next.done !== true) {
      await this.#search(next.value, prefix + next.value.relative, goesOn)
      if (!(await goesOn())) break
      next = await files.next()
    }
    if (!this.#isOverTime) this.#settle()
    await files.return(false)
    return next.done === true && next.value
  }

  text(...notes: string[]): string {
    return this.#kept.text(...notes)
  }

  /** `goesOn` is asked after each bunch. */
  async #search({ directory, name }: FoundFile, path: string, goesOn: () => Promise<boolean>): Promise<void> {
    let bytes: Buffer
    try {
      bytes = readFileBytes(directory, name, path).bytes
    } catch (error) {
      if (this.#skipped++ === 0) this.#skippedWhy = describeThrown(error)
      return
    }
    if (isBinary(bytes)) return
    const shown = shownName(path)
    for (const [index, line] of textOf(bytes).split(/\r?\n/).entries()) {
      this.#bunch.lines.push(line)
      this.#bunch.where.push(`${shown}:${index + 1}`)
      this.#bunch.chars += line.length + 1
      if (this.#bunch.chars <= BUNCH_CHARS) continue
      this.#settle()
      if (!(await goesOn())) return
    }
  }

  #settle(): void {
    const { lines, where } = this.#bunch
    this.#bunch = { lines: [], where: [], chars: 0 }
    for (const [index, fits] of this.#matcher(lines).entries()) {
      if (!fits || this.#isFull) continue
      const line = `${where[index] ?? ''}:${cutLine(lines[index] ?? '', MAX_LINE_CHARS)}`
      this.#isFull = this.#kept.count >= this.#maxMatches || !this.#kept.add(line)
    }
  }
}
