/** MCP servers behind HTTP that are made by hand, for what no real one does. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'
import type { McpServerSpec } from '../../../src/llm-spec.ts'

export type HttpSpec = Extract<McpServerSpec, { type: 'http' }>

export function http(port: number, changes: Partial<HttpSpec> = {}): HttpSpec {
  return { type: 'http', url: `http://127.0.0.1:${port}/mcp`, headers: {}, startMs: 20_000, ...changes }
}

/** A message of the client. */
export interface Body {
  id?: number
  method?: string
  params?: { requestId?: number }
}

export type Handler = (request: IncomingMessage, response: ServerResponse, body: Body) => void

export interface Handshake {
  /** What becomes of its last message. Default: 202. */
  onInitialized?: (response: ServerResponse) => void
  /** What becomes of the request for a stream. Default: 405, there is none. */
  onGet?: (response: ServerResponse) => void
}

export interface Handmade {
  port: number
  /** The requests so far. */
  seen: IncomingMessage[]
  /** How many of them are not over. */
  open: () => number
}

/** Answers the handshake; `handle` gets each other message. */
export async function handmade(handle: Handler, handshake: Handshake = {}): Promise<Handmade> {
  const { onInitialized = (response) => response.writeHead(202).end() } = handshake
  const { onGet = (response) => response.writeHead(405).end() } = handshake
  const seen: IncomingMessage[] = []
  let open = 0
  const server = createServer((request, response) => {
    seen.push(request)
    open += 1
    response.on('close', () => (open -= 1))
    let text = ''
    request.on('data', (chunk: Buffer) => (text += String(chunk)))
    request.on('end', () => {
      if (request.method === 'GET') return onGet(response)
      if (request.method !== 'POST') return response.writeHead(405).end()
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what the SDK sends is well-formed
      const body = JSON.parse(text) as Body
      if (body.method === 'initialize') return answer(response, body, INITIALIZED)
      if (body.method === 'notifications/initialized') return onInitialized(response)
      return handle(request, response, body)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on a port
  return { port: (server.address() as AddressInfo).port, seen, open: () => open }
}

const INITIALIZED = {
  protocolVersion: '2025-06-18',
  capabilities: { tools: {} },
  serverInfo: { name: 'handmade', version: '1' },
}

export function answer(response: ServerResponse, { id }: Body, result: object): void {
  response.writeHead(200, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ jsonrpc: '2.0', id, result }))
}

/** Begins a stream of events, and leaves it open. */
export function stream(response: ServerResponse): ServerResponse {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.flushHeaders()
  return response
}

export function sendEvent(response: ServerResponse, message: object): void {
  response.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`)
}

/** Writes it as fast as it is read, until the client has gone. */
export function pour(response: ServerResponse, text: string): void {
  if (!response.destroyed) response.write(text, (error) => (error ? undefined : pour(response, text)))
}

/** Lists one tool, `work`, and does with its calls, and all else, what it is told. */
export function working(onCall: Handler): Handler {
  return (request, response, body) => {
    if (body.method !== 'tools/list') return onCall(request, response, body)
    return answer(response, body, { tools: [{ name: 'work', inputSchema: { type: 'object' } }] })
  }
}
