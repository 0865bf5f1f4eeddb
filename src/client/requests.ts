/** Requests to a gateway: JSON in, JSON or events out, errors as they were thrown there. */
import { quote } from '../core/ids.ts'
import { AgentryError, describeThrown, type ErrorCode, isErrorCode } from '../errors.ts'
import { readEvents, type ServerEvent } from './event-stream.ts'

export interface ClientOptions {
  /** Of the gateway, such as `http://127.0.0.1:7420`. */
  url: string
  token: string
  /** Default: that of this process. `createApp(…).request` asks an app in this process. */
  fetch?: (url: string, init: RequestInit) => Response | Promise<Response>
}

export interface RequestOptions {
  body?: unknown
  /** Left out of the address where it is undefined or false. */
  query?: Record<string, string | number | boolean | undefined>
  headers?: Record<string, string>
  signal?: AbortSignal
  /** Of events: called once the gateway has answered, before the first event. */
  onOpen?: () => void
}

/** A path with its parts encoded: `` path`/agents/${id}` ``. Throws `invalid_id` for a part that a URL takes for a step. */
export function path(texts: TemplateStringsArray, ...parts: string[]): string {
  const step = parts.find((part) => part === '.' || part === '..' || part === '')
  if (step !== undefined) throw new AgentryError('invalid_id', `expected an id, received ${quote(step)}`)
  return texts.reduce(
    (before, text, index) => `${before}${encodeURIComponent(parts[index - 1] ?? '')}${text}`,
  )
}

export class Requests {
  readonly url: string
  readonly #token: string
  readonly #fetch: NonNullable<ClientOptions['fetch']>
  readonly #closing = new AbortController()

  constructor({ url, token, fetch = globalThis.fetch }: ClientOptions) {
    this.url = url.replace(/\/+$/, '')
    this.#token = token
    this.#fetch = fetch
  }

  /** Ends everything that is under way. */
  close(): void {
    this.#closing.abort()
  }

  /** The answer, whose form the gateway's contract gives. */
  async json<T>(method: string, where: string, options: RequestOptions = {}): Promise<T> {
    const response = await this.#send(method, where, options)
    // oxlint-disable-next-line no-unsafe-type-assertion -- the gateway's schemas are held to the same types at compile time
    return (await this.#read(() => response.json())) as T
  }

  /** The answer, or undefined for an error of one of these codes. */
  async jsonUnless<T>(codes: readonly ErrorCode[], where: string): Promise<T | undefined> {
    try {
      return await this.json<T>('GET', where)
    } catch (error) {
      if (error instanceof AgentryError && codes.includes(error.code)) return undefined
      throw error
    }
  }

  /** The events of an answer. An event `failure` is thrown. Going away ends the request. */
  async *events<T>(
    method: string,
    where: string,
    options: RequestOptions = {},
  ): AsyncGenerator<ServerEvent<T>> {
    const leaving = new AbortController()
    const signal = AbortSignal.any([
      leaving.signal,
      this.#closing.signal,
      ...(options.signal === undefined ? [] : [options.signal]),
    ])
    try {
      const response = await this.#send(method, where, {
        ...options,
        signal,
        headers: { ...options.headers, accept: 'text/event-stream' },
      })
      options.onOpen?.()
      // By the pipe, because the body of an app in this process does not end with the signal of its request.
      const body = response.body?.pipeThrough(new TransformStream(), { signal })
      if (body === undefined) return
      const events = readEvents(body)
      for (;;) {
        const { done, value } = await this.#read(() => events.next())
        if (done) return
        if (value.event === 'failure') throw errorOf(value.data)
        // oxlint-disable-next-line no-unsafe-type-assertion -- as in json
        yield value as ServerEvent<T>
      }
    } finally {
      leaving.abort()
    }
  }

  async #send(
    method: string,
    where: string,
    { body, query = {}, headers, signal }: RequestOptions,
  ): Promise<Response> {
    const url = new URL(`${this.url}${where}`)
    for (const [name, value] of Object.entries(query)) {
      if (value !== undefined && value !== false) url.searchParams.set(name, String(value))
    }
    const response = await this.#read(async () =>
      this.#fetch(url.href, {
        method,
        headers: {
          authorization: `Bearer ${this.#token}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal === undefined ? this.#closing.signal : AbortSignal.any([signal, this.#closing.signal]),
      }),
    )
    if (response.ok) return response
    throw errorOf(await this.#read(() => response.text()).then(parse))
  }

  /** What a connection that fails throws becomes an error of ours; what the caller has aborted stays its own. */
  async #read<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run()
    } catch (cause) {
      if (cause instanceof AgentryError) throw cause
      if (cause instanceof DOMException && cause.name === 'AbortError') {
        throw new AgentryError('cancelled', 'the request was given up', { cause })
      }
      if (isHeadersTimeout(cause)) {
        const message = `the gateway at ${this.url} has not answered for 5 minutes; what was asked for goes on there`
        throw new AgentryError('gateway_unreachable', message, { cause, data: { url: this.url } })
      }
      const reason = cause instanceof Error && cause.cause !== undefined ? cause.cause : cause
      throw new AgentryError(
        'gateway_unreachable',
        `no gateway answers at ${this.url}: ${describeThrown(reason)}`,
        {
          cause,
          data: { url: this.url },
        },
      )
    }
  }
}

/** How Node's fetch gives up on an answer that does not begin. */
function isHeadersTimeout(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'UND_ERR_HEADERS_TIMEOUT'
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // No problem of ours: errorOf says so.
  }
}

/** The error that a problem (RFC 9457) or an event `failure` tells of. */
function errorOf(problem: unknown): AgentryError {
  if (isRecord(problem)) {
    const { code, detail, message = detail, data } = problem
    if (typeof code === 'string' && isErrorCode(code) && typeof message === 'string') {
      return new AgentryError(code, message, isRecord(data) ? { data } : {})
    }
  }
  return new AgentryError('gateway_unreachable', 'what answers is no gateway of Agentry')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
