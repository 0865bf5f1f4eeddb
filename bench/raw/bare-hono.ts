/** A bare Hono app as its manual says to serve it. Prints a line of JSON with its url; ends by SIGTERM. */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'

let answer = ''
const app = new Hono()
app.get('/health', (c) => c.json({ status: 'ok' }))
app.put('/', async (c) => {
  answer = await c.req.text()
  return c.body(null, 204)
})
/** What was put there last. */
app.get('/', (c) => c.body(answer, 200, { 'content-type': 'application/json' }))
/** Parses the body and answers with it. */
app.post('/', async (c) => c.json(await c.req.json()))

serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
})
