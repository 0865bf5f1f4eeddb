import { AgentryError, type WireError } from '../errors.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import type { ToAgent } from '../protocol/to-agent.ts'

/** An envelope that is answered, without its id: the id is given when it is sent. */
export type Request = DistributiveOmit<
  Extract<ToAgent, { type: 'message' | 'command' | 'cancel' | 'approval' }>,
  'id'
>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

export interface Call {
  request: Request
  resolve(value: unknown): void
  reject(error: AgentryError): void
  /** Events of the turn that the message belongs to. */
  onEvent?(event: TurnEvent): void
  /** Aborted: nobody waits for the answer. */
  signal?: AbortSignal
}

interface SentCall extends Call {
  /** Of a message: the turn whose end answers it. */
  turnId?: string
  /** The turns whose events it gets. */
  follows: string[]
}

/**
 * The calls that one stay owes an answer. Each is settled exactly once: by its reply, its failure, the end of its turn, or, when
 * the stay ends, all of them by one cause.
 */
export class PendingCalls {
  readonly #calls = new Map<number, SentCall>()
  readonly #byTurn = new Map<string, Set<number>>()
  #nextId = 1

  get size(): number {
    return this.#calls.size
  }

  /** Registers a call; the envelope to send comes back with its id. */
  add(call: Call): ToAgent {
    const id = this.#nextId++
    const sent: SentCall = { ...call, follows: [] }
    this.#calls.set(id, sent)
    if (call.request.type === 'message') this.join(id, call.request.message.turnId)
    return { ...call.request, id }
  }

  reply(id: number, value: unknown): void {
    this.#take(id)?.resolve(value)
  }

  fail(id: number, error: WireError): void {
    this.#take(id)?.reject(AgentryError.from(error))
  }

  /** The message has the taskId of another turn: it follows that one from now on. */
  join(id: number, turnId: string): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    this.#unfollow(id, call)
    call.turnId = turnId
    this.follow(id, turnId)
  }

  /** The message was taken in by another turn: it gets the events of that one too, but its end. */
  follow(id: number, turnId: string): void {
    const call = this.#calls.get(id)
    if (call === undefined) return
    call.follows.push(turnId)
    const ids = this.#byTurn.get(turnId)
    if (ids) ids.add(id)
    else this.#byTurn.set(turnId, new Set([id]))
  }

  turnEvent(turnId: string, event: TurnEvent): void {
    const ids = this.#byTurn.get(turnId)
    if (ids === undefined) return
    for (const id of ids) {
      const call = this.#calls.get(id)
      if (call === undefined || (event.type === 'turn-finished' && call.turnId !== turnId)) continue
      call.onEvent?.(event)
      if (event.type === 'turn-finished' && isForTurn(call)) this.#take(id)?.resolve(event.outcome)
    }
  }

  /** True where all that is owed is the end of turns. */
  get onlyTurns(): boolean {
    return this.#calls.values().every((call) => isForTurn(call))
  }

  /** Takes out, in order, the messages that wait for the end of a turn: another stay may owe them the answer. */
  takeTurns(): Call[] {
    const ids = this.#calls.entries().filter(([, call]) => isForTurn(call))
    return ids.toArray().flatMap(([id]) => this.#take(id) ?? [])
  }

  /**
   * Settles those that nobody waits for and whose message is in good hands: it joined a turn that another message began. That other one
   * stays until it is answered, for it keeps its taskId in one place.
   */
  dropAbandoned(): void {
    for (const [id, call] of this.#calls) {
      const { request, signal, turnId } = call
      const joined = request.type === 'message' && request.message.turnId !== turnId
      if (signal?.aborted && joined) this.#take(id)?.reject(abandoned())
    }
  }

  /** Settles everything with one cause. */
  failAll(error: AgentryError): void {
    for (const id of this.#calls.keys()) this.#take(id)?.reject(error)
  }

  #take(id: number): SentCall | undefined {
    const call = this.#calls.get(id)
    if (call === undefined) return undefined
    this.#calls.delete(id)
    this.#unfollow(id, call)
    return call
  }

  #unfollow(id: number, call: SentCall): void {
    for (const turnId of call.follows) {
      const ids = this.#byTurn.get(turnId)
      ids?.delete(id)
      if (ids?.size === 0) this.#byTurn.delete(turnId)
    }
    call.follows = []
  }
}

/** For a call that nobody waits for. */
export function abandoned(): AgentryError {
  return new AgentryError('cancelled', 'nobody waits for the answer any more')
}

function isForTurn({ request }: Call): boolean {
  return request.type === 'message' && request.ack === 'finished'
}
