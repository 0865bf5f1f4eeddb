/** Starts a stay and follows what it sends. */
import { NO_MODELS } from '../../src/llm-spec.ts'
import { createId } from '../../src/core/ids.ts'
import { DEFAULT_RESTART } from '../../src/core/restart-policy.ts'
import type { FromAgent, Outcome } from '../../src/protocol/from-agent.ts'
import type { StayOptions } from '../../src/protocol/stay.ts'
import { createClaimAuthority, type EpochClaims } from '../../src/store/claims.ts'
import type { AgentHost, Stay, StayEnd } from '../../src/supervisor/agent-host.ts'

type Envelope<T extends FromAgent['type']> = Extract<FromAgent, { type: T }>

/** The absolute path of a module in test/fakes/behaviors. */
export function fakeBehavior(name: string): string {
  return new URL(`../fakes/behaviors/${name}.ts`, import.meta.url).pathname
}

export interface ProbeOptions {
  behavior?: string
  agentId?: string
  /** The data directory. */
  directory: string
  claims?: EpochClaims
  currentSessionId?: string
}

export function stayOptions(options: ProbeOptions): StayOptions {
  const { behavior = 'echo', agentId = 'probed', directory, claims = createClaimAuthority(1) } = options
  return {
    spec: {
      id: agentId,
      role: '',
      behavior,
      instructions: '',
      workingDir: directory,
      restart: DEFAULT_RESTART,
      limits: { memoryMb: 512, turnMs: 600_000 },
    },
    claim: claims.claim(agentId),
    ...(options.currentSessionId !== undefined && { currentSessionId: options.currentSessionId }),
    strayActiveIds: [],
    activation: 0,
    resume: true,
    store: { directory, fsync: 'always' },
    models: NO_MODELS,
    limits: {
      mailboxMessages: 1_000,
      mailboxBytes: 33_554_432,
      messageBytes: 1_048_576,
      resultBytes: 1_048_576,
    },
  }
}

export class StayProbe {
  readonly stay: Stay
  readonly envelopes: FromAgent[] = []
  readonly #watchers = new Set<() => void>()
  #end: StayEnd | undefined
  #nextId = 1

  constructor(host: AgentHost, options: StayOptions | ProbeOptions) {
    this.stay = host.start('claim' in options ? options : stayOptions(options), (envelope) => {
      this.envelopes.push(envelope)
      this.#notify()
    })
    void this.stay.exited.then((end) => {
      this.#end = end
      this.#notify()
    })
  }

  /** The first envelope of that type that fits, received or to come. Rejects where the stay ends without one. */
  async next<T extends FromAgent['type']>(
    type: T,
    fits: (envelope: Envelope<T>) => boolean = () => true,
  ): Promise<Envelope<T>> {
    for (;;) {
      const found = this.envelopes.find(
        (envelope): envelope is Envelope<T> => envelope.type === type && fits(envelope as Envelope<T>),
      )
      if (found !== undefined) return found
      if (this.#end) throw new Error(`the stay ended (${JSON.stringify(this.#end)}) without ${type}`)
      await new Promise<void>((resolve) => this.#watchers.add(resolve))
    }
  }

  ready(): Promise<Envelope<'ready'>> {
    return this.next('ready')
  }

  /** Sends a message without waiting; gives its turnId. */
  post(input: string): string {
    const turnId = createId()
    const message = { turnId, taskId: turnId, input }
    this.stay.send({ type: 'message', id: this.#nextId++, message, ack: 'finished' })
    return turnId
  }

  /** The outcome of a message. */
  async message(input: string): Promise<Outcome> {
    const turnId = this.post(input)
    await this.next(
      'turn-event',
      (envelope) => envelope.turnId === turnId && envelope.event.type === 'turn-finished',
    )
    const outcome = this.outcomes().find((candidate) => candidate.turnId === turnId)
    if (outcome === undefined) throw new Error('expected the outcome in the end of the turn')
    return outcome
  }

  /** The outcomes of all turns that have ended. */
  outcomes(): Outcome[] {
    return this.envelopes.flatMap((envelope) =>
      envelope.type === 'turn-event' && envelope.event.type === 'turn-finished'
        ? [envelope.event.outcome]
        : [],
    )
  }

  /** Sends a message and waits until its turn has begun. */
  async begin(input: string): Promise<void> {
    const turnId = this.post(input)
    await this.next(
      'turn-event',
      (envelope) => envelope.turnId === turnId && envelope.event.type === 'turn-started',
    )
  }

  stop(): Promise<StayEnd> {
    this.stay.send({ type: 'stop', graceMs: 0 })
    return this.stay.exited
  }

  logs(stream: 'stdout' | 'stderr'): string {
    return this.envelopes
      .map((envelope) => (envelope.type === 'log' && envelope.stream === stream ? envelope.text : ''))
      .join('')
  }

  #notify(): void {
    for (const watcher of this.#watchers) watcher()
    this.#watchers.clear()
  }
}
