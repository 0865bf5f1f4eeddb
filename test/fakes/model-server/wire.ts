/** The response of one request: an event stream that begins with its first event. */
import type { ServerResponse } from 'node:http'

export class Wire {
  readonly #response: ServerResponse

  constructor(response: ServerResponse) {
    this.#response = response
  }

  data(data: string, event?: string): void {
    this.open()
    this.#response.write(event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`)
  }

  open(): void {
    if (this.#response.headersSent) return
    this.#response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    this.#response.flushHeaders()
  }

  /** Ends it in good order. */
  end(): void {
    this.open()
    this.#response.end()
  }

  /** A whole answer in place of a stream. */
  whole(status: number, type: string, body: string, headers: Record<string, string> = {}): void {
    this.#response.writeHead(status, { 'content-type': type, ...headers }).end(body)
  }

  cut(): void {
    this.#response.destroy()
  }

  /** What was written has left this process: a cut that follows does not take it along. */
  flushed(): Promise<void> {
    return new Promise((resolve) => {
      this.#response.write('', () => resolve())
    })
  }
}
