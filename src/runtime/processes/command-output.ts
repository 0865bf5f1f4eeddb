/**
 * Keeps the output of a command in bounded memory: all of it up to a limit, beyond that its beginning and its end.
 *
 * Invariants:
 * O1  holds and gives at most `maxBytes`, however much is written and in however small pieces.
 * O2  bytes lie in the order they came until the room is full; from then on its upper half is a ring of the newest.
 */

/** Room for the line that says how much was cut, with a count of up to 16 digits. */
const MARKER_BYTES = 64

export class CommandOutput {
  readonly #roomBytes: number
  readonly #headBytes: number
  #kept: Buffer = Buffer.alloc(0)
  #written = 0

  /** `maxBytes`: at least 128. */
  constructor(maxBytes: number) {
    this.#roomBytes = maxBytes - MARKER_BYTES
    this.#headBytes = Math.ceil(this.#roomBytes / 2)
  }

  write(text: string): void {
    const bytes = Buffer.from(text)
    let offset = 0
    while (offset < bytes.length) {
      const inHead = this.#written < this.#headBytes
      const position = inHead ? this.#written : this.#ringPosition()
      const room = (inHead ? this.#headBytes : this.#roomBytes) - position
      const length = Math.min(room, bytes.length - offset)
      this.#grow(position + length)
      bytes.copy(this.#kept, position, offset, offset + length)
      this.#written += length
      offset += length
    }
  }

  /**
   * What was written, at most `maxBytes` in UTF-8. Where it was more, a line in the middle says how many bytes were cut; the
   * cuts fall between characters.
   */
  text(): string {
    if (this.#written <= this.#roomBytes) return this.#kept.toString('utf8', 0, this.#written)
    const oldest = this.#ringPosition()
    const head = withoutPartialEnd(this.#kept.subarray(0, this.#headBytes))
    const tail = withoutPartialStart(
      Buffer.concat([
        this.#kept.subarray(oldest, this.#roomBytes),
        this.#kept.subarray(this.#headBytes, oldest),
      ]),
    )
    const cut = this.#written - head.length - tail.length
    return `${head.toString()}\n[… ${cut} bytes cut …]\n${tail.toString()}`
  }

  /** Where the next byte goes once the head is full. In a ring that has filled, the oldest byte lies there. */
  #ringPosition(): number {
    return this.#headBytes + ((this.#written - this.#headBytes) % (this.#roomBytes - this.#headBytes))
  }

  #grow(needed: number): void {
    if (needed <= this.#kept.length) return
    const grown = Buffer.alloc(Math.min(this.#roomBytes, Math.max(needed, 2 * this.#kept.length, 1024)))
    this.#kept.copy(grown)
    this.#kept = grown
  }
}

/** Leaves out the first bytes of a character whose last ones were cut off. `bytes` begins with a whole character. */
function withoutPartialEnd(bytes: Buffer): Buffer {
  let lead = bytes.length - 1
  while (isContinuation(bytes[lead])) lead--
  const whole = lead + characterLength(bytes[lead] ?? 0) <= bytes.length
  return whole ? bytes : bytes.subarray(0, lead)
}

/** Leaves out the last bytes of a character whose first ones were cut off. */
function withoutPartialStart(bytes: Buffer): Buffer {
  let start = 0
  while (isContinuation(bytes[start])) start++
  return bytes.subarray(start)
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80
}

/** Bytes of the UTF-8 character that starts with this byte (RFC 3629, section 3). */
function characterLength(lead: number): number {
  if (lead >= 0xf0) return 4
  if (lead >= 0xe0) return 3
  return lead >= 0xc0 ? 2 : 1
}
