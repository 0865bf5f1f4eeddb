/** What HTTP costs by itself: a bare Hono app on the server that the gateway uses. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'

export interface BareServer {
  url: string
  /** GET answers with this text, as JSON. */
  answer: string
  close(): Promise<void>
}

/** POST parses the body and answers with it. */
export async function startBareHono(): Promise<BareServer> {
  const app = new Hono()
  app.get('/', (c) => c.body(bare.answer, 200, { 'content-type': 'application/json' }))
  app.post('/', async (c) => c.json(await c.req.json()))
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false })
  const server = createServer((request, response) => void listener(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('expected a port')
  const bare: BareServer = {
    url: `http://127.0.0.1:${address.port}/`,
    answer: '',
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return bare
}
