/** A host whose stays do what the test says: it speaks the real protocol, and nothing happens by itself. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { SessionState } from '../../src/core/session-state.ts'
import type { FromAgent, Outcome } from '../../src/protocol/from-agent.ts'
import type { ToAgent } from '../../src/protocol/to-agent.ts'
import type { AgentHost, Stay, StayEnd, StayOptions, StayUsage } from '../../src/supervisor/agent-host.ts'

type Envelope<T extends ToAgent['type']> = Extract<ToAgent, { type: T }>

export class ScriptedStay implements Stay {
  readonly options: StayOptions
  readonly exited: Promise<StayEnd>
  readonly received: ToAgent[] = []
  /** The reading that usage() gives; undefined: none. A promise that never settles: a thread that cannot answer. */
  reading: Promise<StayUsage | undefined> = Promise.resolve(undefined)
  /** Where false, pings stay unanswered. */
  answersPings = true
  /** Where false, terminate() does nothing but being noted: the thread is stuck. */
  terminable = true
  terminatedFor: string | undefined
  readonly #receive: (envelope: FromAgent) => void
  readonly #settle: (end: StayEnd) => void

  constructor(options: StayOptions, receive: (envelope: FromAgent) => void) {
    const { promise, resolve } = Promise.withResolvers<StayEnd>()
    this.options = options
    this.exited = promise
    this.#settle = resolve
    this.#receive = receive
  }

  get agentId(): string {
    return this.options.spec.id
  }

  send(envelope: ToAgent): void {
    this.received.push(envelope)
    if (envelope.type === 'ping' && this.answersPings) {
      queueMicrotask(() => this.#receive({ type: 'pong', id: envelope.id }))
    }
  }

  terminate(reason: string): void {
    this.terminatedFor ??= reason
    if (this.terminable) this.#settle({ kind: 'terminated', reason })
  }

  usage(): Promise<StayUsage | undefined> {
    return this.reading
  }

  /** The stay says something. */
  say(envelope: FromAgent): void {
    this.#receive(envelope)
  }

  ready(): void {
    this.say({ type: 'ready', threadId: 1 })
  }

  end(end: StayEnd): void {
    this.#settle(end)
  }

  /** What came of one type, in order. */
  all<T extends ToAgent['type']>(type: T): Envelope<T>[] {
    return this.received.filter((envelope): envelope is Envelope<T> => envelope.type === type)
  }

  /** Answers the last message with the end of its turn. */
  finish(input: string): Outcome {
    const envelope = this.all('message').find(({ message }) => message.input === input)
    if (envelope === undefined) throw new Error(`no message ${input} came`)
    const { turnId, taskId } = envelope.message
    const outcome: Outcome = {
      status: 'completed',
      result: input,
      turnId,
      taskId,
      agentId: this.agentId,
      sessionId: 'none',
    }
    this.say({ type: 'turn-event', turnId, sessionId: 'none', event: { type: 'turn-finished', outcome } })
    return outcome
  }
}

export class ScriptedHost implements AgentHost {
  readonly capacity: number
  readonly stays: ScriptedStay[] = []
  /** Thrown by the next start. */
  refusal: Error | undefined

  constructor(capacity = 8) {
    this.capacity = capacity
  }

  start(options: StayOptions, receive: (envelope: FromAgent) => void): Stay {
    const { refusal } = this
    this.refusal = undefined
    if (refusal) throw refusal
    const stay = new ScriptedStay(options, receive)
    this.stays.push(stay)
    return stay
  }

  read(): Promise<SessionState> {
    return Promise.reject(new Error('the scripted host reads no sessions'))
  }

  async close(): Promise<void> {
    for (const stay of this.stays) stay.terminate('the host was closed')
  }

  /** The latest stay of an agent, once there are `count` of them. */
  async stay(agentId: string, count = 1): Promise<ScriptedStay> {
    for (let turn = 0; turn < 50; turn++) {
      const stays = this.stays.filter((stay) => stay.agentId === agentId)
      const latest = stays.at(-1)
      if (latest !== undefined && stays.length >= count) return latest
      await nextTurn()
    }
    throw new Error(`agent ${agentId} has not started ${count} stays`)
  }
}
