/** Readers of events that never read, while an agent produces events as fast as it can. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { collectGarbage } from '../../bench/harness/garbage.ts'
import { type ServerEvent, readEvents } from '../../src/client/event-stream.ts'
import { TOKEN } from '../gateway/harness.ts'
import { serveGateway, type ServedGateway } from '../gateway/served.ts'
import { until } from '../fakes/until.ts'

export const EVENT_PATHS = ['/events', '/sessions/{id}/events'] as const
export type EventPath = (typeof EVENT_PATHS)[number]

const STALLED = 8
const MESSAGES_AT_ONCE = 40
/** Behind this many turns a session, and the log of the team's last events, have what they keep. */
const WARM_ROUNDS = 8
const COLLECTIONS = 10

export interface StalledOptions {
  path: EventPath
  inputBytes: number
  /** Asked after each round of messages, with their number so far: whether there is another. */
  goesOn: (rounds: number) => boolean | Promise<boolean>
  /** At the end the gateway has cut the stalled readers off, whose sockets have all that was sent to them before. */
  cutOff?: boolean
}

export interface StalledResult {
  /** What the stalled readers cost together, in this process. */
  costBytes: number
  /** What each of them would have got meanwhile. */
  missedBytes: number
  events: number
}

/**
 * Starts `STALLED` readers that do not read, and one that does, and sends rounds of messages. Each round ends when the reader that
 * reads has seen the end of all its turns, in order: no other reader waits for those that are stalled, or misses an event for them.
 */
export async function stallReaders(options: StalledOptions): Promise<StalledResult> {
  const { path, inputBytes, goesOn, cutOff = false } = options
  const gateway = await serveGateway({ host: 'threads', agents: [{ id: 'echo', behavior: 'echo' }] })
  const session = (await ask(gateway, 'POST', '/sessions', { name: 'long' })) as { id: string }
  const where = path.replace('{id}', session.id)
  const reader = new LiveReader(gateway, where)
  await reader.begin()
  const round = async (): Promise<void> => {
    const sent = Array.from({ length: MESSAGES_AT_ONCE }, async () =>
      ask(gateway, 'POST', '/message', { input: 'x'.repeat(inputBytes) }),
    )
    await Promise.all(sent)
    reader.expected += MESSAGES_AT_ONCE
    await until('the events of the round', () => reader.failure ?? reader.turns === reader.expected)
    assert.equal(reader.failure, undefined)
  }
  for (let rounds = 0; rounds < WARM_ROUNDS; rounds++) await round()

  const before = { bytes: await usedBytes(), read: reader.bytes, events: reader.events }
  const stalled = Array.from({ length: STALLED }, () => stall(gateway, where))
  await Promise.all(stalled.map(async (socket) => once(socket, 'readable')))
  let rounds = 0
  do {
    await round()
    rounds += 1
  } while (await goesOn(rounds))
  const costBytes = (await usedBytes()) - before.bytes
  if (cutOff) await Promise.all(stalled.map(async (socket) => once(socket.resume(), 'close')))
  for (const socket of stalled) socket.destroy()
  reader.close()
  return {
    costBytes,
    missedBytes: reader.bytes - before.read,
    events: reader.events - before.events,
  }
}

/** A connection that has asked for events, and takes no more than the first of them out of the kernel. */
function stall(gateway: ServedGateway, path: string): Socket {
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.write(gateway.head(`GET ${path} HTTP/1.1`))
  return socket
}

/** Reads a stream as it comes, and holds its ids to be without a gap. */
class LiveReader {
  turns = 0
  expected = 0
  events = 0
  bytes = 0
  failure: string | undefined
  readonly #gateway: ServedGateway
  readonly #path: string
  readonly #leaving = new AbortController()
  #lastSeq: number | undefined

  constructor(gateway: ServedGateway, path: string) {
    this.#gateway = gateway
    this.#path = path
  }

  async begin(): Promise<void> {
    const { body } = await fetch(`${this.#gateway.url}${this.#path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: this.#leaving.signal,
    })
    assert(body !== null)
    this.#read(body).catch((error: unknown) => {
      if (!this.#leaving.signal.aborted) this.failure = String(error)
    })
  }

  close(): void {
    this.#leaving.abort()
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    const counted = body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform: (chunk, controller) => {
          this.bytes += chunk.byteLength
          controller.enqueue(chunk)
        },
      }),
    )
    for await (const event of readEvents(counted)) this.#take(event)
    throw new Error('the stream ended')
  }

  #take({ event, id, data }: ServerEvent): void {
    this.events += 1
    if (event === 'reset') throw new Error('events were missed')
    if (id !== undefined) {
      const seq = Number(id.split(':').at(-1))
      if (seq !== (this.#lastSeq ?? seq - 1) + 1) throw new Error(`${id} came behind ${this.#lastSeq}`)
      this.#lastSeq = seq
    }
    const { event: inner } = data as { event?: { type: string } }
    if (event === 'turn.finished' || inner?.type === 'turn-finished') this.turns += 1
  }
}

async function ask(gateway: ServedGateway, method: string, path: string, body: unknown): Promise<unknown> {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  assert(response.ok, `${method} ${path}: ${response.status}`)
  return response.json()
}

/** What is still used when all that can be freed is: some is only after a turn of the event loop and another collection. */
async function usedBytes(): Promise<number> {
  let least = Infinity
  for (let attempt = 0; attempt < COLLECTIONS; attempt++) {
    collectGarbage()
    await nextTurn()
    const { heapUsed, external } = process.memoryUsage()
    least = Math.min(least, heapUsed + external)
  }
  return least
}
