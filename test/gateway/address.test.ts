import { describe, expect, test } from 'vitest'
import { ownOrigins } from '../../src/gateway/address.ts'
import { createGateway } from './harness.ts'

describe('the Hosts that a gateway is reached by', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1:7420', ['http://127.0.0.1:7420']],
    ['127.0.0.1', 'LOCALHOST:7420', ['http://localhost:7420']],
    ['127.0.0.1', '[::1]:7420', ['http://[::1]:7420']],
    ['127.0.0.1', '127.0.0.1', undefined],
    ['127.0.0.1', '127.0.0.1:80', undefined],
    ['127.0.0.1', 'evil.example:7420', undefined],
    ['127.0.0.1', '192.0.2.7:7420', undefined],
    ['0.0.0.0', '192.0.2.7:7420', ['http://192.0.2.7:7420']],
    ['0.0.0.0', 'evil.example:7420', undefined],
  ])('at %s: %s', (host, header, origins) => {
    expect(ownOrigins(host)(header, 7420)).toEqual(origins)
  })

  test.each([
    ['proxy.example', 'proxy.example', ['http://proxy.example', 'https://proxy.example']],
    ['Proxy.Example', 'PROXY.example', ['http://proxy.example', 'https://proxy.example']],
    ['proxy.example', 'proxy.example:443', ['http://proxy.example:443', 'https://proxy.example']],
    ['proxy.example', 'proxy.example:7420', ['http://proxy.example:7420', 'https://proxy.example:7420']],
    ['proxy.example', 'proxy.example:8443', undefined],
    ['proxy.example', 'www.proxy.example', undefined],
    ['proxy.example:8443', 'proxy.example:8443', ['http://proxy.example:8443', 'https://proxy.example:8443']],
    ['proxy.example:8443', 'proxy.example', undefined],
    ['proxy.example:443', 'proxy.example', ['http://proxy.example', 'https://proxy.example']],
  ])('with the name %s: %s', (name, header, origins) => {
    expect(ownOrigins('127.0.0.1', [name])(header, 7420)).toEqual(origins)
  })

  test.each(['https://proxy.example', 'proxy.example/', 'a b', '', 'proxy.example:x', 'me@proxy.example'])(
    'a name %j is refused',
    (name) => {
      expect(() => ownOrigins('127.0.0.1', [name])).toThrow('expected a name')
    },
  )
})

test('a page behind a proxy may ask, and one that only knows its name may not', async () => {
  const originsAt = ownOrigins('127.0.0.1', ['proxy.example'])
  const gateway = await createGateway({ app: { originsAt: (host) => originsAt(host, 7420) } })
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await gateway.fetch('/agents', { headers })).status
  expect(await status({ host: 'proxy.example' })).toBe(200)
  expect(await status({ host: 'proxy.example', origin: 'https://proxy.example' })).toBe(200)
  expect(await status({ host: 'proxy.example', origin: 'http://proxy.example' })).toBe(200)
  expect(await status({ host: 'proxy.example', origin: 'https://proxy.example:8443' })).toBe(403)
  expect(await status({ host: 'proxy.example', origin: 'https://evil.example' })).toBe(403)
  expect(await status({ host: '127.0.0.1:7420', origin: 'https://proxy.example' })).toBe(403)
  expect(await status({ host: 'evil.example' })).toBe(403)
})
