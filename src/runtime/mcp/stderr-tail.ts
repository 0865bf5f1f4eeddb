/** The end of what a server wrote to its standard error: for the message that says why it is gone. */
const MAX_BYTES = 2_048

export class StderrTail {
  #kept: Buffer = Buffer.alloc(0)

  write(chunk: Buffer): void {
    const joined = Buffer.concat([this.#kept, chunk.subarray(-MAX_BYTES)])
    this.#kept = joined.subarray(-MAX_BYTES)
  }

  /** One line; control characters are left out. A character that the cut went through is left out too. */
  text(): string {
    const text = this.#kept.toString('utf8').replace(/^\uFFFD+/, '')
    return text
      .split(/\s+/)
      .map((word) => word.replace(/\p{Cc}/gu, ''))
      .join(' ')
      .trim()
  }
}
