import type { Worker } from 'node:worker_threads'
import type { StayUsage } from './agent-host.ts'

/**
 * Reads the use of a thread from outside. The answers come while the thread is in an endless loop (measured: 0 to 15 ms), but not
 * while it is inside one long built-in function. Memory of WebAssembly and SharedArrayBuffers is in none of the figures.
 */
export class ThreadUsage {
  readonly #worker: Worker
  #loopBefore: ReturnType<Worker['performance']['eventLoopUtilization']>
  /** The reading under way, shared by all who ask meanwhile. */
  #reading: PromiseWithResolvers<StayUsage | undefined> | undefined
  #ended = false

  constructor(worker: Worker) {
    this.#worker = worker
    this.#loopBefore = worker.performance.eventLoopUtilization()
  }

  /** Resolves with undefined where the thread does not run yet, or has ended before it answered. */
  read(): Promise<StayUsage | undefined> {
    if (this.#ended) return Promise.resolve(undefined)
    if (this.#reading !== undefined) return this.#reading.promise
    const reading = Promise.withResolvers<StayUsage | undefined>()
    this.#reading = reading
    this.#measure()
      .then(reading.resolve, (error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_WORKER_NOT_RUNNING') reading.resolve(undefined)
        else reading.reject(error)
      })
      .finally(() => (this.#reading = undefined))
    return reading.promise
  }

  /** Settles what is open: a thread that has ended, or works for another stay, is not read any more. */
  end(): void {
    this.#ended = true
    this.#reading?.resolve(undefined)
  }

  async #measure(): Promise<StayUsage> {
    const worker = this.#worker
    const [heap, cpu] = await Promise.all([worker.getHeapStatistics(), worker.cpuUsage()])
    const loop = worker.performance.eventLoopUtilization()
    const { utilization } = worker.performance.eventLoopUtilization(loop, this.#loopBefore)
    this.#loopBefore = loop
    return {
      heapBytes: heap.used_heap_size,
      externalBytes: heap.external_memory,
      cpuMs: (cpu.user + cpu.system) / 1_000,
      loopUtilization: utilization,
    }
  }
}
