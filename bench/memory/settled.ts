/** Memory of this process, in bytes, once the garbage is gone. */
import { setTimeout as sleep } from 'node:timers/promises'

export async function settledHeap(): Promise<number> {
  await collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

export async function settledRss(): Promise<number> {
  await collect()
  return process.memoryUsage.rss()
}

/** Twice, with time for finalizers between. */
async function collect(): Promise<void> {
  if (globalThis.gc === undefined) throw new Error('expected node --expose-gc')
  for (let round = 0; round < 3; round += 1) {
    await globalThis.gc({ execution: 'async', type: 'major' })
    await sleep(100)
  }
}
