import { once } from 'node:events'
import { request, Server } from 'node:http'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import { describe, expect, test, vi } from 'vitest'
import { serveTeam } from '../../src/gateway/serve.ts'
import { createFakeTeam } from '../fakes/team.ts'
import { createGateway, TOKEN } from './harness.ts'
import { serveGateway } from './served.ts'

/** Spawns an agent, but sends the body only when it is asked to. */
async function spawnWhenInvited(
  url: string,
  token: string,
  length: Record<string, string | number> = {},
): Promise<{ status: number | undefined; invited: number }> {
  const asking = request(`${url}/agents`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      expect: '100-continue',
      ...length,
    },
  })
  let invited = 0
  asking.on('continue', () => {
    invited += 1
    asking.end(BODY)
  })
  asking.flushHeaders()
  const [response] = (await once(asking, 'response')) as [IncomingMessage]
  await text(response)
  asking.destroy()
  return { status: response.statusCode, invited }
}

const BODY = JSON.stringify({ id: 'echo', behavior: 'echo' })

describe('a client that asks before it sends its body', () => {
  test.each([
    ['of known length', { 'content-length': BODY.length }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('is invited once, and its body %s is taken', async (_, length) => {
    expect(await spawnWhenInvited((await serveGateway()).url, TOKEN, length)).toEqual({
      status: 201,
      invited: 1,
    })
  })

  test('is not invited where it may not ask, or asks for too much', async () => {
    const { url } = await serveGateway()
    const length = { 'content-length': BODY.length }
    expect(await spawnWhenInvited(url, 'another-token', length)).toEqual({ status: 401, invited: 0 })
    const tooLong = { 'content-length': 100 * 1024 * 1024 }
    expect(await spawnWhenInvited(url, TOKEN, tooLong)).toEqual({ status: 413, invited: 0 })
  })
})

test('no answer may be taken for another type than it says, at a port or as a function, refusals included', async () => {
  const { url } = await serveGateway()
  const gateway = await createGateway()
  const init = { headers: { authorization: `Bearer ${TOKEN}` } }
  for (const path of ['/health', '/agents', '/agents/nobody', '/nothing']) {
    for (const answer of [
      await fetch(`${url}${path}`, init),
      await fetch(`${url}${path}`),
      await gateway.fetch(path),
    ]) {
      expect([answer.status, answer.headers.get('x-content-type-options')]).toEqual([
        answer.status,
        'nosniff',
      ])
    }
  }
})

test('a connection that cannot be taken is a fault, and not the end', async () => {
  const listening = vi.spyOn(Server.prototype, 'listen')
  const { url, faults } = await serveGateway()
  const server = listening.mock.contexts[0] as Server
  listening.mockRestore()
  const error = Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' })
  server.emit('error', error)
  expect(faults).toEqual([error])
  expect((await fetch(`${url}/health`)).status).toBe(200)
})

test('a port that is taken leaves nobody behind who follows the team', async () => {
  const { port } = await serveGateway()
  const signals: (AbortSignal | undefined)[] = []
  const { team } = createFakeTeam('echo')
  Object.assign(team, {
    events({ signal }: { signal?: AbortSignal } = {}) {
      signals.push(signal)
      return ReadableStream.from([])
    },
  })
  const serving = serveTeam(team, { port, token: () => TOKEN, version: '0' })
  await expect(serving).rejects.toThrow(expect.objectContaining({ code: 'address_unusable' }))
  expect(signals.length).toBeGreaterThan(0)
  expect(signals.every((signal) => signal?.aborted)).toBe(true)
})
