/** A TCP proxy that cuts what goes through it: a client sees its connection die in the middle of whatever it was reading. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  /** Where connections go from now on. Until then they are refused. */
  open(targetPort: number): void
  /** Refuses connections, and cuts those that are there. */
  shut(): void
  /** Each of the next connections is cut after so many bytes of the answer; those behind them are not. */
  cutAfter(...bytes: number[]): void
  /** How many connections have been cut. */
  cuts(): number
  close(): void
}

export async function startCuttingProxy(): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  const budgets: number[] = []
  let targetPort: number | undefined
  let cuts = 0

  const cut = (client: Socket): void => {
    if (client.destroyed) return
    cuts += 1
    client.resetAndDestroy()
  }
  const server = createServer((client) => {
    client.on('error', () => undefined)
    if (targetPort === undefined) {
      client.resetAndDestroy()
      return
    }
    let left = budgets.shift() ?? Infinity
    const target = connect(targetPort, '127.0.0.1')
    target.on('error', () => undefined)
    target.on('close', () => client.destroy())
    client.on('close', () => {
      sockets.delete(client)
      target.destroy()
    })
    sockets.add(client)
    client.pipe(target)
    target.on('data', (chunk: Buffer) => {
      const part = chunk.subarray(0, left)
      left -= part.length
      // What was written must go out first: a reset throws away what waits.
      client.write(part, () => {
        if (left === 0) cut(client)
      })
      if (left === 0) target.pause()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the proxy has no port')

  const shut = (): void => {
    targetPort = undefined
    for (const socket of sockets) cut(socket)
  }
  return {
    port: address.port,
    open(port) {
      targetPort = port
    },
    shut,
    cutAfter: (...bytes) => void budgets.push(...bytes),
    cuts: () => cuts,
    close() {
      shut()
      server.close()
    },
  }
}
