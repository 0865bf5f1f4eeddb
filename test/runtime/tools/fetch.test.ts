import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createFetchTool, type FetchToolOptions } from '../../../src/runtime/tools/fetch.ts'
import { htmlToText } from '../../../src/runtime/tools/web/html-text.ts'
import { isPublicAddress } from '../../../src/runtime/tools/web/public-address.ts'
import { errorWith } from '../../error-with.ts'
import { text, toolContext, use } from './tool-context.ts'

/** A server on 127.0.0.1 and what it was asked for. */
async function serve(answer: RequestListener): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}

/** Where the server of the test stands for the open internet: its address alone is allowed. */
function fetchTool(options: Partial<FetchToolOptions> = {}) {
  return createFetchTool({
    outputBytes: 64 * 1024,
    isAllowed: (address) => address === '127.0.0.1',
    ...options,
  })
}

const context = toolContext('/')

describe('an address of the open internet', () => {
  test.each(['93.184.215.14', '2606:2800:21f:cb07:6820:80da:af6b:8b2c', '8.8.8.8'])('is %s', (address) => {
    expect(isPublicAddress(address)).toBe(true)
  })

  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '0.0.0.0',
    '10.1.2.3',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '100.100.100.200',
    '169.254.169.254',
    '168.63.129.16',
    '192.0.0.192',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '::',
    '::1',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    'fe80::1',
    'fe80::1%eth0',
    'fc00::1',
    'fd00:ec2::254',
    'fec0::1',
    'ff02::1',
    'localhost',
    '',
  ])('is not %s', (address) => {
    expect(isPublicAddress(address)).toBe(false)
  })
})

describe('what is within the machine or its network is refused', () => {
  const refused = errorWith('path_refused', 'not an address of the open internet')

  test.each(['127.0.0.1', '0x7f.1', '2130706433', '0177.0.0.1', '[::1]', '[::ffff:127.0.0.1]', 'localhost'])(
    'as %s, before anything is sent',
    async (host) => {
      const { port, asked } = await serve((_, response) => response.end('SECRET'))
      const tool = createFetchTool({ outputBytes: 4096 })
      await expect(text(tool, { url: `http://${host}:${port}/` }, context)).rejects.toThrow(refused)
      expect(asked).toEqual([])
    },
  )

  test('behind a name, with all of its addresses looked at', async () => {
    const { port, asked } = await serve((_, response) => response.end('SECRET'))
    const tool = createFetchTool({
      outputBytes: 4096,
      resolve: (_, callback) =>
        callback(null, [
          { address: '93.184.215.14', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    })
    await expect(text(tool, { url: `http://rebind.test:${port}/` }, context)).rejects.toThrow(refused)
    expect(asked).toEqual([])
  })

  test('behind a name that changes: each connection looks again', async () => {
    const { port, asked } = await serve((_, response) => response.end('page'))
    let looked = 0
    const tool = fetchTool({
      resolve: (_, callback) =>
        callback(null, [{ address: looked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 }]),
    })
    expect(await text(tool, { url: `http://rebind.test:${port}/first` }, context)).toContain('page')
    await expect(text(tool, { url: `http://rebind.test:${port}/second` }, context)).rejects.toThrow(refused)
    expect(asked).toEqual(['/first'])
  })
})

test.each([
  'file:///etc/passwd',
  'ftp://example.org/',
  'data:text/plain,x',
  'no url',
  'http://me:secret@example.org/',
])('refuses %s', async (url) => {
  await expect(text(fetchTool(), { url }, context)).rejects.toThrow(
    errorWith('invalid_input', 'expected a URL'),
  )
})

describe('a redirect', () => {
  test('is told and not followed: the next call is judged by its own URL', async () => {
    const evil = await serve((_, response) => response.end('SECRET'))
    const { port, asked } = await serve((_, response) => {
      response.writeHead(302, { location: `http://evil.test:${evil.port}/?q=stolen` }).end('see there')
    })
    const tool = fetchTool({
      resolve: (_, callback) => callback(null, [{ address: '127.0.0.1', family: 4 }]),
    })
    const result = await use(tool, { url: `http://docs.test:${port}/go` }, context)
    expect(result).toEqual({
      outcome: 'ok',
      content: `[302 http://docs.test:${port}/go]\n[redirects to http://evil.test:${evil.port}/?q=stolen: it was not followed; to go on, fetch that URL]`,
    })
    expect(asked).toEqual(['/go'])
    expect(evil.asked).toEqual([])
  })

  test.each([
    ['/there', (origin: string) => `${origin}/there`],
    ['file:///etc/passwd', () => 'file:///etc/passwd'],
    ['http://[', () => 'http://['],
  ])('to %s is told as a whole URL where it is one', async (location, told) => {
    const { port, asked } = await serve((_, response) => response.writeHead(301, { location }).end())
    const origin = `http://127.0.0.1:${port}`
    expect(await text(fetchTool(), { url: `${origin}/` }, context)).toContain(
      `[redirects to ${told(origin)}: it was not followed`,
    )
    expect(asked).toEqual(['/'])
  })
})

test('gives status, type, URL and the text', async () => {
  const { port } = await serve((_, response) => {
    response
      .writeHead(200, { 'content-type': 'text/plain; charset=latin1', 'content-encoding': 'gzip' })
      .end(gzipSync(Buffer.from('café\n', 'latin1')))
  })
  expect(await text(fetchTool(), { url: `http://127.0.0.1:${port}/a/../there` }, context)).toBe(
    `[200 text/plain; charset=latin1 http://127.0.0.1:${port}/there]\ncafé\n`,
  )
})

test('gives an error of the server as one', async () => {
  const { port } = await serve((_, response) =>
    response.writeHead(404, { 'content-type': 'text/plain' }).end('gone'),
  )
  const result = await use(fetchTool(), { url: `http://127.0.0.1:${port}/` }, context)
  expect(result).toMatchObject({
    outcome: 'error',
    content: expect.stringMatching(/^\[404 .*\]\ngone$/) as unknown,
  })
})

test('does not read what is no text', async () => {
  const { port } = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'image/png', 'content-length': 4 }).end('\0PNG')
  })
  const content = await text(fetchTool(), { url: `http://127.0.0.1:${port}/` }, context)
  expect(content).toContain('[no text: image/png, 4 bytes]')
})

