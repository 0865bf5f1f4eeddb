/** Why a request to a model failed, and what may be done about it. */
import { AISDKError, APICallError } from 'ai'
import { shortened } from '../../core/shortened.ts'
import { describeThrown } from '../../errors.ts'

export interface Failure {
  /** For a person: one line, at most MAX_REASON characters. */
  reason: string
  /** Of the HTTP answer, or of the error event in its stream. */
  status?: number
  /** The same request may succeed. */
  retryable: boolean
  /** How long the server wants to be left alone. */
  retryAfterMs?: number
  /** The conversation does not fit into the model. */
  contextTooLong: boolean
}

/** What a fault within an attempt is thrown as: an answer without an end, a silence that was too long. */
export class IncompleteAnswer extends Error {
  override readonly name = 'IncompleteAnswer'
}

const MAX_REASON = 400

/** What providers say where a conversation is too long: OpenAI, vLLM; Anthropic; Google; llama.cpp; LM Studio. */
const TOO_LONG =
  /context[_ -]?(length|window|size)|maximum context|prompt is too long|exceed context limit|too many (input )?tokens|input token count|request_too_large|reduce the length|context the overflows|tokens to keep from the initial prompt/i

/** No account has money for ever: OpenAI says so with the status of a rate limit. */
const OUT_OF_QUOTA = /insufficient_quota|exceeded your current quota|billing_hard_limit/i

/** Errors of the library that come before anything is sent: the same request fails the same way. */
const OF_THE_REQUEST = new Set([
  'AI_InvalidArgumentError',
  'AI_InvalidPromptError',
  'AI_InvalidMessageRoleError',
  'AI_LoadAPIKeyError',
  'AI_LoadSettingError',
  'AI_MessageConversionError',
  'AI_MissingToolResultsError',
  'AI_NoSuchModelError',
  'AI_UnsupportedFunctionalityError',
])

/** What was thrown by a request, or came as an error in its stream. `nowMs` is wall time, for a Retry-After that is a date. */
export function failureOf(error: unknown, nowMs: number): Failure {
  if (error instanceof IncompleteAnswer)
    return { reason: error.message, retryable: true, contextTooLong: false }
  if (APICallError.isInstance(error)) return ofCall(error, nowMs)
  if (AISDKError.isInstance(error)) {
    const status = numberAt(error, 'statusCode')
    const failure = ofStatus(status, error.message, '')
    return OF_THE_REQUEST.has(error.name) ? { ...failure, retryable: false } : failure
  }
  if (error instanceof Error) {
    const status = numberAt(error, 'statusCode')
    // Fetch's own errors are TypeErrors, as are mistakes: those have no cause that comes from the network.
    const ofNetwork = /fetch failed|terminated|socket|network/i.test(error.message)
    const failure = ofStatus(status, causeText(error), '')
    return status === undefined && !ofNetwork ? { ...failure, retryable: false } : failure
  }
  return ofEvent(error)
}

function ofCall(error: APICallError, nowMs: number): Failure {
  const body = error.responseBody ?? ''
  // A status below 400 means that the answer broke off, or was not of the kind that was asked for.
  const status = error.statusCode !== undefined && error.statusCode >= 400 ? error.statusCode : undefined
  const failure = ofStatus(status, causeText(error), body)
  const wait = retryAfterMs(error.responseHeaders, nowMs)
  return { ...failure, ...(wait !== undefined && { retryAfterMs: wait }) }
}

function ofStatus(status: number | undefined, message: string, body: string): Failure {
  const said = `${message} ${body}`
  const contextTooLong = (status === 400 || status === 413 || status === undefined) && TOO_LONG.test(said)
  const described = status === undefined ? message : `HTTP ${status}: ${message}`
  return {
    reason: oneLine(described),
    ...(status !== undefined && { status }),
    retryable: !contextTooLong && !OUT_OF_QUOTA.test(said) && (status === undefined || isRetryable(status)),
    contextTooLong,
  }
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500
}

/** An error event in a stream: `{message, type, code}`, as servers of chat completions send it. */
function ofEvent(error: unknown): Failure {
  if (typeof error !== 'object' || error === null) return ofStatus(undefined, describeThrown(error), '')
  const message: unknown = Reflect.get(error, 'message')
  const code: unknown = Reflect.get(error, 'code')
  const text = typeof message === 'string' && message !== '' ? message : JSON.stringify(error)
  const status = typeof code === 'number' && code >= 400 && code < 600 ? code : undefined
  const failure = ofStatus(status, text, JSON.stringify(error))
  const refused = /invalid_request|authentication|permission|not_found/.test(
    String(Reflect.get(error, 'type')),
  )
  return refused ? { ...failure, retryable: false } : failure
}

/** Of `retry-after-ms`, else of Retry-After: seconds, or a date. undefined where neither says anything. */
export function retryAfterMs(headers: Record<string, string> | undefined, nowMs: number): number | undefined {
  const exact = Number(headers?.['retry-after-ms'] ?? Number.NaN)
  if (Number.isFinite(exact) && exact >= 0) return exact
  const value = headers?.['retry-after']?.trim()
  if (value === undefined || value === '') return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return seconds >= 0 ? seconds * 1000 : undefined
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}

/** With the code of the system's error behind it: "fetch failed" alone says nothing. */
function causeText(error: Error): string {
  const code: unknown = error.cause instanceof Error ? Reflect.get(error.cause, 'code') : undefined
  const text = describeThrown(error)
  return typeof code === 'string' && !text.includes(code) ? `${text} (${code})` : text
}

function numberAt(value: object, key: string): number | undefined {
  const found: unknown = Reflect.get(value, key)
  return typeof found === 'number' ? found : undefined
}

function oneLine(text: string): string {
  return shortened(text.replace(/\s+/g, ' ').trim(), MAX_REASON)
}
