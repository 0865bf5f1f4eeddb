/** A behavior whose turns end when the test says so. */
import type { Behavior, BehaviorContext, BehaviorResult } from '../../src/behavior.ts'

interface Turn {
  started: PromiseWithResolvers<BehaviorContext>
  ending: PromiseWithResolvers<BehaviorResult>
  runs: number
}

export class GatedBehavior implements Behavior {
  readonly resumable: boolean
  /** Where false, a turn goes on after the abort of its signal. */
  readonly #obeysSignal: boolean
  readonly #turns = new Map<string, Turn>()

  constructor({
    resumable = false,
    obeysSignal = true,
  }: { resumable?: boolean; obeysSignal?: boolean } = {}) {
    this.resumable = resumable
    this.#obeysSignal = obeysSignal
  }

  async run(message: string, context: BehaviorContext): Promise<BehaviorResult> {
    const turn = this.#turn(message)
    turn.runs += 1
    turn.started.resolve(context)
    if (!this.#obeysSignal) return turn.ending.promise
    const { signal } = context
    const aborted = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true })
    return Promise.race([turn.ending.promise, aborted.promise])
  }

  /** Resolves with the context of the turn of `message` when it runs. */
  started(message: string): Promise<BehaviorContext> {
    return this.#turn(message).started.promise
  }

  /** How often `message` was run. */
  runs(message: string): number {
    return this.#turn(message).runs
  }

  finish(message: string, result: BehaviorResult = `done: ${message}`): void {
    this.#turn(message).ending.resolve(result)
  }

  fail(message: string, error: unknown): void {
    this.#turn(message).ending.reject(error)
  }

  #turn(message: string): Turn {
    let turn = this.#turns.get(message)
    if (turn === undefined) {
      turn = { started: Promise.withResolvers(), ending: Promise.withResolvers(), runs: 0 }
      turn.ending.promise.catch(() => undefined)
      this.#turns.set(message, turn)
    }
    return turn
  }
}
