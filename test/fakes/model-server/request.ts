/** A request as scripts and tests look at it, whichever protocol it came in. */
import type { IncomingHttpHeaders } from 'node:http'

export interface ModelRequest {
  protocol: 'openai' | 'anthropic'
  model: string
  /** Empty where there is none. */
  system: string
  messages: RequestMessage[]
  tools: RequestTool[]
  headers: IncomingHttpHeaders
  /** As it came. */
  body: Record<string, unknown>
  /** Counts from 0 over the server's life. */
  index: number
  /** Resolves once the connection of this request is closed, or its answer is complete: with which of the two. */
  ended: Promise<'answered' | 'closed'>
}

export interface RequestMessage {
  role: 'user' | 'assistant' | 'tool'
  content: string
  toolCalls?: { id: string; name: string; input: unknown }[]
  /** Of a tool's. */
  toolCallId?: string
  /** Of a tool's, where the protocol says so (Anthropic's). */
  isError?: boolean
}

export interface RequestTool {
  name: string
  description: string
  inputSchema: unknown
}

/** A request that a real server would refuse. */
export class RefusedRequest extends Error {
  override readonly name = 'RefusedRequest'
}

export function refuse(message: string): never {
  throw new RefusedRequest(message)
}

type Fields = Record<string, unknown>

export function fields(value: unknown, what: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    refuse(`${what}: expected an object`)
  return value as Fields
}

export function list(value: unknown, what: string): unknown[] {
  return Array.isArray(value) ? value : refuse(`${what}: expected an array`)
}

export function text(value: unknown, what: string): string {
  return typeof value === 'string' ? value : refuse(`${what}: expected a string`)
}
