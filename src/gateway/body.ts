/**
 * Bodies, in and out: JSON or msgpack by their content types, the same limits for both.
 *
 * B1  a body is read after the checks of auth.ts have passed, and no more of it than its limit; all that are read at one time
 *     share a budget, of which nobody has more than what he has sent, but for small ones.
 * B2  what the routes get is JSON that comes back as it went in (`assertJson`): a bounded number of values, bounded depth, no
 *     `__proto__`, well-formed text. It is parsed once.
 */
import type { Context, MiddlewareHandler } from 'hono'
import { accepts } from 'hono/accepts'
import { assertJson, type Json } from '../core/json.ts'
import { quote } from '../core/ids.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import { assertFewValues, type BodyLimits, ByteBudget, tooLarge } from './body-limits.ts'
import type { GatewayEnv } from './context.ts'
import { PROBLEM_TYPE } from './http-errors.ts'
import { MSGPACK_TYPE, packMsgpack, unpackMsgpack } from './msgpack.ts'

/**
 * A body of at most this declared length is read in one go, and counted before it has come. Small enough that all connections together
 * cannot use the budget up by declaring what they do not send.
 */
const SMALL_BYTES = 16 * 1024

const JSON_TYPE = 'application/json'

/**
 * Takes the body of a request for the routes. Throws `body_too_large`, `unsupported_media_type`, `invalid_input`, and `gateway_busy`
 * where the bodies that are being read would have more than `maxBytesAtOnce` together.
 */
export function readBody(
  limitsOf: (path: string) => BodyLimits,
  maxBytesAtOnce: number,
): MiddlewareHandler<GatewayEnv> {
  const budget = new ByteBudget(maxBytesAtOnce)
  return async (c, next) => {
    await takeBody(c, limitsOf(c.req.path), budget)
    await next()
  }
}

async function takeBody(c: Context<GatewayEnv>, limits: BodyLimits, budget: ByteBudget): Promise<void> {
  let taken = 0
  const take = (bytes: number): void => {
    budget.take(bytes)
    taken += bytes
  }
  try {
    const bytes = await readBytes(c, limits.bytes, take)
    if (bytes.length > 0) setBody(c, valueOf(bytes, c.req.header('content-type'), limits.values))
    else if (c.req.header('content-type') !== undefined) setType(c, undefined)
  } finally {
    budget.free(taken)
  }
}

function valueOf(bytes: Uint8Array, type: string | undefined, maxValues: number): Json {
  switch (essenceOf(type)) {
    case JSON_TYPE: {
      assertFewValues(bytes, maxValues)
      const value = parse(textOf(bytes))
      assertJson(value, 'body')
      return value
    }
    case MSGPACK_TYPE:
      return unpackMsgpack(bytes, maxValues)
    default:
      throw new AgentryError(
        'unsupported_media_type',
        `expected a body of type ${JSON_TYPE} or ${MSGPACK_TYPE}, received ${type === undefined ? 'one without a type' : quote(type)}`,
      )
  }
}

/** What the validators of the routes get from now on. They know JSON only, and ask for it by `json`. */
function setBody(c: Context, value: Json): void {
  Object.assign(c.req, { json: async () => value })
  if (essenceOf(c.req.header('content-type')) !== JSON_TYPE) setType(c, JSON_TYPE)
}

/** Undefined where there is no body: many clients name a type all the same. */
function setType(c: Context, type: string | undefined): void {
  const { url, method, signal, headers: given } = c.req.raw
  const headers = new Headers(given)
  if (type === undefined) headers.delete('content-type')
  else headers.set('content-type', type)
  c.req.raw = new Request(url, { method, headers, signal })
}

/** Which type of answer the client prefers: JSON, msgpack or one of `besides`; JSON where its Accept does not say. */
export function preferredType(c: Context, ...besides: string[]): string {
  const supports = [JSON_TYPE, MSGPACK_TYPE, ...besides]
  return accepts(c, { header: 'Accept', supports, default: JSON_TYPE })
}

/** Answers in msgpack where the client prefers that. */
export const answerInMsgpack: MiddlewareHandler = async (c, next) => {
  await next()
  if (preferredType(c) !== MSGPACK_TYPE) return
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

/** Calls `take` with the number of bytes before they are kept. */
async function readBytes(
  c: Context<GatewayEnv>,
  limit: number,
  take: (bytes: number) => void,
): Promise<Uint8Array> {
  const request = c.req.raw
  if (request.method === 'GET' || request.method === 'HEAD') return new Uint8Array()
  const declared = c.req.header('content-length')
  const isChunked = c.req.header('transfer-encoding') !== undefined
  if (Number(declared ?? 0) > limit) throw tooLarge(limit)
  // Node's parser holds a body to its declared length, and one without has none.
  const isNode = c.env?.incoming !== undefined && !isChunked
  if (isNode && declared === undefined) return new Uint8Array()
  if (isNode && Number(declared) <= SMALL_BYTES) {
    // A stream would cost more than all the rest.
    take(Number(declared))
    inviteBody(c)
    return new Uint8Array(await unlessCut(request.arrayBuffer()))
  }
  if (request.body === null) return new Uint8Array()
  inviteBody(c)
  return readStream(request.body, limit, take)
}

/** B1, for a client that waits to be told to send its body (RFC 9110, 10.1.1). `serve.ts` keeps Node from telling it at once. */
function inviteBody(c: Context<GatewayEnv>): void {
  const waits = c.req.header('expect')?.toLowerCase() === '100-continue'
  if (waits && c.env?.incoming?.httpVersion === '1.1') c.env.outgoing?.writeContinue()
}

async function readStream(
  body: ReadableStream<Uint8Array>,
  limit: number,
  take: (bytes: number) => void,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await unlessCut(reader.read())
      if (done) return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, length)
      length += value.byteLength
      if (length > limit) throw tooLarge(limit)
      take(value.byteLength)
      chunks.push(value)
    }
  } catch (error) {
    // The rest is not wanted; that it cannot be had any more is no news.
    reader.cancel().catch(() => undefined)
    throw error
  }
}

/** A client that leaves in the middle of its body made a mistake or none: it is no fault of ours. */
async function unlessCut<T>(reading: Promise<T>): Promise<T> {
  try {
    return await reading
  } catch (cause) {
    throw new AgentryError('invalid_input', 'body: expected all of it, received a part', { cause })
  }
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
