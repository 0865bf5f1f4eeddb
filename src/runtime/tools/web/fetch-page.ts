/**
 * One GET over the guarded connections, its size and time bounded. Redirects are told, not followed: where one leads is a URL that
 * nobody has judged. Loaded with the first fetch: undici is large.
 */
import { fetch, type Response } from 'undici'
import { type Clock, systemClock } from '../../../core/clock.ts'
import { AgentryError, describeThrown, isAgentryError } from '../../../errors.ts'
import { createGuardedAgent, type GuardOptions } from './guarded-agent.ts'
import { htmlToText } from './html-text.ts'
import { isPublicAddress } from './public-address.ts'

const CONNECT_MS = 10_000
/** Of a body, before it is made text. */
const MAX_BODY_BYTES = 4 * 1024 * 1024

const TEXT_TYPES =
  /^(text\/|application\/(json|xml|javascript|x-ndjson|yaml|toml)|[a-z]+\/[a-z0-9.-]+\+(json|xml))/

export interface FetchOptions {
  signal: AbortSignal
  /** For all of it. */
  timeoutMs: number
  clock?: Clock | undefined
  /** Default: addresses of the open internet. */
  isAllowed?: GuardOptions['isAllowed'] | undefined
  resolve?: GuardOptions['resolve']
}

export interface FetchedPage {
  /** In its one form. */
  url: string
  status: number
  contentType: string
  /** Of a redirect: where it leads, in words. */
  text: string
  /** True where the body was longer than what is read of it. */
  cut: boolean
}

/** Throws `path_refused` for what is not to be reached, `tool_failed` for what did not come. */
export async function fetchPage(url: string, options: FetchOptions): Promise<FetchedPage> {
  const { signal, timeoutMs, clock = systemClock, isAllowed = isPublicAddress, resolve } = options
  const agent = createGuardedAgent({ isAllowed, resolve, connectMs: CONNECT_MS })
  const timeout = new AbortController()
  const timer = clock.setTimer(timeoutMs, () => timeout.abort())
  try {
    return await get(httpUrl(url), {
      dispatcher: agent,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout.signal]),
      headers: { accept: 'text/html, text/*, application/json;q=0.9, */*;q=0.1', 'user-agent': 'agentry' },
    })
  } catch (error) {
    signal.throwIfAborted()
    if (timeout.signal.aborted) throw failed(url, `no answer within ${timeoutMs} ms`, error)
    throw refusalIn(error) ?? failed(url, reasonOf(error), error)
  } finally {
    timer.cancel()
    await agent.destroy()
  }
}

/** A URL that may be fetched. Throws `invalid_input`. */
function httpUrl(text: string): URL {
  const url = URL.parse(text)
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new AgentryError(
      'invalid_input',
      `expected a URL of http or https, received ${JSON.stringify(text)}`,
    )
  }
  if (url.username !== '' || url.password !== '') {
    throw new AgentryError('invalid_input', 'expected a URL without a user name and password')
  }
  return url
}

async function get(url: URL, init: Parameters<typeof fetch>[1]): Promise<FetchedPage> {
  const response = await fetch(url, init)
  const { status, headers } = response
  const location = headers.get('location')
  if (status < 300 || status >= 400 || location === null) return read(response, url)
  await response.body?.cancel()
  const target = URL.parse(location, url.href)?.href ?? location
  return {
    url: url.href,
    status,
    contentType: headers.get('content-type') ?? '',
    text: `[redirects to ${target}: it was not followed; to go on, fetch that URL]`,
    cut: false,
  }
}

async function read(response: Response, url: URL): Promise<FetchedPage> {
  const contentType = response.headers.get('content-type') ?? ''
  const page = { url: url.href, status: response.status, contentType }
  if (contentType !== '' && !TEXT_TYPES.test(contentType.toLowerCase())) {
    await response.body?.cancel()
    const size = response.headers.get('content-length')
    return { ...page, text: `[no text: ${contentType}${size === null ? '' : `, ${size} bytes`}]`, cut: false }
  }
  const { bytes, cut } = await readBody(response)
  const text = decoderOf(contentType).decode(bytes)
  return {
    ...page,
    text: /^(text\/html|application\/xhtml)/i.test(contentType) ? htmlToText(text) : text,
    cut,
  }
}

async function readBody(response: Response): Promise<{ bytes: Buffer; cut: boolean }> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    if (!(chunk instanceof Uint8Array)) continue
    chunks.push(chunk)
    length += chunk.length
    // Leaving the loop cancels what is still to come.
    if (length > MAX_BODY_BYTES) break
  }
  return { bytes: Buffer.concat(chunks).subarray(0, MAX_BODY_BYTES), cut: length > MAX_BODY_BYTES }
}

function decoderOf(contentType: string): TextDecoder {
  const charset = /charset="?([\w.:-]+)/i.exec(contentType)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(charset)
  } catch {
    return new TextDecoder()
  }
}

/** undici wraps what its connector says, more than once where several addresses were tried. */
function refusalIn(error: unknown, depth = 0): AgentryError | undefined {
  if (isAgentryError(error)) return error
  return error instanceof Error && depth < 5 ? refusalIn(error.cause, depth + 1) : undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error && error.cause !== undefined
    ? describeThrown(error.cause)
    : describeThrown(error)
}

function failed(url: string, why: string, cause: unknown): AgentryError {
  return new AgentryError('tool_failed', `${url}: ${why}`, { cause })
}
