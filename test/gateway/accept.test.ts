import { expect, test } from 'vitest'
import { createGateway, json } from './harness.ts'

test.each([
  ['text/event-stream, application/json;q=0.5', 'text/event-stream'],
  ['application/json, text/event-stream;q=0.5', 'application/json'],
  ['application/json, text/event-stream;q=0', 'application/json'],
  ['application/msgpack, application/json;q=0.5', 'application/msgpack'],
  ['application/msgpack;q=0', 'application/json'],
  ['text/event-streams', 'application/json'],
  ['*/*', 'application/json'],
])('a message with Accept: %s is answered in %s', async (accept, type) => {
  const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
  const response = await gateway.fetch('/message', {
    method: 'POST',
    ...json({ input: 'hello' }),
    headers: { 'content-type': 'application/json', accept },
  })
  expect(response.headers.get('content-type')).toBe(type)
  await response.bytes()
})
