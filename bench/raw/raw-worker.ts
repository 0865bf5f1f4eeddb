/** Bare worker threads: what the library is compared with. */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { Worker, type WorkerOptions } from 'node:worker_threads'

/**
 * Starts a thread on a module (which imports nothing but Node). Its types are stripped here, once: a bare thread pays for
 * JavaScript, not for a compiler that the library's own threads (built files) do not load either.
 */
export function startRaw(module: URL, options: WorkerOptions = {}): Worker {
  return new Worker(javaScriptOf(module), options)
}

/** A thread that answers each message after it appended and synced `recordBytes` to `file`. */
export class RawEcho {
  readonly #worker: Worker

  constructor(file: string, recordBytes: number) {
    this.#worker = startRaw(new URL('./echo-thread.ts', import.meta.url), {
      workerData: { file, recordBytes },
    })
  }

  async send(text: string): Promise<string> {
    this.#worker.postMessage(text)
    const [answer] = (await once(this.#worker, 'message')) as [string]
    return answer
  }

  async close(): Promise<void> {
    this.#worker.postMessage(null)
    await once(this.#worker, 'exit')
  }
}

const javaScript = new Map<string, URL>()

export function javaScriptOf(module: URL): URL {
  let url = javaScript.get(module.href)
  if (url === undefined) {
    const source = stripTypeScriptTypes(readFileSync(module, 'utf8'))
    url = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    javaScript.set(module.href, url)
  }
  return url
}
