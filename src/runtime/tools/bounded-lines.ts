/** Collects lines for a result up to a number of bytes. */
export class BoundedLines {
  readonly #maxBytes: number
  readonly #lines: string[] = []
  #bytes = 0
  #full = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** False where the line, and with it every later one, is left out. */
  add(line: string): boolean {
    const bytes = Buffer.byteLength(line) + 1
    this.#full ||= this.#bytes + bytes > this.#maxBytes
    if (this.#full) return false
    this.#lines.push(line)
    this.#bytes += bytes
    return true
  }

  get count(): number {
    return this.#lines.length
  }

  /** With lines that are said whatever was left out. */
  text(...notes: string[]): string {
    return [...this.#lines, ...notes].join('\n')
  }
}

/** Long lines (minified code, data) are cut, and marked. */
export function cutLine(line: string, maxChars: number): string {
  if (line.length <= maxChars) return line
  // Not in the middle of a surrogate pair.
  const end = (line.codePointAt(maxChars - 1) ?? 0) > 0xffff ? maxChars - 1 : maxChars
  return `${line.slice(0, end)} [… ${line.length - end} more characters]`
}
