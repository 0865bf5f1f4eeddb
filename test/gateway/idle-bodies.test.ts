import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { serveTeam } from '../../src/gateway/serve.ts'
import { openTeam } from '../fakes/open-team.ts'
import { TOKEN } from './harness.ts'

const MIB = 1024 * 1024

test('clients that declare large bodies and send nothing keep nobody from sending', async () => {
  const team = await openTeam({ host: 'in-process', agents: [{ id: 'echo', behavior: 'echo' }] })
  const gateway = await serveTeam(team, { port: 0, token: () => TOKEN, version: '0.0.0' })
  onTestFinished(() => gateway.close())
  const { url } = gateway
  const { host, hostname, port } = new URL(url)
  // 160 MiB declared, where 128 may be read at one time. The server asks for the body: it is being read then.
  for (let client = 0; client < 20; client++) {
    const socket = connect(Number(port), hostname)
    onTestFinished(() => void socket.destroy())
    const head = [
      'POST /message HTTP/1.1',
      `Host: ${host}`,
      `Authorization: Bearer ${TOKEN}`,
      'Content-Type: application/json',
      `Content-Length: ${8 * MIB}`,
      'Expect: 100-continue',
    ]
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    const answer: unknown[] = await once(socket, 'data')
    expect(String(answer[0])).toMatch(/^HTTP\/1\.1 100 /)
  }
  for (const length of [10, MIB - 200]) {
    const response = await fetch(`${url}/message`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'x'.repeat(length) }),
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ result: 'x'.repeat(length) })
  }
})
