import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Bench, plainRow } from '../harness/bench.ts'
import { MESSAGE } from '../harness/echo-agents.ts'
import { ask, HEADERS, serveAgentry } from '../harness/served.ts'
import { writeSessions } from '../harness/sessions.ts'
import { median, percentile } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'

const READERS = 199
const ROUNDS = 5
const MESSAGES_PER_ROUND = 100
const MESSAGE_EVERY_MS = 50
/** More than the kernel keeps for a connection that is not read. */
const STEPS_BEFORE = 60_000

export const gatewayStreams: Bench = {
  name: 'gateway-streams',
  title:
    'The stream of events of one session with 200 readers, while its `echo` agent takes 20 messages a second: 199 follow what is new, and one that asked for all of a session of 60,000 steps reads nothing. The lag is from the time in a record, which the agent’s thread wrote, to its arrival at a reader, over all readers; memory is what the server has after a round, as the median, less what it has after the first one, which is not counted. All readers and the sender share one process, whose own delays count as lag.',
  notMeasured:
    'more messages than the readers can take; readers that begin during the measurement; lags below the millisecond in which records have their time.',
  run: () =>
    withDirectory(async (directory) => {
      const data = join(directory, 'sessions')
      const [id = ''] = await writeSessions({
        directory: data,
        agents: 1,
        sessionsPerAgent: 1,
        steps: STEPS_BEFORE,
      })
      await using served = await serveAgentry(data)
      await ask(`${served.url}/agents`, post({ id: 'agent-1', behavior: 'echo' }))
      const send = (): Promise<string> =>
        ask(`${served.url}/agents/agent-1/message`, post({ input: MESSAGE }))
      await send()
      const path = `/agents/agent-1/sessions/${id}`
      const { seq } = await json<{ seq: number }>(`${served.url}${path}`)
      const stalled = await askForStream(served.url, `${path}/events`)
      stalled.pause()
      const lagsMs: number[] = []
      const readers = await Promise.all(
        Array.from({ length: READERS }, () => askForStream(served.url, `${path}/events?after=${seq}`)),
      )
      for (const reader of readers) collectLags(reader, lagsMs)
      try {
        const rssMb = async (): Promise<number> =>
          (await json<{ health: { rssBytes: number } }>(`${served.url}/team`)).health.rssBytes / 2 ** 20
        const medians: number[] = []
        const p99s: number[] = []
        const rssMbs: number[] = []
        for (let round = 0; round <= ROUNDS; round += 1) {
          const { seq: from } = await json<{ seq: number }>(`${served.url}${path}`)
          for (let count = 0; count < MESSAGES_PER_ROUND; count += 1) {
            await Promise.all([send(), sleep(MESSAGE_EVERY_MS)])
          }
          await sleep(500)
          const { seq: to } = await json<{ seq: number }>(`${served.url}${path}`)
          const lags = lagsMs.splice(0).toSorted((a, b) => a - b)
          const expected = READERS * (to - from)
          if (lags.length !== expected)
            throw new Error(`expected ${expected} events, received ${lags.length}`)
          rssMbs.push(await rssMb())
          if (round === 0) continue // Compilers and buffers.
          medians.push(percentile(lags, 0.5))
          p99s.push(percentile(lags, 0.99))
        }
        const [firstMb = 0, ...laterMbs] = rssMbs
        // What is collected now and then makes tens of MB; every event kept for every reader would make hundreds.
        const gainedMb = median(laterMbs) - firstMb
        const samples = `${ROUNDS} rounds of ${MESSAGES_PER_ROUND} messages to ${READERS} readers`
        return [
          plainRow('lag of 199 readers beside a stalled one, median', 'ms', medians, samples),
          plainRow('lag of 199 readers beside a stalled one, p99', 'ms', p99s, samples, 100),
          plainRow(
            'memory of the server, median of the rounds less the first',
            'MB',
            [gainedMb],
            samples,
            32,
          ),
        ]
      } finally {
        for (const socket of [stalled, ...readers]) socket.destroy()
      }
    }),
}

function post(body: unknown): RequestInit {
  return { method: 'POST', body: JSON.stringify(body) }
}

async function json<T>(url: string): Promise<T> {
  return JSON.parse(await ask(url)) as T
}

/** A bare socket: a client with a parser would take the machine from the server. */
async function askForStream(url: string, path: string): Promise<Socket> {
  const { hostname, port, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nauthorization: ${HEADERS.authorization}\r\n\r\n`)
  return socket
}

/** The lag of every record that arrives. A record has one `at`, in its own line. */
function collectLags(socket: Socket, lagsMs: number[]): void {
  let rest = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk: string) => {
    const nowMs = Date.now()
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const at = line.startsWith('data: ') ? /"at":"([^"]+)"/.exec(line)?.[1] : undefined
      if (at !== undefined) lagsMs.push(nowMs - Date.parse(at))
    }
  })
}
