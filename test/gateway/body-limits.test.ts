import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assertFewValues } from '../../src/gateway/body-limits.ts'
import { packMsgpack, unpackMsgpack } from '../../src/gateway/msgpack.ts'
import { createGateway } from './harness.ts'

/** Values and keys. */
function countOf(value: unknown): number {
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + countOf(item), 1)
  if (typeof value !== 'object' || value === null) return 1
  return Object.values(value).reduce<number>((sum, item) => sum + 1 + countOf(item), 1)
}

describe('the number of values in a body', () => {
  test('is limited alike in msgpack and, but for empty lists and maps, in JSON', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const count = countOf(value)
        fc.pre(!/__proto__|\[\]|\{\}/.test(JSON.stringify(value)))
        const text = Buffer.from(JSON.stringify(value, null, 1))
        assertFewValues(text, count)
        unpackMsgpack(packMsgpack(value), count)
        if (count === 1) return
        expect(() => assertFewValues(text, count - 1)).toThrow('values and keys')
        expect(() => unpackMsgpack(packMsgpack(value), count - 1)).toThrow('values and keys')
      }),
    )
  })
})

describe('bodies that are being read at the same time', () => {
  test('share a budget, which is free again when they are read', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
    const piece = Buffer.alloc(1024 * 1024, 0x20)
    const stalled = new AbortController()
    const held = Promise.withResolvers<void>()
    let pieces = 0
    // 60 MiB each, of which the end does not come: two fit into 128 MiB, and a third one of this size does not.
    const importSlowly = async (): Promise<Response> =>
      gateway.fetch('/import', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        duplex: 'half',
        body: new ReadableStream({
          start: (controller) => stalled.signal.addEventListener('abort', () => controller.close()),
          async pull(controller) {
            if (pieces === 120) {
              held.resolve()
              return new Promise(() => undefined)
            }
            pieces += 1
            controller.enqueue(piece)
          },
        }),
      })
    const slow = [importSlowly(), importSlowly()]
    await held.promise
    const large = { input: 'x'.repeat(7 * 1024 * 1024) }
    const more = ['/message', '/message'].map(async (path) =>
      gateway.fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        duplex: 'half',
        body: new Blob([JSON.stringify(large)]).stream(),
      }),
    )
    const statuses = (await Promise.all(more)).map(({ status }) => status)
    expect(statuses).toContain(503)
    stalled.abort()
    await Promise.all(slow)
    const headers = { 'content-type': 'application/json' }
    await gateway.fail(400, 'POST', '/import', { headers, body: new Blob([' '.repeat(60 * 1024 * 1024)]) })
  })
})
