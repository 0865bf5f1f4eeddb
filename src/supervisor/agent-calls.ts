/**
 * The calls of one agent, from stay to stay.
 *
 * AC1 A call that was taken is settled once: by the stay it was sent to, by the end of that stay, or, where no stay will come, by
 *     whoever says so.
 * AC2 What waits for a stay is sent in the order in which it came. The end of a stay does not touch it.
 * AC3 When a stay gives its thread back, the turns it leaves open are recorded, and messages that wait for the end of such a turn are
 *     parked. They go to the next stay before everything else; their taskIds join them to their turns there. What else was sent to
 *     the stay fails.
 * AC4 A call that nobody waits for any more is let go of where its message is in good hands: joined to another's turn, or parked. One
 *     that waits is sent all the same: its message is acknowledged by nobody yet.
 */
import { type AgentryError, assertNever } from '../errors.ts'
import type { FromAgent } from '../protocol/from-agent.ts'
import type { Stay } from './agent-host.ts'
import { CallBudget, type CallBudgetOptions } from './call-budget.ts'
import { abandoned, type Call, PendingCalls } from './pending-calls.ts'

export interface AgentCallsOptions extends CallBudgetOptions {
  /** Last look before a call is sent: true where it was answered otherwise. */
  intercept: (call: Call) => boolean
}

/** What a stay says of the calls that it was sent. */
export type CallReport = Extract<
  FromAgent,
  { type: 'reply' | 'failure' | 'joined' | 'following' | 'turn-event' }
>

type Receiver = Pick<Stay, 'send'>

export class AgentCalls {
  readonly #budget: CallBudget
  readonly #intercept: (call: Call) => boolean
  readonly #sent = new PendingCalls()
  #waiting: Call[] = []
  /** AC3 */
  #parked: Call[] = []

  constructor(options: AgentCallsOptions) {
    this.#budget = new CallBudget(options)
    this.#intercept = options.intercept
  }

  /** Calls that have no answer yet: sent, waiting and parked. */
  get size(): number {
    return this.#sent.size + this.#waiting.length + this.#parked.length
  }

  /** Calls that the stay owes an answer. */
  get sent(): number {
    return this.#sent.size
  }

  /** True where all that the stay owes is the end of turns. */
  get onlyTurnsSent(): boolean {
    return this.#sent.onlyTurns
  }

  /** Calls that wait for a stay, without the parked ones. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** The call to send, or to let wait, in the place of `call`; undefined where there is no room for it: it is rejected then. */
  take(call: Call): Call | undefined {
    const taken = this.#budget.take(call)
    if ('call' in taken) return taken.call
    call.reject(taken.full)
    return undefined
  }

  /** Lets a call wait for the next stay. */
  wait(call: Call): void {
    this.#waiting.push(call)
  }

  /** False where the call was answered otherwise. */
  send(stay: Receiver, call: Call): boolean {
    if (this.#intercept(call)) return false
    stay.send(this.#sent.add(call))
    return true
  }

  /** Sends all that waits (AC2). False where some of it was answered otherwise. */
  sendWaiting(stay: Receiver): boolean {
    const waiting = this.#waiting
    this.#waiting = []
    const answered = waiting.filter((call) => !this.send(stay, call))
    return answered.length === 0
  }

  /** Sends the parked calls to the stay that takes up their turns: before sendWaiting (AC3). */
  sendParked(stay: Receiver): void {
    const parked = this.#parked
    this.#parked = []
    for (const call of parked) stay.send(this.#sent.add(call))
  }

  /** Takes over what the stay reports. */
  report(report: CallReport): void {
    switch (report.type) {
      case 'reply':
        return this.#sent.reply(report.id, report.value)
      case 'failure':
        return this.#sent.fail(report.id, report.error)
      case 'joined':
        this.#sent.join(report.id, report.turnId)
        return this.#sent.dropAbandoned()
      case 'following':
        return this.#sent.follow(report.id, report.turnId)
      case 'turn-event':
        return this.#sent.turnEvent(report.turnId, report.event)
      default:
        return assertNever(report)
    }
  }

  /** The stay has given its thread back (AC3); `cause` is what fails the calls that no other stay can answer. */
  park(cause: AgentryError): void {
    this.#parked = this.#sent.takeTurns()
    this.dropAbandoned()
    this.#sent.failAll(cause)
  }

  /** AC4. Call it when a signal was aborted. */
  dropAbandoned(): void {
    this.#sent.dropAbandoned()
    const parked = this.#parked
    this.#parked = parked.filter(({ signal }) => !signal?.aborted)
    for (const call of parked) if (call.signal?.aborted) call.reject(abandoned())
  }

  /** Fails what was sent: the stay has ended otherwise than by giving its thread back. */
  failSent(cause: AgentryError): void {
    this.#sent.failAll(cause)
  }

  /** Fails what waits: its stay did not come up. Parked calls stay: their turns are recorded. */
  failWaiting(cause: AgentryError): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) call.reject(cause)
  }

  /** Fails what is parked and what waits: no stay will come by itself. */
  failUnsent(cause: AgentryError): void {
    const parked = this.#parked
    this.#parked = []
    for (const call of parked) call.reject(cause)
    this.failWaiting(cause)
  }
}
