/** Clients without manners: sockets that dribble their headers, that are too many, and that vanish in the middle of everything. */
import { strict as assert } from 'node:assert'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Served } from '../e2e/built-serve.ts'
import { SeededRandom } from '../fakes/kill-random.ts'
import { until } from '../fakes/until.ts'
import { memoryOf, type ServerMemory } from './gateway-memory.ts'

const DRIBBLE_MS = 100
/** The port itself, and the connections of `fetch` that are kept alive. */
const OWN_CONNECTIONS = 12
/** By how many they may differ from one moment to another: those connections, and files that are being written. */
const OWN_DESCRIPTORS = 5

/** The agents that the clients here talk to. */
export async function addAgents(served: Served): Promise<void> {
  assert.equal((await served.ask('POST', '/agents', { id: 'echo', behavior: 'echo' })).status, 201)
}

/** A client with manners: asks until `ending` aborts, at least 50 times. Each answer has to be 200. Resolves with how long each took. */
async function askMeanwhile(served: Served, ending: AbortSignal): Promise<number[]> {
  const timesMs: number[] = []
  while (!ending.aborted || timesMs.length < 50) {
    const startedMs = performance.now()
    const { status } =
      timesMs.length % 2 === 0
        ? await served.ask('GET', '/agents')
        : await served.ask('POST', '/message', { input: 'meanwhile' })
    assert.equal(status, 200)
    timesMs.push(performance.now() - startedMs)
  }
  return timesMs
}

/**
 * `count` sockets send a request line and then header after header without an end: until the gateway cuts them off, or, with
 * `untilCut: false`, until a client with manners had its answers.
 */
export async function dribbleHeaders(
  served: Served,
  { count, untilCut }: { count: number; untilCut: boolean },
): Promise<{ timesMs: number[] }> {
  await served.ask('GET', '/agents')
  const before = descriptors(served)
  const sockets = await openSockets(served, count, 'POST /message HTTP/1.1\r\n')
  await until('the connections', () => descriptors(served) >= before + count)
  const answers = sockets.map(async (socket) => answerOf(socket))
  const dribble = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('X: y\r\n')
  }, DRIBBLE_MS)
  const ending = new AbortController()
  const asking = askMeanwhile(served, ending.signal)
  try {
    if (untilCut) for (const answer of await Promise.all(answers)) assert.match(answer, /^HTTP\/1\.1 408 /)
  } finally {
    ending.abort()
  }
  const timesMs = await asking
  clearInterval(dribble)
  for (const socket of sockets) socket.destroy()
  await expectDescriptors(served, before)
  return { timesMs }
}

/**
 * Opens more connections than are kept. Resolves with how many were kept: the others are closed at once, and whoever has the token is
 * answered all the same.
 */
export async function openTooMany(served: Served, count: number): Promise<number> {
  await served.ask('GET', '/agents')
  const before = descriptors(served)
  const sockets = await openSockets(served, count, 'GET /agents HTTP/1.1\r\n')
  for (const socket of sockets) socket.resume()
  const kept = await until('every connection to be kept or closed', () => {
    const open = sockets.filter((socket) => !socket.closed).length
    // The connection of the request before is one of those that are closed.
    return open < count && open - 1 <= descriptors(served) - before ? open : undefined
  })
  assert.equal((await served.ask('GET', '/agents')).status, 200)
  for (const socket of sockets) socket.destroy()
  await expectDescriptors(served, before)
  assert.equal((await served.ask('GET', '/agents')).status, 200)
  return kept
}

/** How one client goes away. Each begins something, and leaves before it is over. */
type Leaving = (scene: LeavingScene, socket: Socket) => Promise<void>

interface LeavingScene {
  served: Served
  random: SeededRandom
  /** Of the session with a long conversation. */
  sessionId: string
}

const LEAVINGS: readonly [weight: number, leaving: Leaving][] = [
  [3, leaveInHeaders],
  [3, leaveInBody],
  [2, async (scene, socket) => leaveInAnswer(scene, socket, 'GET /events')],
  [2, async (scene, socket) => leaveInAnswer(scene, socket, `GET /sessions/${scene.sessionId}/events`)],
  [1, async (scene, socket) => leaveInAnswer(scene, socket, `GET /sessions/${scene.sessionId}/messages`)],
  [2, leaveInTurn],
]
const DRAWN = LEAVINGS.flatMap(([weight, leaving]) => Array.from({ length: weight }, () => leaving))
const MAX_PAUSE_MS = 5

async function leaveInHeaders({ served, random }: LeavingScene, socket: Socket): Promise<void> {
  const head = headOf(served, 'GET /agents')
  socket.write(head.slice(0, random.between(0, head.length - 1)))
}

