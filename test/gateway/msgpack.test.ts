import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import { packMsgpack, unpackMsgpack } from '../../src/gateway/msgpack.ts'
import { createGateway } from './harness.ts'

const LIMIT = 10_000

describe('msgpack', () => {
  test('comes back as it went, for everything that JSON can say', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        fc.pre(!JSON.stringify(value).includes('__proto__') && !Object.is(value, -0))
        const plain: unknown = JSON.parse(JSON.stringify(value))
        expect(unpackMsgpack(packMsgpack(plain), LIMIT)).toEqual(plain)
      }),
    )
  })

  test.each([
    0,
    -1,
    127,
    128,
    -32,
    -33,
    255,
    256,
    -129,
    65_535,
    65_536,
    -32_769,
    2 ** 32,
    -(2 ** 40),
    0.5,
    1e300,
  ])('keeps the number %d', (number) => {
    expect(unpackMsgpack(packMsgpack(number), LIMIT)).toBe(number)
  })

  test('cut anywhere is refused, and never read behind its end', () => {
    const whole = packMsgpack({
      input: 'x'.repeat(300),
      list: [1, 2.5, null, true, 70_000, 'é'],
      map: { a: {} },
    })
    for (let length = 0; length < whole.length; length++) {
      expect(() => unpackMsgpack(whole.subarray(0, length), LIMIT)).toThrow('cut off')
    }
  })

  test('of any bytes is a value or a named refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          unpackMsgpack(bytes, LIMIT)
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_input' })
        }
      }),
      { numRuns: 2_000 },
    )
  })

  test('is taken and given by content type, errors too', async () => {
    const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }] } })
    const ask = async (path: string, body: unknown) => {
      const response = await gateway.fetch(path, {
        method: 'POST',
        headers: { 'content-type': 'application/msgpack', accept: 'application/msgpack' },
        body: packMsgpack(body),
      })
      expect(response.headers.get('content-type')).toBe('application/msgpack')
      return { status: response.status, body: unpackMsgpack(await response.bytes(), LIMIT) }
    }
    expect(await ask('/message', { input: 'hello', metadata: { a: [1, { b: null }] } })).toMatchObject({
      status: 200,
      body: { status: 'completed', result: 'hello' },
    })
    expect(await ask('/message', { inptu: 'hello' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_input' },
    })
    const json = await gateway.get<SessionInfo>('/sessions/current')
    expect(json.headers.get('content-type')).toContain('application/json')
  })
})
