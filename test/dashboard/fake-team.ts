/** A team that a test plays: what it answers, and when, is the test's. */
import type { AgentInfo, SessionInfo, TeamEvent, TeamEventBody } from '../../src/api.ts'
import type { RemoteAgent, RemoteTeam, WatchItem } from '../../src/client/remote-team.ts'
import { AgentryError } from '../../src/errors.ts'
import { agent, health, NOW_MS } from './fixtures.ts'

/** Items that a test pushes, for one reader. Ends with the signal of its reader as a request does. */
export class FakeStream<T> {
  readonly #items: T[] = []
  #more = Promise.withResolvers<void>()
  #end: { readonly error: Error | undefined } | undefined

  push(...items: readonly T[]): void {
    this.#items.push(...items)
    this.#more.resolve()
  }

  /** Behind the items that were pushed; with what the reader's next step throws. */
  end(error?: Error): void {
    this.#end = { error }
    this.#more.resolve()
  }

  async *read(signal: AbortSignal | undefined): AsyncGenerator<T> {
    signal?.addEventListener('abort', () => this.#more.resolve())
    for (;;) {
      if (signal?.aborted === true) throw new AgentryError('cancelled', 'the request was given up')
      const item = this.#items.shift()
      if (item !== undefined) {
        yield item
      } else if (this.#end !== undefined) {
        if (this.#end.error !== undefined) throw this.#end.error
        return
      } else {
        await this.#more.promise
        this.#more = Promise.withResolvers()
      }
    }
  }
}

/** Holds answers back between `hold` and `open`. */
export class Gate {
  #opened = Promise.withResolvers<void>()

  constructor() {
    this.#opened.resolve()
  }

  hold(): void {
    this.#opened = Promise.withResolvers()
  }

  open(): void {
    this.#opened.resolve()
  }

  async passed(): Promise<void> {
    await this.#opened.promise
  }
}

let seq = 0

export class FakeTeam {
  readonly events: FakeStream<TeamEvent> = new FakeStream()
  /** What it is asked, in order; `after` of a following behind its session. */
  readonly asked: string[] = []
  /** Streams of records, in the order in which they were asked for. */
  readonly watched: FakeStream<WatchItem>[] = []
  readonly lists: Gate = new Gate()
  readonly info: Gate = new Gate()
  agents: AgentInfo[] = [agent('ops')]
  sessions: SessionInfo[] = []
  closed = 0

  /** Something happens in the team. */
  happens(body: TeamEventBody): void {
    seq += 1
    this.events.push({ epoch: 1, seq, at: new Date(NOW_MS).toISOString(), ...body })
  }

  /** Answers whether a session is there, in place of the list. */
  sessionIs: ((id: string) => Promise<SessionInfo | undefined>) | undefined

  /** As the dashboard sees it: what is answered is how it is when it is asked. */
  remote(): RemoteTeam {
    const watch = (id: string, options: { after?: number; signal?: AbortSignal } = {}) => {
      this.asked.push(`watch ${id} ${options.after ?? 0}`)
      const stream = new FakeStream<WatchItem>()
      this.watched.push(stream)
      return stream.read(options.signal)
    }
    const remote: Partial<RemoteTeam> = {
      url: 'http://127.0.0.1:7420',
      events: ({ signal, onOpen } = {}) => {
        onOpen?.()
        return this.events.read(signal)
      },
      agents: async () => {
        this.asked.push('agents')
        const { agents } = this
        await this.lists.passed()
        return agents
      },
      sessions: async () => this.sessions,
      session: async (id) =>
        this.sessionIs === undefined
          ? this.sessions.find((session) => session.id === id)
          : this.sessionIs(id),
      health: async () => health(),
      agent: async (id) => this.#remoteAgent(id),
      watch,
      async *follow(id, options) {
        for await (const item of watch(id, options)) if (item.type === 'record') yield item.record
      },
      close: async () => {
        this.closed += 1
      },
    }
    return remote as RemoteTeam
  }

  #remoteAgent(id: string): RemoteAgent | undefined {
    this.asked.push(`agent ${id}`)
    const known = this.agents.find((one) => one.id === id)
    if (known === undefined) return undefined
    const remote: Partial<RemoteAgent> = {
      id,
      info: async () => {
        await this.info.passed()
        return known
      },
    }
    return remote as RemoteAgent
  }
}
