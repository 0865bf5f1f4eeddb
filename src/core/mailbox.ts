/**
 * The order in which an agent takes what it is sent: messages and barrier commands in one line.
 *
 * MB1 First in, first out: a message behind a barrier is not taken before the barrier is.
 * MB2 Bounded: `offerMessage` refuses when `capacity` messages are unfinished; a message counts from the offer until `settle`,
 *     waiting in the line, queued in the session or running. `offerBarrier` refuses when as many barriers are in the line.
 */
export class Mailbox<M, B> {
  readonly #capacity: number
  readonly #line: ({ message: M } | { barrier: B })[] = []
  #unfinished = 0
  /** In the line. */
  #barriers = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  /** False where the mailbox is full: nothing was taken. */
  offerMessage(message: M): boolean {
    if (this.#unfinished >= this.#capacity) return false
    this.#unfinished += 1
    this.#line.push({ message })
    return true
  }

  /** Counts messages that are unfinished already: those that a session brought from disk. Never refuses. */
  adopt(count: number): void {
    this.#unfinished += count
  }

  /** False where too many wait: nothing was taken. */
  offerBarrier(barrier: B): boolean {
    if (this.#barriers >= this.#capacity) return false
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
    return this.#unfinished
  }

  /** Frees the places of messages that are finished or refused. */
  settle(count = 1): void {
    this.#unfinished = Math.max(0, this.#unfinished - count)
  }
}
