/**
 * The dashboard's line to the team: keeps it, and says what comes over it.
 *
 * L1  while the team can be reached, everything that happens in it is dispatched: the stream of events is open before the lists are
 *     read, so nothing falls in between.
 * L2  a loss is said at once, and tried again for as long as the dashboard lives; after each loss the lists are read again, because
 *     another supervisor may have come.
 * L3  nothing is dispatched once `close` was called.
 */
import type { AgentInfo, SessionInfo, TeamEvent } from '../api.ts'
import type { RemoteTeam } from '../client/remote-team.ts'
import { type Backoff, backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { AgentryError, toAgentryError } from '../errors.ts'
import type { Input } from './model/input.ts'

/** A supervisor that died is back within two seconds: it is asked for often at first. */
const RETRY: Backoff = { firstMs: 100, maxMs: 2_000, jitter: 0.2 }

export interface TeamConnectionOptions {
  /** Asked again after every loss: the team may be somewhere else then. */
  connect: (signal: AbortSignal) => Promise<RemoteTeam>
  dispatch: (input: Input) => void
  clock: Clock
  random?: () => number
}

export class TeamConnection {
  readonly #options: TeamConnectionOptions
  readonly #closing = new AbortController()
  #team: RemoteTeam | undefined
  /** Resolves with the next connection. */
  #next = Promise.withResolvers<RemoteTeam>()
  readonly #done: Promise<void>

  constructor(options: TeamConnectionOptions) {
    this.#options = options
    // Nobody has to wait for a connection.
    this.#next.promise.catch(() => undefined)
    this.#done = this.#keep()
  }

  /** The team. Throws `gateway_unreachable` while it cannot be reached. */
  team(): RemoteTeam {
    if (this.#team !== undefined) return this.#team
    throw new AgentryError('gateway_unreachable', 'the supervisor cannot be reached at the moment')
  }

  /** The team, as soon as it can be reached. Rejects once the connection is closed. */
  async whenConnected(): Promise<RemoteTeam> {
    return this.#team ?? this.#next.promise
  }

  /** Reads the lists again. A failure is that of the connection, which says it. */
  async readLists(): Promise<void> {
    const team = this.#team
    if (team !== undefined) await this.#readLists(team).catch(() => undefined)
  }

  /** Ends it. The team is closed as a client only: it goes on. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.#next.reject(new AgentryError('cancelled', 'the dashboard is closed'))
    await this.#done
  }

  get #closed(): boolean {
    return this.#closing.signal.aborted
  }

  async #keep(): Promise<void> {
    let attempt = 0
    while (!this.#closed) {
      let reason: string
      try {
        const team = await this.#options.connect(this.#closing.signal)
        try {
          await this.#serve(team, () => {
            attempt = 0
          })
          reason = 'the supervisor has ended'
        } finally {
          this.#drop()
          await team.close()
        }
      } catch (error) {
        reason = toAgentryError(error).message
      }
      if (this.#closed) return
      attempt += 1
      this.#options.dispatch({ type: 'connection-lost', reason, attempt })
      await this.#wait(backoffMs(RETRY, attempt, this.#options.random ?? Math.random))
    }
  }

  /** Resolves when the stream of events ends; throws what broke it. */
  async #serve(team: RemoteTeam, onConnected: () => void): Promise<void> {
    const leaving = new AbortController()
    const signal = AbortSignal.any([leaving.signal, this.#closing.signal])
    /** What comes before the lists are there is newer than they may be: it is held back until then. */
    let early: TeamEvent[] | undefined = []
    const opened = Promise.withResolvers<void>()
    const following = (async () => {
      for await (const event of team.events({ signal, onOpen: opened.resolve })) {
        if (this.#closed) return
        if (early === undefined) this.#options.dispatch({ type: 'event', event })
        else early.push(event)
      }
    })()
    try {
      await Promise.race([opened.promise, following])
      await Promise.race([this.#readLists(team), following])
      if (this.#closed) return
      this.#team = team
      this.#options.dispatch({ type: 'connected', url: team.url })
      for (const event of early) this.#options.dispatch({ type: 'event', event })
      early = undefined
      onConnected()
      this.#next.resolve(team)
      await following
    } finally {
      leaving.abort()
      await following.catch(() => undefined) // Thrown above already, where it is the cause.
    }
  }

  async #readLists(team: RemoteTeam): Promise<void> {
    const lists: [AgentInfo[], SessionInfo[], Awaited<ReturnType<RemoteTeam['health']>>] = await Promise.all([
      team.agents(),
      team.sessions(),
      team.health(),
    ])
    if (this.#closed) return
    const [agents, sessions, health] = lists
    this.#options.dispatch({ type: 'lists', agents, sessions, health })
  }

  #drop(): void {
    if (this.#team === undefined) return
    this.#team = undefined
    this.#next = Promise.withResolvers()
    this.#next.promise.catch(() => undefined)
    if (this.#closed) this.#next.reject(new AgentryError('cancelled', 'the dashboard is closed'))
  }

  async #wait(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#options.clock.setTimer(delayMs, resolve)
    this.#closing.signal.addEventListener('abort', () => resolve(), { once: true })
    await promise
    timer.cancel()
  }
}