async function leaveInBody({ served, random }: LeavingScene, socket: Socket): Promise<void> {
  const body = JSON.stringify({ input: 'x'.repeat(random.between(1, 100_000)) })
  const isChunked = random.next() < 0.5
  const length = isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`
  const sent = body.slice(0, random.between(0, body.length - 1))
  const piece = isChunked ? `${body.length.toString(16)}\r\n${sent}` : sent
  socket.write(headOf(served, 'POST /message', 'Content-Type: application/json', length) + piece)
}

async function leaveInAnswer({ served, random }: LeavingScene, socket: Socket, line: string): Promise<void> {
  socket.write(headOf(served, line))
  if (random.next() < 0.8) await once(socket, 'data')
  socket.pause()
}

async function leaveInTurn({ served, random }: LeavingScene, socket: Socket): Promise<void> {
  const accept = random.next() < 0.5 ? 'text/event-stream' : 'application/json'
  const body = JSON.stringify({ input: 'left alone' })
  const head = headOf(
    served,
    'POST /message',
    `Accept: ${accept}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  )
  socket.write(head + body)
}

export interface DisconnectResult {
  /** When a third of the clients were gone, and at the end. */
  afterThird: ServerMemory
  atEnd: ServerMemory
}

/** `count` clients that vanish, `atOnce` of them at a time; descriptors are back at the end, and the gateway answers. */
export async function disconnect(
  served: Served,
  { count, atOnce, seed }: { count: number; atOnce: number; seed: number },
): Promise<DisconnectResult> {
  const random = new SeededRandom(seed)
  const scene: LeavingScene = { served, random, sessionId: await longConversation(served) }
  const third = Math.floor(count / 3)
  // What is made at its first use and kept (threads that read sessions) is there then.
  await vanish(scene, third, atOnce)
  await until('the connections to be closed', () => connections(served) <= OWN_CONNECTIONS)
  const before = descriptors(served)
  const afterThird = await memoryOf(served)
  await vanish(scene, count - third, atOnce)
  await expectDescriptors(served, before)
  assert.equal((await served.ask('POST', '/message', { input: 'still here' })).status, 200)
  // A listener that is left at a long-lived emitter for each client shows as a warning.
  assert.doesNotMatch(served.log(), /Warning|"fault"|"status":5/)
  return { afterThird, atEnd: await memoryOf(served) }
}

async function vanish(scene: LeavingScene, count: number, atOnce: number): Promise<void> {
  let left = count
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (left-- > 0) await vanishOnce(scene)
    }),
  )
}

async function vanishOnce(scene: LeavingScene): Promise<void> {
  const { served, random } = scene
  const socket = connect(served.port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    await random.pick(DRAWN)?.(scene, socket)
    await sleep(random.between(0, MAX_PAUSE_MS))
  } finally {
    if (random.next() < 0.5) socket.resetAndDestroy()
    else socket.destroy()
  }
}

/** A session whose conversation does not fit into what the kernel buffers for a socket. */
async function longConversation(served: Served): Promise<string> {
  for (let turn = 0; turn < 8; turn++) {
    const { status } = await served.ask('POST', '/message', { input: 'x'.repeat(300_000) })
    assert.equal(status, 200)
  }
  return (await served.ask<{ id: string }>('GET', '/sessions/current')).body.id
}

async function openSockets(served: Served, count: number, first: string): Promise<Socket[]> {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(served.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.write(first)
    return socket
  })
  await until('the sockets', () => sockets.every((socket) => !socket.connecting))
  return sockets
}

async function answerOf(socket: Socket): Promise<string> {
  let answer = ''
  socket.on('data', (data) => (answer += data.toString('latin1')))
  await once(socket, 'close')
  return answer
}

/** Line and headers of a request, complete. */
export function headOf({ port, token }: Served, line: string, ...headers: string[]): string {
  return `${[`${line} HTTP/1.1`, `Host: 127.0.0.1:${port}`, `Authorization: Bearer ${token}`, ...headers].join('\r\n')}\r\n\r\n`
}

async function expectDescriptors(served: Served, before: number): Promise<void> {
  try {
    await until('the descriptors to be closed', () => descriptors(served) <= before + OWN_DESCRIPTORS)
  } catch (error) {
    const open = openIn(served).toSorted().join('\n')
    throw new Error(`there were ${before} descriptors, still open are\n${open}`, { cause: error })
  }
}

function connections(served: Served): number {
  return openIn(served).filter((link) => link.startsWith('socket:')).length
}

/** Sockets and files: event loops and pipes are those of threads, which may start at any time and stay. */
function descriptors(served: Served): number {
  return openIn(served).filter((link) => link.startsWith('socket:') || link.startsWith('/')).length
}

function openIn({ child }: Served): string[] {
  const folder = `/proc/${child.pid}/fd`
  return readdirSync(folder).flatMap((fd) => linkOf(join(folder, fd)) ?? [])
}

/** Undefined for what was closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
