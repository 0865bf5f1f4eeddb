/**
 * One stay of an agent, with what it holds while its thread is there: a slot, a claim, and the deadlines of what it was told.
 *
 * LS1 Told nothing, it takes calls once it is ready. Told to rest, it takes none until it declines; told to stop, none any more: a stop
 *     overrules a rest, never the other way round.
 * LS2 A thread is ended that is not ready in time, does not answer in time whether it can rest, or does not stop within its grace.
 *     A stop does not excuse it from the other two.
 * LS3 Claim and slot are given back when the thread is gone, not before.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { setDeadline } from '../core/deadline.ts'
import type { Claim, ClaimAuthority } from '../store/session-store.ts'
import type { Stay } from './agent-host.ts'
import { StayWatch } from './stay-watch.ts'
import type { Slot } from './thread-slots.ts'

/** For an answer to `rest`. Beyond the grace of a stop: for a behavior that ignores its signal, and for closing the session. */
const STOP_MARGIN_MS = 7_000

export interface LiveStayOptions {
  stay: Stay
  claim: Claim
  claims: Pick<ClaimAuthority, 'release'>
  slot: Slot
  clock: Clock
  /** For its start, from now on. */
  startMs: number
  memoryMb: number
}

export class LiveStay {
  readonly #options: LiveStayOptions
  readonly watch: StayWatch
  #ready = false
  #startTimedOut = false
  #intent: 'rest' | 'stop' | undefined
  #wakeDue = false
  readonly #startTimer: Timer
  #restTimer: Timer | undefined
  #stopTimer: Timer | undefined

  constructor(options: LiveStayOptions) {
    const { stay, clock, startMs, memoryMb } = options
    this.#options = options
    this.watch = new StayWatch(stay, clock, memoryMb)
    this.#startTimer = setDeadline(clock, startMs, () => {
      this.#startTimedOut = true
      stay.terminate(`was not ready within ${startMs} ms`)
    })
  }

  get stay(): Stay {
    return this.#options.stay
  }

  get ready(): boolean {
    return this.#ready
  }

  get startTimedOut(): boolean {
    return this.#startTimedOut
  }

  /** What it was told and has not declined. */
  get intent(): 'rest' | 'stop' | undefined {
    return this.#intent
  }

  /** LS1 */
  get takesCalls(): boolean {
    return this.#ready && this.#intent === undefined
  }

  /** True where something came for it while it was about to give its thread back. */
  get wakeDue(): boolean {
    return this.#wakeDue
  }

  /** It has reported in. */
  started(): void {
    this.#ready = true
    this.#startTimer.cancel()
  }

  /** Asks it to give its thread back. Only where it takes calls. */
  rest(): void {
    const { stay, clock } = this.#options
    this.#intent = 'rest'
    stay.send({ type: 'rest' })
    this.#restTimer = setDeadline(clock, STOP_MARGIN_MS, () => {
      stay.terminate(`did not answer within ${STOP_MARGIN_MS} ms whether it can rest`)
    })
  }

  /** It cannot rest. False where that changes nothing: it is to stop by now. */
  declinedRest(): boolean {
    this.#restTimer?.cancel()
    if (this.#intent !== 'rest') return false
    this.#intent = undefined
    this.#wakeDue = false
    return true
  }

  /** Something is there that its agent is to take up. Where it rests, the next stay does; see wakeDue. */
  wake(): void {
    if (this.#intent === 'rest') this.#wakeDue = true
  }

  /** Tells it to stop; the running turn has `graceMs`. Idempotent: the first grace counts. */
  stop(graceMs: number): void {
    if (this.#intent === 'stop') return
    const { stay, clock } = this.#options
    this.#intent = 'stop'
    stay.send({ type: 'stop', graceMs })
    this.#stopTimer = setDeadline(clock, graceMs + STOP_MARGIN_MS, () => {
      stay.terminate(`did not stop within ${graceMs + STOP_MARGIN_MS} ms`)
    })
  }

  /** Its thread is gone (LS3). */
  release(): void {
    const { claims, claim, slot } = this.#options
    this.#startTimer.cancel()
    this.#restTimer?.cancel()
    this.#stopTimer?.cancel()
    claims.release(claim)
    slot.release()
  }
}
