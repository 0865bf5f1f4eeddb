import { join } from 'node:path'
import { type Bench, pairedRow, plainRow, type Row } from '../harness/bench.ts'
import { echoTurn, MESSAGE } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs, timeEach } from '../harness/rounds.ts'
import { ask, serveAgentry, serveBare } from '../harness/served.ts'
import { writeSessions } from '../harness/sessions.ts'
import { median } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'

const ROUNDS = 11
const CALLS = 300
const LISTS = 100
const MESSAGE_BODY = JSON.stringify({ input: MESSAGE })

export const gateway: Bench = {
  name: 'gateway',
  title:
    'Requests to `agentry serve` on loopback, by one client (fetch) that keeps its connection, one after the other. Raw, for a message: a POST to a bare Hono app that parses its body and answers with it, plus one durable turn of the same kind through the library; for a read: a GET from a bare Hono app that answers with the same bytes. The client and both servers have a process each.',
  notMeasured:
    'many clients at once: what a request costs the server alone differs by more than what it takes a client to have its answer; a network, TLS.',
  run: async () => [...(await messagesAndReads()), ...(await manySessions())],
}

async function messagesAndReads(): Promise<Row[]> {
  return withDirectory(async (directory) => {
    await using served = await serveAgentry(join(directory, 'served'))
    await using bare = await serveBare()
    await using team = await library.createTeam({ data: join(directory, 'sessions') })
    const agent = await team.spawn({ id: 'echo', behavior: 'echo' })
    const agentPath = `${served.url}/agents/echo`
    await ask(`${served.url}/agents`, post(JSON.stringify({ id: 'echo', behavior: 'echo' })))
    const turns = await measurePairs(
      ROUNDS,
      async () => median(await timeEach(CALLS, () => message(`${agentPath}/message`))),
      async () =>
        median(await timeEach(CALLS, () => message(bare.url))) +
        median(await timeEach(CALLS, () => echoTurn(agent))),
    )
    for (let number = 1; number < 20; number += 1) {
      await ask(`${agentPath}/sessions`, post(JSON.stringify({ name: `session ${number}` })))
    }
    const agents = await readPairs(`${served.url}/agents`, bare.url)
    const sessions = await readPairs(`${agentPath}/sessions`, bare.url)
    const samples = `${ROUNDS} rounds of ${CALLS} requests`
    return [
      pairedRow('`POST …/message`, durable `echo` turn', 'ms', turns, samples, { most: 1.5 }),
      pairedRow('`GET /agents`', 'per second', agents, samples, { least: 0.6 }),
      pairedRow('`GET …/sessions` of 20', 'per second', sessions, samples, { least: 0.6 }),
    ]
  })
}

async function manySessions(): Promise<Row[]> {
  return withDirectory(async (directory) => {
    const data = join(directory, 'sessions')
    await writeSessions({ directory: data, agents: 100, sessionsPerAgent: 100, steps: 4 })
    await using served = await serveAgentry(data)
    const read = (): Promise<string> => ask(`${served.url}/sessions?limit=50`)
    await timeEach(10, read)
    const times = await timeEach(LISTS, read)
    return [plainRow('`GET /sessions`, 50 of 10,000', 'ms', times, `${LISTS} requests`, 5)]
  })
}

/** Requests a second, of the gateway and of the bare app with the same bytes. */
async function readPairs(url: string, bareUrl: string): ReturnType<typeof measurePairs<number>> {
  await ask(bareUrl, { method: 'PUT', body: await ask(url) })
  return measurePairs(
    ROUNDS,
    async () => 1_000 / median(await timeEach(CALLS, () => ask(url))),
    async () => 1_000 / median(await timeEach(CALLS, () => ask(bareUrl))),
  )
}

async function message(url: string): Promise<void> {
  const answer = await ask(url, post(MESSAGE_BODY))
  if (!answer.includes(MESSAGE)) throw new Error(`expected the message back, received ${answer}`)
}

function post(body: string): RequestInit {
  return { method: 'POST', body }
}
