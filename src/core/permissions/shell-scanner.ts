/** The characters of a command line, and what was found in it so far. */
import type { ShellLine, SimpleCommand } from './shell-types.ts'

/** How many constructs may stand inside each other: deeper lines are unknown. */
export const MAX_DEPTH = 40

/** Thrown where a line nests too deeply, caught by parseShellLine: never seen outside. */
export class TooDeep extends Error {}

/** What all parts of one line add to: substitutions, here-documents and the line itself. */
export class Findings implements ShellLine {
  readonly commands: SimpleCommand[] = []
  #unknown: string | undefined

  /** Why the line is not understood: the first reason counts. */
  get unknown(): string {
    return this.#unknown ?? ''
  }

  reject(reason: string): void {
    this.#unknown ??= reason
  }
}

/** A position in a text. Reads past the end give ''. */
export class ShellScanner {
  readonly source: string
  readonly findings: Findings
  /** Parses `list )` behind `$(`: given by the grammar, which words cannot import. */
  readonly substitution: (scanner: ShellScanner) => void
  depth: number
  position = 0
  /** Here-documents that were announced and whose bodies begin behind the next newline. */
  pending: { delimiter: string; expands: boolean; stripTabs: boolean }[] = []

  constructor(
    source: string,
    findings: Findings,
    substitution: (scanner: ShellScanner) => void,
    depth: number,
  ) {
    this.source = source
    this.findings = findings
    this.substitution = substitution
    this.depth = depth
  }

  get ended(): boolean {
    return this.position >= this.source.length
  }

  peek(ahead = 0): string {
    return this.source.charAt(this.position + ahead)
  }

  next(): string {
    return this.source.charAt(this.position++)
  }

  startsWith(text: string): boolean {
    return this.source.startsWith(text, this.position)
  }

  /** Consumes `text` where it comes next. */
  take(text: string): boolean {
    if (!this.startsWith(text)) return false
    this.position += text.length
    return true
  }

  reject(reason: string): void {
    this.findings.reject(reason)
  }

  /** Runs `parse` one level deeper. */
  nested<Result>(parse: () => Result): Result {
    if (this.depth >= MAX_DEPTH) throw new TooDeep()
    this.depth++
    try {
      return parse()
    } finally {
      this.depth--
    }
  }

  /** A scanner over another text of the same line. */
  over(text: string): ShellScanner {
    return new ShellScanner(text, this.findings, this.substitution, this.depth)
  }

  /** Blanks, line continuations and a comment: what may stand between two tokens. */
  skipBlanks(): void {
    for (;;) {
      const char = this.peek()
      if (char === ' ' || char === '\t') this.position++
      else if (char === '\\' && this.peek(1) === '\n') {
        // Right behind an operator it may join two to another one: `(` and `(`, `&` and `&`.
        if (!' \t\n'.includes(this.peek(-1))) this.reject('a line continued within an operator')
        this.position += 2
      } else break
    }
    if (this.peek() !== '#') return
    // A backslash before the newline does not continue a comment.
    const end = this.source.indexOf('\n', this.position)
    this.position = end === -1 ? this.source.length : end
  }
}
