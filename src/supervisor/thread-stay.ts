/**
 * One stay on a thread, from the task given to the pool to the thread's return or its end.
 *
 * T1  The cause of the end is the first one that is known: what the thread said (`ended`), an error that escaped in it, a call
 *     of terminate(), or else its exit code.
 * T2  A thread is given back only after it said so itself and its task has returned; in every other case `exited` waits for the
 *     exit event of the thread. The pool's own promise is no sign of that: it rejects before the thread is gone.
 *     A thread ends only when the built-in function it is in returns, and its file operations under way: a read of a FIFO that
 *     nobody writes holds it for ever.
 * T3  What the thread sent before its end is received before `exited` settles.
 */
import type { Worker } from 'node:worker_threads'
import type { FromAgent } from '../protocol/from-agent.ts'
import type { FramePort } from '../protocol/port.ts'
import { type FromThread, type ThreadError, toThreadError } from '../protocol/thread-task.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import type { Stay, StayEnd, StayUsage } from './agent-host.ts'
import { ThreadUsage } from './thread-usage.ts'

export class ThreadStay implements Stay {
  readonly exited: Promise<StayEnd>
  readonly #settle: (end: StayEnd) => void
  readonly #line: FramePort<ToAgent, FromThread>
  readonly #receive: (envelope: FromAgent) => void
  readonly #redact: (error: ThreadError) => ThreadError
  readonly #abort = new AbortController()
  #thread: { worker: Worker; usage: ThreadUsage } | undefined
  #end: StayEnd | undefined
  #reusable = false
  #finished = false

  /** `redact` is given the errors that escape in the thread; it has done what it says itself already. */
  constructor(
    line: FramePort<ToAgent, FromThread>,
    receive: (envelope: FromAgent) => void,
    redact: (error: ThreadError) => ThreadError,
  ) {
    const { promise, resolve } = Promise.withResolvers<StayEnd>()
    this.exited = promise
    this.#settle = resolve
    this.#line = line
    this.#receive = receive
    this.#redact = redact
    line.onReceive((envelope) => this.#take(envelope))
  }

  /** Aborted when the thread is to be ended, or the task taken out of the queue. */
  get signal(): AbortSignal {
    return this.#abort.signal
  }

  get hasThread(): boolean {
    return this.#thread !== undefined
  }

  /** Called once, when the pool has chosen the thread and before the thread has the task. */
  attach(worker: Worker): void {
    this.#thread = { worker, usage: new ThreadUsage(worker) }
    worker.on('error', this.#onError)
    worker.on('exit', this.#onExit)
  }

  /** Waits for the pool's task. */
  async follow(task: Promise<unknown>): Promise<void> {
    let returned = true
    try {
      await task
    } catch (error) {
      returned = false
      this.#failed(error)
    }
    if (this.#finished) return
    this.#line.drain()
    if (this.#thread === undefined || (returned && this.#reusable)) this.#finish()
    else void this.#thread.worker.terminate()
  }

  send(envelope: ToAgent): void {
    this.#line.send(envelope)
  }

  terminate(reason: string): void {
    this.#conclude({ kind: 'terminated', reason })
    this.#abort.abort()
  }

  /** Ends the stay because no thread could be started for it. */
  fail(error: unknown): void {
    this.#failed(error)
    this.#abort.abort()
  }

  async usage(): Promise<StayUsage | undefined> {
    return this.#thread?.usage.read()
  }

  #take(envelope: FromThread): void {
    if (envelope.type !== 'ended') return this.#receive(envelope)
    this.#conclude(envelope.error ? { kind: 'error', ...envelope.error } : { kind: 'stopped' })
    this.#reusable = envelope.reusable
    if (!envelope.reusable) this.#abort.abort()
  }

  readonly #onError = (error: unknown): void => {
    this.#line.drain()
    this.#failed(error)
  }

  readonly #onExit = (code: number): void => {
    try {
      this.#line.drain()
    } finally {
      this.#conclude({ kind: 'exit', code })
      this.#finish()
    }
  }

  #failed(error: unknown): void {
    this.#conclude({ kind: 'error', ...this.#redact(toThreadError(error)) })
  }

  /** T1 */
  #conclude(end: StayEnd): void {
    this.#end ??= end
  }

  #finish(): void {
    this.#finished = true
    this.#thread?.worker.off('error', this.#onError)
    this.#thread?.worker.off('exit', this.#onExit)
    this.#thread?.usage.end()
    this.#line.close()
    this.#settle(this.#end ?? { kind: 'error', message: 'the thread ended without reporting a result' })
  }
}
