/** The gateway at a port of this process, over a real team: for what only Node's server shows. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { type ServeOptions, serveTeam } from '../../src/gateway/serve.ts'
import { createTeam, type TeamOptions } from '../../src/team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { TOKEN } from './harness.ts'

export interface ServedGateway {
  readonly url: string
  readonly port: number
  /** The folder around the data directory. */
  readonly folder: string
  /** Faults of Agentry itself: there must be none. */
  readonly faults: unknown[]
  /** The statuses that were answered, in order. */
  readonly statuses: number[]
  /** The request line and the headers of a request with the token; `headers` without line ends. */
  readonly head: (line: string, ...headers: string[]) => string
  /** Sends these bytes, and resolves with all that comes back until the gateway closes the connection. */
  readonly raw: (bytes: string) => Promise<string>
}

export async function serveGateway(
  options: TeamOptions = {},
  serving: Pick<ServeOptions, 'maxConnections'> = {},
): Promise<ServedGateway> {
  const folder = temporaryDirectory()
  const team = await createTeam({ data: `${folder}/data`, host: 'in-process', ...options })
  const faults: unknown[] = []
  const statuses: number[] = []
  const gateway = await serveTeam(team, {
    ...serving,
    port: 0,
    token: () => TOKEN,
    version: '0.0.0',
    onAnswer: ({ status }) => statuses.push(status),
    onFault: (error) => faults.push(error),
  })
  onTestFinished(async () => {
    await gateway.close()
    await team.close()
  })
  const port = Number(new URL(gateway.url).port)
  return {
    url: gateway.url,
    port,
    folder,
    faults,
    statuses,
    head: (line, ...headers) =>
      [line, `Host: 127.0.0.1:${port}`, `Authorization: Bearer ${TOKEN}`, ...headers, '', ''].join('\r\n'),
    async raw(bytes) {
      const socket = connect(port, '127.0.0.1')
      socket.on('error', () => undefined) // It may be closed before all is sent.
      await once(socket, 'connect')
      socket.write(bytes)
      return text(socket)
    },
  }
}
