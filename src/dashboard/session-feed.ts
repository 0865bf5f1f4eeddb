/**
 * The records of the one session that is shown, as they come.
 *
 * F1  every record behind the place where the following began is dispatched once, in order, over any number of losses.
 * F2  nothing of a session is dispatched after another one was asked for.
 */
import type { SessionRecord } from '../core/record.ts'
import { isAgentryError } from '../errors.ts'
import type { Input } from './model/input.ts'
import type { TeamConnection } from './team-connection.ts'

/** Records that go to the model at once: one state for each of thousands would take long. */
const MAX_BATCH = 500

export class SessionFeed {
  readonly #connection: Pick<TeamConnection, 'whenConnected'>
  readonly #dispatch: (input: Input) => void
  #leaving = new AbortController()

  constructor(connection: Pick<TeamConnection, 'whenConnected'>, dispatch: (input: Input) => void) {
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

  /** Reads the records `after` < seq < `before` of a session, once. */
  async readEarlier(sessionId: string, after: number, before: number): Promise<void> {
    const { signal } = this.#leaving
    const team = await this.#connection.whenConnected()
    const records: SessionRecord[] = []
    if (before > after + 1) {
      for await (const record of team.follow(sessionId, { after, signal })) {
        if (record.seq >= before) break
        records.push(record)
        if (record.seq === before - 1) break
      }
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
          if (item.type === 'text') {
            flush()
            this.#dispatch({ type: 'turn-text', sessionId, text: item.text, dropped: item.dropped })
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
        if (!isAgentryError(error, 'gateway_unreachable') && !isAgentryError(error, 'cancelled')) throw error
      }
      await untilLater(signal)
    }
  }
}

const PAUSE_MS = 50

/** The connection learns of a loss by its own stream, perhaps a moment later. */
async function untilLater(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, PAUSE_MS)
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
  clearTimeout(timer)
}
