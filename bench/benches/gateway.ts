import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { type Bench, pairedRow, plainRow, type Row } from '../harness/bench.ts'
import { echoTurn, MESSAGE } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeEach } from '../harness/rounds.ts'
import { writeSessions } from '../harness/sessions.ts'
import { median } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'
import { type BareServer, startBareHono } from '../raw/bare-hono.ts'

const ROUNDS = 11
const CALLS = 300
const LISTS = 100
const TOKEN = randomBytes(32).toString('base64url')
const HEADERS = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }
const BODY = JSON.stringify({ input: MESSAGE })

export const gateway: Bench = {
  name: 'gateway',
  title:
    'Requests to the gateway on loopback, one client (fetch), one after the other. Raw, for a message: a POST to a bare Hono app that parses its body and answers with it, plus one durable turn of the same agent through the library; for a read: a GET from a bare Hono app that answers with the same bytes. Both on the same server, in the process of the client.',
  notMeasured: 'many clients at once, streams, a network, TLS; a client in a process of its own.',
  run: async () => [...(await messagesAndReads()), ...(await manySessions())],
}

async function messagesAndReads(): Promise<Row[]> {
  return withDirectory(async (directory) => {
    await using team = await library.createTeam({ data: join(directory, 'sessions') })
    const agent = await team.spawn({ id: 'echo', behavior: 'echo' })
    const served = await library.serveTeam(team, { port: 0, token: () => TOKEN, version: '0' })
    const bare = await startBareHono()
    try {
      const turns = await measurePairs(
        ROUNDS,
        async () => median(await timeEach(CALLS, () => post(`${served.url}/agents/echo/message`))),
        async () =>
          median(await timeEach(CALLS, () => post(bare.url))) +
          median(await timeEach(CALLS, () => echoTurn(agent))),
      )
      for (let number = 1; number < 20; number += 1) await agent.createSession({ name: `session ${number}` })
      const agents = await readPairs(`${served.url}/agents`, bare)
      const sessions = await readPairs(`${served.url}/agents/echo/sessions`, bare)
      const samples = `${ROUNDS} rounds of ${CALLS} requests`
      return [
        pairedRow('`POST …/message`, durable `echo` turn', 'ms', turns, samples, { most: 1.5 }),
        pairedRow('`GET /agents`', 'per second', agents, samples, { least: 0.6 }),
        pairedRow('`GET …/sessions` of 20', 'per second', sessions, samples, { least: 0.6 }),
      ]
    } finally {
      await served.close()
      await bare.close()
    }
  })
}

async function manySessions(): Promise<Row[]> {
  return withDirectory(async (directory) => {
    const data = join(directory, 'sessions')
    await writeSessions({ directory: data, agents: 100, sessionsPerAgent: 100, steps: 4 })
    await using team = await library.createTeam({ data, start: 'none' })
    const served = await library.serveTeam(team, { port: 0, token: () => TOKEN, version: '0' })
    try {
      const read = (): Promise<string> => get(`${served.url}/sessions?limit=50`)
      await timeEach(10, read)
      const times = await timeEach(LISTS, read)
      return [plainRow('`GET /sessions`, 50 of 10,000', 'ms', times, `${LISTS} requests`, 5)]
    } finally {
      await served.close()
    }
  })
}

/** Requests a second, of the gateway and of a bare app that answers with the same bytes. */
async function readPairs(url: string, bare: BareServer): ReturnType<typeof measurePairs<number>> {
  bare.answer = await get(url)
  return measurePairs(
    ROUNDS,
    async () => 1_000 / median(await timeEach(CALLS, () => get(url))),
    async () => 1_000 / median(await timeEach(CALLS, () => get(bare.url))),
  )
}

async function get(url: string): Promise<string> {
  const response = await fetch(url, { headers: HEADERS })
  if (response.status !== 200) throw new Error(`expected 200 from ${url}, received ${response.status}`)
  return response.text()
}

async function post(url: string): Promise<void> {
  const response = await fetch(url, { method: 'POST', headers: HEADERS, body: BODY })
  const text = await response.text()
  if (response.status !== 200 || !text.includes(MESSAGE))
    throw new Error(`expected the message back, received ${text}`)
}
