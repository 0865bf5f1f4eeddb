/** A gateway that is asked to end while streams are open and clients send messages. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { type Served, startServe } from '../e2e/built-serve.ts'
import { SeededRandom } from '../fakes/kill-random.ts'
import { headOf } from './gateway-connections.ts'
import {
  checkAccepted,
  checkConversations,
  checkEffects,
  checkRecords,
  newConversations,
} from './gateway-kill-checks.ts'
import { KillClient } from './gateway-kill-client.ts'
import { addKillAgents, GatewayKillLedger } from './gateway-kill-ledger.ts'

const STREAMS = 100
const CLIENTS = 8
const LOAD_MS = 500
const seed = Date.now() % 1_000_000

/** Half of them of the team, half of a session; each has begun. */
async function openStreams(served: Served): Promise<void> {
  const { body } = await served.ask<{ id: string }>('GET', '/agents/echo-1/sessions/current')
  const paths = ['/events', `/agents/echo-1/sessions/${body.id}/events`]
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, index) => {
      const socket = connect(served.port, '127.0.0.1')
      socket.on('error', () => undefined)
      socket.write(headOf(served, `GET ${paths[index % 2]}`))
      await once(socket, 'data')
      socket.resume()
    }),
  )
}

test(`SIGTERM with 100 streams open and 8 clients at work ends it within 5 s, and every answer stays true (seed ${seed})`, async () => {
  const ledger = new GatewayKillLedger()
  const served = await startServe({ logLevel: 'warn' })
  const effects = join(served.cwd, 'effects')
  const clients = Array.from(
    { length: CLIENTS },
    (_, index) =>
      new KillClient({ name: `c${index}`, effects, ledger, random: new SeededRandom(seed + index) }),
  )
  const loadFor = async ({ url, token }: Served, end: () => Promise<void> | undefined): Promise<void> => {
    const ending = new AbortController()
    const target = { url, token, ending: ending.signal }
    const load = Promise.all(clients.map(async (client) => client.run(target)))
    await Promise.race([sleep(LOAD_MS), load])
    ending.abort()
    await Promise.all([load, end()])
  }
  await addKillAgents(served)
  await openStreams(served)
  await loadFor(served, async () => {
    const askedMs = performance.now()
    expect(await served.stop()).toBe(0)
    expect(performance.now() - askedMs).toBeLessThan(5_000)
  })
  expect(served.log()).not.toMatch(/Warning|"fault"|"status":500/)

  const again = await startServe({ cwd: served.cwd, logLevel: 'warn' })
  await checkAccepted(again, ledger)
  await checkConversations(again, ledger, newConversations())
  // Those that were refused, or had no answer, come again.
  await loadFor(again, () => undefined)
  await checkAccepted(again, ledger)
  await checkConversations(again, ledger, newConversations())
  await checkRecords(again)
  expect(checkEffects(ledger, effects)).toBeGreaterThan(0)
  expect(await again.stop()).toBe(0)
})
