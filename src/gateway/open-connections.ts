/**
 * The connections that are open at a port. A client without the token keeps nobody out, however slowly it asks or reads: what is answered
 * to it does not count.
 *
 * C1  at most `max` are open. For one more, the one that is idle longest is cut off: none of its requests that came with the token is
 *     being answered.
 * C2  where none is idle the new one is cut off.
 * C3  nothing is kept of a connection that has closed.
 */

/** What is needed of a socket of Node. */
export interface Connection {
  destroy(): unknown
  once(event: 'close', listener: () => void): unknown
}

/** What is needed of an answer of Node. */
export interface Answer {
  once(event: 'close', listener: () => void): unknown
}

export class OpenConnections<C extends Connection> {
  readonly #max: number
  readonly #open = new Set<C>()
  /** Longest idle first. */
  readonly #idle = new Set<C>()
  /** Where requests come one behind the other (pipelining), the last one decides. */
  readonly #lastAnswer = new WeakMap<C, Answer>()

  constructor(max: number) {
    this.#max = max
  }

  /** Takes a new connection. */
  add(connection: C): void {
    this.#open.add(connection)
    this.#idle.add(connection)
    connection.once('close', () => this.#forget(connection))
    if (this.#open.size <= this.#max) return
    for (const longest of this.#idle) {
      this.#forget(longest)
      longest.destroy()
      return
    }
  }

  /** A request with the token is being answered; `answer` closes with its end. */
  answers(connection: C, answer: Answer): void {
    this.#idle.delete(connection)
    this.#lastAnswer.set(connection, answer)
    answer.once('close', () => {
      if (this.#open.has(connection) && this.#lastAnswer.get(connection) === answer)
        this.#idle.add(connection)
    })
  }

  #forget(connection: C): void {
    this.#open.delete(connection)
    this.#idle.delete(connection)
  }
}
