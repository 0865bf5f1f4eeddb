/** How the ends of turns are told, and how turns end that do not run. */
import type { RecordBody } from '../core/record.ts'
import { closeTurn, OUTCOME_UNKNOWN } from '../core/turn.ts'
import type { WireError } from '../errors.ts'
import type { FromAgent, Outcome } from '../protocol/from-agent.ts'
import { outcomeOf } from '../protocol/outcome.ts'
import type { Inbox } from './inbox.ts'
import type { Session } from './session.ts'
import { outcomesOf } from './turn-runner.ts'

export class TurnEnds {
  readonly #port: { send(envelope: FromAgent): void }
  readonly #inbox: Inbox

  constructor(port: { send(envelope: FromAgent): void }, inbox: Inbox) {
    this.#port = port
    this.#inbox = inbox
  }

  /** Tells of ends that are durable: everyone who waits for them is answered by that. */
  announce(outcomes: readonly Outcome[]): void {
    for (const outcome of outcomes) {
      this.#inbox.finished(outcome)
      const { turnId, sessionId } = outcome
      this.#port.send({ type: 'turn-event', turnId, sessionId, event: { type: 'turn-finished', outcome } })
    }
  }

  /**
   * Cancels messages of the queue. All are recorded in one go, so that none is ended twice, and each outcome is read right then: the
   * session remembers a bounded number of finished turns, and others may end before these are durable. Rejects where the write fails.
   */
  async ofQueued(session: Session, turnIds: readonly string[], error: WireError): Promise<void> {
    const outcomes = turnIds.map((turnId) => {
      session.record({ type: 'turn.finished', turnId, status: 'cancelled', error })
      return outcomeOf(session.state, turnId)
    })
    await session.flush()
    this.announce(outcomes)
  }

  /** Cancels the open turn, which does not run. Rejects where the write fails. */
  async ofOpen(session: Session, error: WireError): Promise<void> {
    const { turn } = session.state
    if (turn !== null)
      await this.take(session, closeTurn(turn, OUTCOME_UNKNOWN, { status: 'cancelled', error }))
  }

  /** Records what becomes of the open turn, which does not run: its end, or how it goes on. Rejects where the write fails. */
  async take(session: Session, records: readonly RecordBody[]): Promise<void> {
    const { turn } = session.state
    if (turn === null) return
    const { turnId, steered } = turn
    for (const record of records) session.record(record)
    const outcomes = session.state.turn === null ? outcomesOf(session.state, turnId, steered) : []
    await session.flush()
    this.announce(outcomes)
  }
}
