import type { FromAgent } from '../../protocol/from-agent.ts'
import type { Redactor } from './redactor.ts'

type Log = Extract<FromAgent, { type: 'log' }>

/** Logs on their way out, without secrets. A secret that two pieces hold between them is found too; `end` gives what was held back. */
export class RedactedLogs {
  readonly #streams: Record<Log['stream'], ReturnType<Redactor['stream']>>
  readonly #send: (log: Log, atOnce: boolean) => void

  constructor(redactor: Redactor, send: (log: Log, atOnce: boolean) => void) {
    this.#streams = { stdout: redactor.stream(), stderr: redactor.stream() }
    this.#send = send
  }

  push(log: Log, atOnce: boolean): void {
    const text = this.#streams[log.stream].push(log.text)
    if (text !== '' || log.droppedBytes > 0) this.#send({ ...log, text }, atOnce)
  }

  end(): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = this.#streams[stream].flush()
      if (text !== '') this.#send({ type: 'log', stream, text, droppedBytes: 0 }, true)
    }
  }
}
