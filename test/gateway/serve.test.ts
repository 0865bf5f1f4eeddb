import { once } from 'node:events'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { IncomingMessage } from 'node:http'
import { describe, expect, onTestFinished, test } from 'vitest'
import { serveTeam } from '../../src/gateway/serve.ts'
import { createTeam } from '../../src/team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { TOKEN } from './harness.ts'

async function serve(): Promise<string> {
  const team = await createTeam({ data: temporaryDirectory(), host: 'in-process' })
  const gateway = await serveTeam(team, { port: 0, token: () => TOKEN, version: '0.0.0' })
  onTestFinished(async () => {
    await gateway.close()
    await team.close()
  })
  return gateway.url
}

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
    expect(await spawnWhenInvited(await serve(), TOKEN, length)).toEqual({ status: 201, invited: 1 })
  })

  test('is not invited where it may not ask, or asks for too much', async () => {
    const url = await serve()
    const length = { 'content-length': BODY.length }
    expect(await spawnWhenInvited(url, 'another-token', length)).toEqual({ status: 401, invited: 0 })
    const tooLong = { 'content-length': 100 * 1024 * 1024 }
    expect(await spawnWhenInvited(url, TOKEN, tooLong)).toEqual({ status: 413, invited: 0 })
  })
})
