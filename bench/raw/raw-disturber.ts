/** Keeps one bare disturber going: what the library's supervision does, with as little as does it. */
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Disturbance } from '../behaviors/disturb.ts'
import { javaScriptOf, startRaw } from './raw-worker.ts'

export interface Supervision {
  /** A thread that does not come back is ended after this long. */
  loopMs: number
  /** How often the memory is read. */
  memoryPollMs: number
  memoryMb: number
  restartMs: number
}

/** Starts the disturber again and again until the signal is aborted. Resolves with how often, once the last thread is gone. */
export async function disturbRaw(
  kind: Disturbance,
  { loopMs, memoryPollMs, memoryMb, restartMs }: Supervision,
  signal: AbortSignal,
): Promise<number> {
  const module = javaScriptOf(new URL('../behaviors/disturb.ts', import.meta.url)).href
  for (let starts = 1; ; starts += 1) {
    const worker = startRaw(new URL('./disturber-thread.ts', import.meta.url), {
      workerData: { module },
      resourceLimits: { maxOldGenerationSizeMb: 4_096 },
    })
    const exited = once(worker, 'exit')
    const end = () => void worker.terminate()
    signal.addEventListener('abort', end)
    const loopTimer = setTimeout(end, loopMs)
    const memoryTimer = setInterval(() => {
      worker.getHeapStatistics().then(
        ({ used_heap_size: used, external_memory: external }) => {
          if (used + external > memoryMb * 2 ** 20) end()
        },
        // The thread has ended before it answered: its exit is awaited below.
        () => {},
      )
    }, memoryPollMs)
    worker.postMessage(kind)
    await exited
    clearTimeout(loopTimer)
    clearInterval(memoryTimer)
    signal.removeEventListener('abort', end)
    if (signal.aborted) return starts
    await sleep(restartMs)
  }
}
