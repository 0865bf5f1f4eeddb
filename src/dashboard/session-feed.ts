/**
 * The records of the one session that is shown, as they come.
 *
 * F1  every record behind the place where the following began is dispatched once, in order, over any number of losses.
 * F2  nothing of a session is dispatched after another one was asked for.
 */
import type { WatchItem } from '../client/remote-team.ts'
import type { SessionRecord } from '../core/record.ts'
import { assertNever, isAgentryError } from '../errors.ts'
import type { Input } from './model/input.ts'
import { isLoss, type TeamConnection } from './team-connection.ts'

type Connection = Pick<TeamConnection, 'whenConnected' | 'pause'>

/** Records that go to the model at once: one state for each of thousands would take long. */
const MAX_BATCH = 500

function inputOf(sessionId: string, item: Exclude<WatchItem, { type: 'record' }>): Input {
  switch (item.type) {
    case 'text':
      return { type: 'turn-text', sessionId, text: item.text, dropped: item.dropped }
    case 'reasoning':
      return { type: 'turn-thought', sessionId, text: item.text, dropped: item.dropped }
    case 'retry':
      return { type: 'turn-retry', sessionId, retry: item }
    default:
      return assertNever(item)
  }
}

export class SessionFeed {
  readonly #connection: Connection
  readonly #dispatch: (input: Input) => void
  #leaving = new AbortController()

  constructor(connection: Connection, dispatch: (input: Input) => void) {
    this.#connection = connection
    this.#dispatch = dispatch
  }

  /** Follows session `sessionId` behind the record `after`, in place of the one before. */
  follow(sessionId: string, after: number): void {
    this.stop()
    this.#leaving = new AbortController()
    const { signal } = this.#leaving
    this.#follow(sessionId, after, signal).catch((error: unknown) => {
      if (signal.aborted) return
      const text = `the session cannot be read: ${error instanceof Error ? error.message : String(error)}`
      this.#dispatch({ type: 'notice', kind: 'error', text })
    })
  }

  /** Idempotent. */
  stop(): void {
    this.#leaving.abort()
  }

  /**
   * Reads the records `after` < seq < `before` of a session, once. What a loss cuts off is not read: the model asks again. Throws what no new
   * connection can mend.
   */
  async readEarlier(sessionId: string, after: number, before: number): Promise<void> {
    const { signal } = this.#leaving
    const records: SessionRecord[] = []
    try {
      const team = await this.#connection.whenConnected()
      for await (const record of team.follow(sessionId, { after, signal })) {
        if (record.seq < before) records.push(record)
        if (record.seq >= before - 1) break
      }
    } catch (error) {
      if (signal.aborted || isLoss(error)) return
      throw error
    }
    if (!signal.aborted) this.#dispatch({ type: 'records', sessionId, records, earlier: true })
  }

  /** Resolves when the session is gone or `signal` aborts. Throws what no new connection can mend. */
  async #follow(sessionId: string, after: number, signal: AbortSignal): Promise<void> {
    let seen = after
    while (!signal.aborted) {
      const team = await this.#connection.whenConnected()
      try {
        let batch: SessionRecord[] = []
        const flush = (): void => {
          if (batch.length > 0 && !signal.aborted) {
            this.#dispatch({ type: 'records', sessionId, records: batch, earlier: false })
          }
          batch = []
        }
        // The backlog comes in one burst: what is there at once goes on together.
        let flushing: NodeJS.Immediate | undefined
        for await (const item of team.watch(sessionId, { after: seen, signal })) {
          if (signal.aborted) return
          if (item.type !== 'record') {
            flush()
            // What was flushed may have had another following begin.
            if (signal.aborted) return
            this.#dispatch(inputOf(sessionId, item))
            continue
          }
          seen = item.record.seq
          batch.push(item.record)
          if (batch.length >= MAX_BATCH) flush()
          if (flushing === undefined) {
            flushing = setImmediate(() => {
              flushing = undefined
              flush()
            })
          }
        }
        flush()
        // The stream ends with the session or with the gateway; only one of them has come back when it is asked again.
        if ((await team.session(sessionId)) === undefined) return
      } catch (error) {
        if (signal.aborted || isAgentryError(error, 'session_not_found')) return
        if (!isLoss(error)) throw error
      }
      await this.#connection.pause(signal)
    }
  }
}
