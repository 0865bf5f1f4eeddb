import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { OpenConnections } from '../../src/gateway/open-connections.ts'
import { serveGateway } from './served.ts'

class FakeConnection extends EventEmitter {
  cut = false

  destroy(): void {
    this.cut = true
    this.emit('close')
  }
}

function open(connections: OpenConnections<FakeConnection>, count: number): FakeConnection[] {
  return Array.from({ length: count }, () => {
    const connection = new FakeConnection()
    connections.add(connection)
    return connection
  })
}

const cut = (connections: readonly FakeConnection[]): boolean[] => connections.map((each) => each.cut)

describe('connections', () => {
  test('make room for a new one where too many are open, the one that is idle longest first', () => {
    const connections = new OpenConnections<FakeConnection>(3)
    const all = open(connections, 5)
    expect(cut(all)).toEqual([true, true, false, false, false])
  })

  test('on which an answer is under way are not cut off; where all are such, no more are taken', () => {
    const connections = new OpenConnections<FakeConnection>(2)
    const all = open(connections, 2)
    for (const connection of all) connections.answers(connection, new EventEmitter())
    const more = open(connections, 2)
    expect([cut(all), cut(more)]).toEqual([
      [false, false],
      [true, true],
    ])
  })

  test('are idle again from their last answer on', () => {
    const connections = new OpenConnections<FakeConnection>(2)
    const [first, second] = open(connections, 2) as [FakeConnection, FakeConnection]
    const answers = [new EventEmitter(), new EventEmitter()]
    for (const answer of answers) connections.answers(first, answer)
    answers[0]?.emit('close')
    open(connections, 1)
    expect(cut([first, second])).toEqual([false, true])
    answers[1]?.emit('close')
    const [later] = open(connections, 1) // The one before it has been idle for longer.
    open(connections, 1)
    expect(cut([first, later as FakeConnection])).toEqual([true, false])
  })

  test('that have closed leave their places', () => {
    const connections = new OpenConnections<FakeConnection>(2)
    const [first] = open(connections, 2) as [FakeConnection, FakeConnection]
    const answer = new EventEmitter()
    connections.answers(first, answer)
    first.emit('close')
    answer.emit('close')
    expect(cut(open(connections, 1))).toEqual([false])
  })
})

test('clients without the token keep nobody out: neither in a head, nor between requests, nor by not reading', async () => {
  const { port, url, head } = await serveGateway({}, { maxConnections: 3 })
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const talk = async (bytes: string): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => undefined)
    sockets.push(socket)
    await once(socket, 'connect')
    socket.write(bytes)
    return socket
  }
  const reader = await talk(head('GET /events HTTP/1.1'))
  await once(reader, 'data')
  const host = `Host: 127.0.0.1:${port}\r\n`
  for (const request of [
    `GET /agents HTTP/1.1\r\n${host}X: `,
    `GET /health HTTP/1.1\r\n${host}\r\n`,
    `GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n${host}\r\n`.repeat(4),
  ]) {
    for (let count = 0; count < 4; count++) await talk(request)
  }
  expect((await fetch(`${url}/health`)).status).toBe(200)
  expect(reader.closed).toBe(false)
})
