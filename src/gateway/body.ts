/**
 * Bodies, in and out: JSON or msgpack by their content types, the same limits for both.
 *
 * B1  a body is read after the checks of auth.ts have passed, and no more of it than its limit.
 * B2  what the routes get is JSON that comes back as it went in (`assertJson`): bounded depth, no `__proto__`, well-formed text.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { assertJson } from '../core/json.ts'
import { quote } from '../core/ids.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import type { GatewayEnv } from './context.ts'
import { PROBLEM_TYPE } from './http-errors.ts'
import { MSGPACK_TYPE, packMsgpack, unpackMsgpack } from './msgpack.ts'

const JSON_TYPE = 'application/json'

/** Takes the body of a request for the routes. Throws `body_too_large`, `unsupported_media_type`, `invalid_input`. */
export function readBody(limitOf: (path: string) => number): MiddlewareHandler<GatewayEnv> {
  return async (c, next) => {
    const bytes = await readBytes(c, limitOf(c.req.path))
    if (bytes.length === 0) return next()
    const type = c.req.header('content-type')
    switch (essenceOf(type)) {
      case JSON_TYPE: {
        const text = textOf(bytes)
        assertJson(parse(text), 'body')
        setText(c, text)
        break
      }
      case MSGPACK_TYPE: {
        const value = unpackMsgpack(bytes)
        assertJson(value, 'body')
        // The validators of the routes know JSON only.
        const headers = new Headers(c.req.raw.headers)
        headers.set('content-type', JSON_TYPE)
        c.req.raw = new Request(c.req.raw.url, {
          method: c.req.raw.method,
          headers,
          signal: c.req.raw.signal,
        })
        setText(c, JSON.stringify(value))
        break
      }
      default:
        throw new AgentryError(
          'unsupported_media_type',
          `expected a body of type ${JSON_TYPE} or ${MSGPACK_TYPE}, received ${type === undefined ? 'one without a type' : quote(type)}`,
        )
    }
    await next()
  }
}

/** What the validators read from now on. Hono keeps promises there, whatever its type says. */
function setText(c: Context, text: string): void {
  Object.assign(c.req.bodyCache, { text: Promise.resolve(text) })
}

/** Answers in msgpack where the client accepts that, and not JSON as well. */
export const answerInMsgpack: MiddlewareHandler = async (c, next) => {
  await next()
  const accept = c.req.header('accept') ?? ''
  if (!accept.includes(MSGPACK_TYPE) || accept.includes(JSON_TYPE)) return
  const type = essenceOf(c.res.headers.get('content-type') ?? undefined)
  if (type !== JSON_TYPE && type !== PROBLEM_TYPE) return
  const packed = packMsgpack(await c.res.json())
  const headers = new Headers(c.res.headers)
  headers.delete('content-length')
  headers.set('content-type', MSGPACK_TYPE)
  const { status } = c.res
  c.res = undefined
  c.res = new Response(packed, { status, headers })
}

async function readBytes(c: Context<GatewayEnv>, limit: number): Promise<Uint8Array> {
  const request = c.req.raw
  if (request.method === 'GET' || request.method === 'HEAD') return new Uint8Array()
  const declared = c.req.header('content-length')
  const isChunked = c.req.header('transfer-encoding') !== undefined
  if (Number(declared ?? 0) > limit) throw tooLarge(limit)
  if (c.env?.incoming !== undefined && !isChunked) {
    // Node's parser holds a body to its declared length, and one without has none; a stream would cost more than all the rest.
    return declared === undefined ? new Uint8Array() : new Uint8Array(await request.arrayBuffer())
  }
  return request.body === null ? new Uint8Array() : readStream(request.body, limit)
}

async function readStream(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)
    length += value.byteLength
    if (length > limit) {
      // The rest is not wanted; that it cannot be had any more is no news.
      reader.cancel().catch(() => undefined)
      throw tooLarge(limit)
    }
    chunks.push(value)
  }
}

function tooLarge(limit: number): AgentryError {
  return new AgentryError('body_too_large', `expected a body of at most ${limit} bytes, received more`, {
    data: { limit },
  })
}

function essenceOf(contentType: string | undefined): string {
  return (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new AgentryError('invalid_input', 'body: expected JSON in UTF-8, received other bytes', { cause })
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new AgentryError('invalid_input', `body: expected JSON: ${quote(describeThrown(cause))}`, {
      cause,
    })
  }
}
