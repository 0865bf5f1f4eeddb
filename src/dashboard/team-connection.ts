/**
 * The dashboard's line to the team: keeps it, and says what comes over it.
 *
 * L1  while the team can be reached, everything that happens in it is dispatched: the stream of events is open before the lists are
 *     read, so nothing falls in between.
 * L2  a loss is said at once, and tried again for as long as the dashboard lives; after each loss the lists are read again, because
 *     another supervisor may have come.
 * L3  nothing is dispatched once `close` was called.
 * L4  what was read is never put in the place of something newer: events that come while it is read wait until it was dispatched.
 */
import type { TeamEvent } from '../api.ts'
import type { RemoteTeam } from '../client/remote-team.ts'
import { type Backoff, backoffMs } from '../core/backoff.ts'
import type { Clock } from '../core/clock.ts'
import { pause } from '../core/deadline.ts'
import { AgentryError, isAgentryError, toAgentryError } from '../errors.ts'
import type { Input } from './model/input.ts'

const PAUSE_MS = 50
const ENDED = 'the supervisor has ended'
/** A supervisor that died is back within two seconds: it is asked for often at first. */
const RETRY: Backoff = { firstMs: 100, maxMs: 2_000, jitter: 0.2 }

export interface TeamConnectionOptions {
  /** Asked again after every loss: the team may be somewhere else then. */
  connect: (signal: AbortSignal) => Promise<RemoteTeam>
  dispatch: (input: Input) => void
  clock: Clock
  random?: () => number
}

/** True for what a call throws that lost its supervisor: whether that has done what was asked for, nobody knows yet. */
export function isLoss(error: unknown): boolean {
  return (
    isAgentryError(error, 'gateway_unreachable') ||
    // It is ending, and lets nobody in.
    isAgentryError(error, 'team_closed') ||
    // The connection was given up here, because its stream of events had ended.
    isAgentryError(error, 'cancelled')
  )
}

export class TeamConnection {
  readonly #options: TeamConnectionOptions
  readonly #closing = new AbortController()
  #team: RemoteTeam | undefined
  /** What came while the lists, or one agent, are read (L4). */
  #early: TeamEvent[] | undefined
  readonly #earlyOf = new Map<string, TeamEvent[]>()
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

  /** For whoever has seen a loss (`isLoss`): the connection learns of it by its own stream, perhaps a moment later. */
  async pause(signal: AbortSignal): Promise<void> {
    await pause(this.#options.clock, PAUSE_MS, signal)
  }

  /** Reads the lists again. A failure is that of the connection, which says it. */
  async readLists(): Promise<void> {
    const team = this.#team
    if (team === undefined || this.#early !== undefined) return
    const early: TeamEvent[] = []
    this.#early = early
    const lists = await this.#lists(team).catch(() => undefined)
    if (this.#early !== early || this.#closed) return
    if (lists !== undefined) this.#options.dispatch(lists)
    this.#early = undefined
    for (const event of early) this.#hear(event)
  }

  /** Reads one agent. A failure is as with the lists. */
  async readAgent(agentId: string): Promise<void> {
    const team = this.#team
    if (team === undefined || this.#earlyOf.has(agentId)) return
    const early: TeamEvent[] = []
    this.#earlyOf.set(agentId, early)
    const read = async (): Promise<Input | undefined> => {
      const agent = await team.agent(agentId)
      return agent && { type: 'agent', agent: await agent.info() }
    }
    const input = await read().catch(() => undefined)
    if (this.#earlyOf.get(agentId) !== early || this.#closed) return
    if (input !== undefined) this.#options.dispatch(input)
    this.#earlyOf.delete(agentId)
    for (const event of early) this.#hear(event)
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
          reason = ENDED
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
      const delayMs = backoffMs(RETRY, attempt, this.#options.random ?? Math.random)
      await pause(this.#options.clock, delayMs, this.#closing.signal)
    }
  }

  /** Resolves when the stream of events ends; throws what broke it. */
  async #serve(team: RemoteTeam, onConnected: () => void): Promise<void> {
    const leaving = new AbortController()
    const signal = AbortSignal.any([leaving.signal, this.#closing.signal])
    const early: TeamEvent[] = []
    this.#early = early
    const opened = Promise.withResolvers<void>()
    const following = (async () => {
      for await (const event of team.events({ signal, onOpen: opened.resolve })) this.#hear(event)
    })()
    /** Before the lists are there, the end of the stream is one of the connection. */
    const ended = following.then(() => {
      throw new AgentryError('gateway_unreachable', ENDED)
    })
    try {
      await Promise.race([opened.promise, ended])
      const lists = await Promise.race([this.#lists(team), ended])
      if (this.#closed) return
      this.#team = team
      this.#options.dispatch(lists)
      this.#options.dispatch({ type: 'connected', url: team.url })
      this.#early = undefined
      for (const event of early) this.#hear(event)
      onConnected()
      this.#next.resolve(team)
      await following
    } finally {
      leaving.abort()
      await ended.catch(() => undefined) // Thrown above already, where it is the cause.
    }
  }

  #hear(event: TeamEvent): void {
    if (this.#closed) return
    const ofAgent =
      event.type === 'agent-state' || event.type === 'agent-removed'
        ? this.#earlyOf.get(event.agentId)
        : undefined
    const waiting = ofAgent ?? this.#early
    if (waiting === undefined) this.#options.dispatch({ type: 'event', event })
    else waiting.push(event)
  }

  async #lists(team: RemoteTeam): Promise<Input> {
    const [agents, sessions, health] = await Promise.all([team.agents(), team.sessions(), team.health()])
    return { type: 'lists', agents, sessions, health }
  }

  #drop(): void {
    this.#early = undefined
    this.#earlyOf.clear()
    if (this.#team === undefined) return
    this.#team = undefined
    this.#next = Promise.withResolvers()
    this.#next.promise.catch(() => undefined)
    if (this.#closed) this.#next.reject(new AgentryError('cancelled', 'the dashboard is closed'))
  }
}