test('reads a part of an endless answer, a compressed one too, and marks it', async () => {
  const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024, 'a\n'))
  const { port } = await serve((request, response) => {
    response.writeHead(200, {
      'content-type': 'text/plain',
      'content-encoding': request.url === '/zip' ? 'gzip' : 'identity',
    })
    if (request.url === '/zip') return response.end(zeros)
    const more = () => {
      while (response.write('b\n'.repeat(10_000)));
    }
    response.on('drain', more)
    return more()
  })
  for (const path of ['/zip', '/endless']) {
    const content = await text(fetchTool(), { url: `http://127.0.0.1:${port}${path}` }, context)
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(64 * 1024)
    expect(content).toMatch(/\n\[… the rest is left out\]$/)
  }
})

test('ends with its time limit, and with a cancel', async () => {
  const { port, asked } = await serve(() => undefined)
  const url = `http://127.0.0.1:${port}/`
  await expect(text(fetchTool(), { url, timeoutMs: 100 }, context)).rejects.toThrow(
    errorWith('tool_failed', 'no answer within 100 ms'),
  )
  const abort = new AbortController()
  const reason = new Error('cancelled')
  const fetching = text(fetchTool(), { url }, { ...context, signal: abort.signal })
  abort.abort(reason)
  await expect(fetching).rejects.toBe(reason)
  expect(asked.length).toBeGreaterThan(0)
})

test('says why nothing came', async () => {
  const { port } = await serve((request) => request.socket.destroy())
  await expect(text(fetchTool(), { url: `http://127.0.0.1:${port}/` }, context)).rejects.toThrow(
    errorWith('tool_failed', `http://127.0.0.1:${port}/: `),
  )
})

test('is judged by the URL in its one form', () => {
  const tool = fetchTool()
  const subject = (url: string) => tool.subject?.(tool.parse({ url }), context)
  expect(subject('HTTPS://Example.ORG/a/../b')).toEqual({ kind: 'url', text: 'https://example.org/b' })
})

describe('a page as text', () => {
  test('has its title, paragraphs, list items and cells, without scripts and styles', () => {
    const page = `<!doctype html><html><head><title>A &amp; B</title><style>p{}</style></head>
      <body><script>alert("<p>no</p>")</script><h1>Head</h1><p>One<br>two &lt;three&gt; &#x41;&#66;&nbsp;&bogus;</p>
      <!-- <p>hidden</p> --><ul><li>a</li><li>b</li></ul><table><tr><td>1</td><td>2</td></tr></table></body></html>`
    expect(htmlToText(page)).toBe('A & B\n\nHead\n\nOne\ntwo <three> AB &bogus;\n\n- a\n\n- b\n\n1 2')
  })

  test.each(['<p>a<', '<script>a', '<!-- a', '<p>a</p><head>', '&#xffffff;&#xd800;', '<'.repeat(10)])(
    'comes of the broken page %s',
    (page) => {
      expect(htmlToText(page).isWellFormed()).toBe(true)
    },
  )

  test('is made of one whose head is not closed, or not there', () => {
    expect(htmlToText('<head><title>T</title><style>p{}</style><p>text')).toBe('T\n\ntext')
    expect(htmlToText('<title>T</title><body>text')).toBe('T\n\ntext')
    expect(htmlToText('<title>T<p>text')).toBe('T\ntext')
    expect(htmlToText('<TITLE\n>a\n b</TITLE><p>text<svg><title>no</title></svg>')).toBe('a b\n\ntext')
  })

  test('has no script in it where characters grow in lower case', () => {
    const page = `<p>${'İ'.repeat(30)}</p><SCRIPT>var secret = 1 < 2;</SCRIPT><p>hello <b>x</b></p>`
    expect(htmlToText(page)).toBe(`${'İ'.repeat(30)}\n\nhello x`)
  })

  const PIECES = [
    '<',
    '<script',
    '<!--',
    '<head>',
    '<head><title><body>',
    '<title',
    '<title>',
    '<p ',
    '&#',
    '<li><td>',
    '</title>',
  ]
  test.each(PIECES)('is made in time that grows with the length alone: %s', (piece) => {
    const start = performance.now()
    htmlToText(piece.repeat(200_000))
    expect(performance.now() - start).toBeLessThan(5_000)
  })
})
