/**
 * The order in which an agent takes what it is sent: messages and barrier commands in one line.
 *
 * MB1 First in, first out: a message behind a barrier is not taken before the barrier is.
 * MB2 Bounded: `offerMessage` refuses when `capacity` messages or `maxBytes` of them are unfinished; a message counts from the offer
 *     until `settle`, waiting in the line, queued in the session or running. `offerBarrier` refuses when as many barriers are in
 *     the line.
 * MB3 A message that comes alone is taken, whatever its size: otherwise it could never be.
 */
export interface MailboxOptions {
  /** Messages. */
  capacity: number
  /** Of all messages together. */
  maxBytes: number
}

/** What an unfinished message takes. */
export interface Place {
  id: string
  bytes: number
}

export class Mailbox<M, B> {
  readonly #options: MailboxOptions
  readonly #line: ({ message: M } | { barrier: B })[] = []
  /** Bytes by id. */
  readonly #unfinished = new Map<string, number>()
  #bytes = 0
  /** In the line. */
  #barriers = 0

  constructor(options: MailboxOptions) {
    this.#options = options
  }

  /** Takes a message, or says of what there is too much: then nothing was taken. */
  offerMessage(message: M, place: Place): 'taken' | 'too-many' | 'too-many-bytes' {
    const { capacity, maxBytes } = this.#options
    if (this.#unfinished.size >= capacity) return 'too-many'
    if (this.#unfinished.size > 0 && this.#bytes + place.bytes > maxBytes) return 'too-many-bytes'
    this.adopt(place)
    this.#line.push({ message })
    return 'taken'
  }

  /** Counts a message that is unfinished already: one that a session brought from disk. Never refuses. */
  adopt({ id, bytes }: Place): void {
    this.settle(id)
    this.#unfinished.set(id, bytes)
    this.#bytes += bytes
  }

  /** False where too many wait: nothing was taken. */
  offerBarrier(barrier: B): boolean {
    if (this.#barriers >= this.#options.capacity) return false
    this.#barriers += 1
    this.#line.push({ barrier })
    return true
  }

  /** Takes the first message that fits out of the line, wherever it stands. It counts until it is settled. */
  removeMessage(fits: (message: M) => boolean): M | undefined {
    const index = this.#line.findIndex((item) => 'message' in item && fits(item.message))
    const item = this.#line[index]
    if (item === undefined || !('message' in item)) return undefined
    this.#line.splice(index, 1)
    return item.message
  }

  /** Takes the first item if it is a message. */
  takeMessage(): M | undefined {
    const head = this.#line[0]
    if (head === undefined || !('message' in head)) return undefined
    this.#line.shift()
    return head.message
  }

  /** Takes the first item if it is a barrier. */
  takeBarrier(): B | undefined {
    const head = this.#line[0]
    if (head === undefined || !('barrier' in head)) return undefined
    this.#line.shift()
    this.#barriers -= 1
    return head.barrier
  }

  /** The first item if it is a barrier; it stays where it is. */
  get nextBarrier(): B | undefined {
    const head = this.#line[0]
    return head !== undefined && 'barrier' in head ? head.barrier : undefined
  }

  get isEmpty(): boolean {
    return this.#line.length === 0
  }

  /** Messages offered and not settled. */
  get unfinished(): number {
    return this.#unfinished.size
  }

  /** Of the unfinished messages. */
  get bytes(): number {
    return this.#bytes
  }

  /** Frees the place of a message that is finished or refused. One that has none changes nothing. */
  settle(id: string): void {
    this.#bytes -= this.#unfinished.get(id) ?? 0
    this.#unfinished.delete(id)
  }
}
