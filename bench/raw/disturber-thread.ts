/** A bare thread that does the harm that its message names. `disturb` comes as a module, so that both sides run the same code. */
import { parentPort, workerData } from 'node:worker_threads'

const { disturb } = (await import((workerData as { module: string }).module)) as {
  disturb: (kind: unknown) => never
}
parentPort?.on('message', (kind) => disturb(kind))
