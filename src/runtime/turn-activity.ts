/**
 * Whether a turn does something, or only waits for a person or other agents.
 *
 * TA1 It waits while at least one wait is on, no work is, and the session knows of exactly these waits: one that was answered and whose
 *     answer is not recorded yet is something under way.
 * TA2 When its turn is over, nothing is said any more, whatever of it still settles.
 */
import { type OpenTurn, type SessionState } from '../core/session-state.ts'
import { onlyWaits } from '../core/turn.ts'

export class TurnActivity {
  readonly #state: SessionState
  readonly #onChange: (waiting: boolean) => void
  #waits = 0
  #works = 0
  #waiting = false
  #closed = false

  constructor(state: SessionState, onChange: (waiting: boolean) => void) {
    this.#state = state
    this.#onChange = onChange
  }

  async wait<T>(answer: Promise<T>): Promise<T> {
    this.#waits += 1
    this.settle()
    try {
      return await answer
    } finally {
      this.#waits -= 1
      this.settle()
    }
  }

  async work<T>(task: () => Promise<T>): Promise<T> {
    this.#works += 1
    this.settle()
    try {
      return await task()
    } finally {
      this.#works -= 1
      this.settle()
    }
  }

  /** TA2 */
  close(): void {
    if (this.#waiting) this.#onChange(false)
    this.#closed = true
  }

  /** TA1. Call it after what changes the calls of the turn. */
  settle(): void {
    const { turn, approvals } = this.#state
    const known = turn === null ? 0 : approvals.length + asks(turn)
    const waiting =
      turn !== null &&
      this.#works === 0 &&
      this.#waits > 0 &&
      this.#waits === known &&
      onlyWaits(turn, approvals)
    if (waiting === this.#waiting || this.#closed) return
    this.#waiting = waiting
    this.#onChange(waiting)
  }
}

function asks({ calls }: OpenTurn): number {
  return calls.filter((call) => call.state === 'running' && call.asked !== undefined).length
}
