/** How much a request may bring: by its own size, and with all that are being read at the same time. */
import { AgentryError } from '../errors.ts'

export interface BodyLimits {
  bytes: number
  /** Values in the body, keys included: many tiny ones take far more memory than their bytes. */
  values: number
}

const MIB = 1024 * 1024

export const MESSAGE_LIMITS: BodyLimits = { bytes: 8 * MIB, values: 100_000 }
export const IMPORT_LIMITS: BodyLimits = { bytes: 64 * MIB, values: 1_000_000 }

/** Of all bodies that are being read and parsed at one time, whoever sends them. */
export const MAX_BYTES_AT_ONCE: number = 128 * MIB

export function tooLarge(limit: number): AgentryError {
  return new AgentryError('body_too_large', `expected a body of at most ${limit} bytes, received more`, {
    data: { limit },
  })
}

export function tooManyValues(limit: number): AgentryError {
  const message = `expected a body with at most ${limit} values and keys, received more`
  return new AgentryError('body_too_large', message, { data: { values: limit } })
}

/** A number of bytes that all bodies share. */
export class ByteBudget {
  readonly #total: number
  #used = 0

  constructor(total: number) {
    this.#total = total
  }

  /** Throws `gateway_busy` where that many are not left. What is taken is given back with `free`. */
  take(bytes: number): void {
    if (this.#used + bytes > this.#total) {
      throw new AgentryError('gateway_busy', 'other requests bring as much as is read at one time')
    }
    this.#used += bytes
  }

  free(bytes: number): void {
    this.#used -= bytes
  }
}

const [QUOTE, BACKSLASH, COMMA, COLON, BRACKET, BRACE] = Buffer.from('"\\,:[{')

/**
 * Throws `body_too_large` for JSON with more values and keys than `limit`, before it is parsed. Of what is no JSON it says nothing.
 */
export function assertFewValues(json: Uint8Array, limit: number): void {
  let values = 1
  for (let at = 0; at < json.length; at++) {
    switch (json[at]) {
      case QUOTE:
        at = endOfString(json, at)
        break
      case COMMA:
      case COLON:
      case BRACKET:
      case BRACE:
        values += 1
        if (values > limit) throw tooManyValues(limit)
        break
      default:
    }
  }
}

/** The position of the quote that ends the string which begins at `start`. */
function endOfString(json: Uint8Array, start: number): number {
  let at = start + 1
  while (at < json.length && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1
  return at
}
