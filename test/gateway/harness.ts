/** The gateway as a function over a real team, in a folder of its own. No port. */
import { onTestFinished } from 'vitest'
import type { Team } from '../../src/api.ts'
import type { WireError } from '../../src/errors.ts'
import { type AnsweredRequest, type AppOptions, createApp } from '../../src/gateway/app.ts'
import type { Problem } from '../../src/gateway/http-errors.ts'
import { createTeam, type TeamOptions } from '../../src/team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

export const TOKEN = 'a-token-of-tests'
export const HOST = 'localhost'

export interface Answer<T> {
  status: number
  headers: Headers
  body: T
}

export interface Gateway {
  readonly team: Team
  readonly answered: AnsweredRequest[]
  /** Faults of Agentry itself: there must be none. */
  readonly faults: unknown[]
  close(): void
  fetch(path: string, init?: RequestInit): Promise<Response>
  get<T>(path: string): Promise<Answer<T>>
  send<T>(method: string, path: string, body?: unknown): Promise<Answer<T>>
  /** Like send, and expects a problem of this status. */
  fail(status: number, method: string, path: string, init?: RequestInit): Promise<Problem & WireError>
}

export async function createGateway(
  options: { team?: TeamOptions; app?: Partial<AppOptions> } = {},
): Promise<Gateway> {
  const team = await createTeam({ data: temporaryDirectory(), host: 'in-process', ...options.team })
  onTestFinished(() => team.close())
  const answered: AnsweredRequest[] = []
  const faults: unknown[] = []
  const closing = new AbortController()
  const app = createApp(team, {
    token: () => TOKEN,
    originsAt: (host) => (host === HOST ? [`http://${HOST}`] : undefined),
    version: '0.0.0',
    closing: closing.signal,
    onAnswer: (request) => answered.push(request),
    onFault: (error) => faults.push(error),
    ...options.app,
  })
  onTestFinished(() => closing.abort())

  const fetch = async (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers)
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${TOKEN}`)
    return app.request(path, { ...init, headers })
  }
  const answer = async <T>(response: Response): Promise<Answer<T>> => {
    const text = await response.text()
    if (!response.ok) throw new Error(`answered ${response.status}: ${text}`)
    return { status: response.status, headers: response.headers, body: JSON.parse(text) as T }
  }
  return {
    team,
    answered,
    faults,
    close: () => closing.abort(),
    fetch,
    get: async (path) => answer(await fetch(path)),
    send: async (method, path, body) =>
      answer(
        await fetch(path, {
          method,
          ...(body !== undefined && {
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
        }),
      ),
    async fail(status, method, path, init = {}) {
      const response = await fetch(path, { method, ...init })
      const text = await response.text()
      if (response.status !== status) {
        throw new Error(`${method} ${path}: expected ${status}, received ${response.status}: ${text}`)
      }
      const problem = JSON.parse(text) as Problem & WireError
      if (problem.status !== status || response.headers.get('content-type') !== 'application/problem+json') {
        throw new Error(`${method} ${path}: not a problem: ${text}`)
      }
      if (/\n\s+at /.test(text)) throw new Error(`${method} ${path}: shows a stack: ${text}`)
      return problem
    },
  }
}

/** The init of a request with a JSON body. */
export function json(body: unknown): RequestInit {
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
}

export interface ReceivedEvent {
  id?: string
  event: string
  data: Record<string, unknown>
}

/** The events of a stream as they come; comments and `retry` are left out. */
export async function* eventsOf(response: Response): AsyncGenerator<ReceivedEvent, void, undefined> {
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      const fields = new Map(
        text
          .slice(0, end)
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)] as const),
      )
      text = text.slice(end + 2)
      const id = fields.get('id')
      const event = fields.get('event')
      if (event === undefined) continue
      yield {
        ...(id !== undefined && { id }),
        event,
        data: JSON.parse(fields.get('data') ?? 'null') as Record<string, unknown>,
      }
    }
  }
}

/** The first `count` events; then the reader goes away. */
export async function takeEvents(response: Response, count: number): Promise<ReceivedEvent[]> {
  const events: ReceivedEvent[] = []
  for await (const event of eventsOf(response)) {
    events.push(event)
    if (events.length === count) break
  }
  return events
}
