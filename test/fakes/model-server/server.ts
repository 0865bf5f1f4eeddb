import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ChatWriter, readChatRequest } from './chat-completions.ts'
import { MessagesWriter, readMessagesRequest } from './messages-api.ts'
import { type Part, partsOf, type Reply, type TokenCounts } from './reply.ts'
import { fields, type ModelRequest, RefusedRequest } from './request.ts'
import { Wire } from './wire.ts'

export interface ModelServerOptions {
  /** The answer to the request; `index` counts from 0 over both protocols. What it throws is answered with 500. */
  reply: (request: ModelRequest, index: number) => Reply | Promise<Reply>
  /** Requests with another key (either protocol's header) are answered with 401. Default: any, and none, will do. */
  apiKey?: string
  /** Default: any free one. */
  port?: number
}

export interface ModelServer {
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  /** The baseURL for chat completions. */
  readonly openaiURL: string
  /** The baseURL for Anthropic's messages. */
  readonly anthropicURL: string
  /** All that were understood, in the order they came; those that a real server refuses too. */
  readonly requests: readonly ModelRequest[]
  /** What was refused with 400, in words: empty where the client does everything right. */
  readonly refused: readonly string[]
  /** Destroys all connections. Idempotent. */
  close(): Promise<void>
}

const PROTOCOLS: { readonly [path: string]: ModelRequest['protocol'] } = {
  '/v1/chat/completions': 'openai',
  '/v1/messages': 'anthropic',
}

/** Listens on 127.0.0.1. */
export async function startModelServer(options: ModelServerOptions): Promise<ModelServer> {
  const requests: ModelRequest[] = []
  const refused: string[] = []
  let received = 0
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy()
      else response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const ended = new Promise<'answered' | 'closed'>((resolve) => {
      response.once('close', () => resolve(response.writableFinished ? 'answered' : 'closed'))
    })
    const wire = new Wire(response)
    const protocol = PROTOCOLS[incoming.url?.split('?')[0] ?? '']
    const raw = await readBody(incoming)
    if (protocol === undefined || incoming.method !== 'POST') {
      wire.whole(
        404,
        'application/json',
        JSON.stringify({ error: { message: 'Not found', type: 'not_found' } }),
      )
      return
    }
    const { headers } = incoming
    const key = headers['x-api-key'] ?? headers.authorization?.replace(/^Bearer /, '')
    if (options.apiKey !== undefined && key !== options.apiKey) {
      refuseWith(wire, protocol, { status: 401, message: 'Incorrect API key provided' })
      return
    }
    const index = received++
    const body = fields(JSON.parse(raw), 'body')
    let request: ModelRequest
    try {
      const read = protocol === 'openai' ? readChatRequest(body) : readMessagesRequest(body)
      request = { protocol, ...read, headers, body, index, ended }
    } catch (error) {
      if (!(error instanceof RefusedRequest) && !(error instanceof SyntaxError)) throw error
      refused.push(error.message)
      refuseWith(wire, protocol, { status: 400, message: error.message })
      return
    }
    requests.push(request)
    await write(wire, request, partsOf(await options.reply(request, index)))
  }

  let closed: Promise<void> | undefined
  return {
    url,
    openaiURL: `${url}/v1`,
    anthropicURL: `${url}/v1`,
    requests,
    refused,
    close() {
      closed ??= new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
      return closed
    },
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of incoming) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks).toString()
}

async function write(wire: Wire, request: ModelRequest, parts: readonly Part[]): Promise<void> {
  const given = parts.find((part) => 'usage' in part)
  const usage = given !== undefined && 'usage' in given ? given.usage : countTokens(request, parts)
  const writer =
    request.protocol === 'openai' ? new ChatWriter(wire, request) : new MessagesWriter(wire, request, usage)
  let reason: Extract<Part, { finish: unknown }>['finish'] = 'stop'
  for (const part of parts) {
    if ('gate' in part) {
      await part.gate
    } else if ('status' in part) {
      refuseWith(wire, request.protocol, part)
      return
    } else if ('fault' in part) {
      switch (part.fault) {
        case 'hang':
          return
        case 'cut':
          if (parts[0] !== part) await wire.flushed()
          wire.cut()
          return
        case 'end':
          wire.end()
          return
        case 'malformed':
          writer.begin()
          wire.data('{"choices":[{"delta":')
          break
        case 'error':
          writer.begin()
          writer.error()
          break
        case 'json':
          wire.whole(200, 'application/json', JSON.stringify({ id: 'x', choices: [], content: [] }))
          return
        case 'html':
          wire.whole(200, 'text/html', '<html><body>Sign in to the network</body></html>')
          return
        case 'empty':
          wire.whole(200, 'text/event-stream', '')
          return
      }
    } else if ('finish' in part) {
      reason = part.finish
    } else if (!('usage' in part)) {
      writer.part(part)
      if ('toolCall' in part) reason = 'tool-calls'
    }
  }
  writer.finish(reason, usage)
  wire.end()
}

/** About four characters a token: the same for the same texts. */
function countTokens(request: ModelRequest, parts: readonly Part[]): TokenCounts {
  const said = parts.filter((part) => 'text' in part || 'reasoning' in part || 'toolCall' in part)
  const asked = request.system.length + JSON.stringify(request.messages).length
  return { input: Math.ceil(asked / 4), output: Math.ceil(JSON.stringify(said).length / 4) }
}

function refuseWith(
  wire: Wire,
  protocol: ModelRequest['protocol'],
  { status, message = 'scripted to fail', code, retryAfter }: Extract<Part, { status: unknown }>,
): void {
  const type = status === 429 ? 'rate_limit_error' : status < 500 ? 'invalid_request_error' : 'api_error'
  const error = { message, type, ...(code !== undefined && { code }) }
  const headers: Record<string, string> =
    retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }
  const body = protocol === 'openai' ? { error } : { type: 'error', error }
  wire.whole(status, 'application/json', JSON.stringify(body), headers)
}
