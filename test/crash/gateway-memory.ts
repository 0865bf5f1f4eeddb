/** The memory of a served team, asked over the inspector of its process, which has to run with `--inspect=127.0.0.1:0`. */
import { once } from 'node:events'
import type { Served } from '../e2e/built-serve.ts'

export const INSPECTED: readonly string[] = ['--inspect=127.0.0.1:0']
/** Some is free only after what ended at the collection before has been let go. */
const COLLECTIONS = 5

export interface ServerMemory {
  /** Of the thread that serves, after collections of garbage: what is used, in and beside the heap. */
  usedBytes: number
  /** Of the whole process. V8 gives memory back late: it rises and falls by a hundred megabytes. */
  rssBytes: number
}

export async function memoryOf(served: Served): Promise<ServerMemory> {
  const [url] = /ws:\/\/\S+/.exec(served.log()) ?? []
  if (url === undefined) throw new Error('the process is not inspected')
  const socket = new WebSocket(url)
  try {
    await once(socket, 'open')
    for (let count = 0; count < COLLECTIONS; count++) await call(socket, 'HeapProfiler.collectGarbage')
    const { result } = await call<{ result: { value: NodeJS.MemoryUsage } }>(socket, 'Runtime.evaluate', {
      expression: 'process.memoryUsage()',
      returnByValue: true,
    })
    const { heapUsed, external, rss } = result.value
    return { usedBytes: heapUsed + external, rssBytes: rss }
  } finally {
    socket.close()
  }
}

/** One at a time: the next message is its answer. */
async function call<T>(socket: WebSocket, method: string, params: object = {}): Promise<T> {
  const answer = once(socket, 'message') as Promise<[{ data: string }]>
  socket.send(JSON.stringify({ id: 1, method, params }))
  return (JSON.parse((await answer)[0].data) as { result: T }).result
}
