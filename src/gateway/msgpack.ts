/**
 * msgpack (https://github.com/msgpack/msgpack/blob/master/spec.md) for bodies that hold what JSON can say.
 *
 * The reading is our own: neither a length that a few bytes claim nor many tiny values may allocate gigabytes, and what JSON does not
 * have (binary, timestamps and other extensions) is refused rather than turned into something. Writing is msgpackr's.
 */
import { Packr } from 'msgpackr'
import { type Json, type JsonObject, MAX_JSON_DEPTH } from '../core/json.ts'
import { AgentryError } from '../errors.ts'
import { tooManyValues } from './body-limits.ts'

export const MSGPACK_TYPE = 'application/msgpack'

const packr = new Packr({ useRecords: false, variableMapSize: true })

/** A copy: what msgpackr gives is a view of its buffer. */
export function packMsgpack(value: unknown): Uint8Array<ArrayBuffer> {
  return new Uint8Array(packr.pack(value))
}

/**
 * Throws `invalid_input` for anything but one value that `assertJson` takes too, with at most `maxValues` values (keys are values) in it.
 */
export function unpackMsgpack(bytes: Uint8Array, maxValues: number): Json {
  const reader = new Reader(bytes, maxValues)
  const value = reader.value(0)
  if (!reader.atEnd()) throw invalid('the end of the body behind one value', 'more bytes')
  return value
}

class Reader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  readonly #maxValues: number
  #at = 0
  #values = 0

  constructor(bytes: Uint8Array, maxValues: number) {
    this.#bytes = bytes
    this.#maxValues = maxValues
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  atEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  value(depth: number): Json {
    if (depth > MAX_JSON_DEPTH) throw invalid(`at most ${MAX_JSON_DEPTH} levels of nesting`, 'more')
    this.#values += 1
    if (this.#values > this.#maxValues) throw tooManyValues(this.#maxValues)
    const type = this.#view.getUint8(this.#take(1))
    if (type < 0x80) return type
    if (type < 0x90) return this.#map(type & 0x0f, depth)
    if (type < 0xa0) return this.#array(type & 0x0f, depth)
    if (type < 0xc0) return this.#string(type & 0x1f)
    if (type >= 0xe0) return type - 0x100
    switch (type) {
      case 0xc0:
        return null
      case 0xc2:
        return false
      case 0xc3:
        return true
      case 0xca:
        return finite(this.#view.getFloat32(this.#take(4)))
      case 0xcb:
        return finite(this.#view.getFloat64(this.#take(8)))
      case 0xcc:
        return this.#view.getUint8(this.#take(1))
      case 0xcd:
        return this.#view.getUint16(this.#take(2))
      case 0xce:
        return this.#view.getUint32(this.#take(4))
      case 0xcf:
        return exact(this.#view.getBigUint64(this.#take(8)))
      case 0xd0:
        return this.#view.getInt8(this.#take(1))
      case 0xd1:
        return this.#view.getInt16(this.#take(2))
      case 0xd2:
        return this.#view.getInt32(this.#take(4))
      case 0xd3:
        return exact(this.#view.getBigInt64(this.#take(8)))
      case 0xd9:
        return this.#string(this.#view.getUint8(this.#take(1)))
      case 0xda:
        return this.#string(this.#view.getUint16(this.#take(2)))
      case 0xdb:
        return this.#string(this.#view.getUint32(this.#take(4)))
      case 0xdc:
        return this.#array(this.#view.getUint16(this.#take(2)), depth)
      case 0xdd:
        return this.#array(this.#view.getUint32(this.#take(4)), depth)
      case 0xde:
        return this.#map(this.#view.getUint16(this.#take(2)), depth)
      case 0xdf:
        return this.#map(this.#view.getUint32(this.#take(4)), depth)
      default:
        throw invalid('a value that JSON has too', `msgpack type 0x${type.toString(16)}`)
    }
  }

  /** The position of the next `length` bytes, which are then read over. */
  #take(length: number): number {
    const start = this.#at
    if (length > this.#bytes.length - start) throw invalid('a whole msgpack value', 'one that is cut off')
    this.#at += length
    return start
  }

  #string(length: number): string {
    const start = this.#take(length)
    try {
      return this.#text.decode(this.#bytes.subarray(start, start + length))
    } catch (cause) {
      throw invalid('text in UTF-8', 'other bytes', cause)
    }
  }

  /** Grows with what is there: `length` is only a claim. */
  #array(length: number, depth: number): Json[] {
    const items: Json[] = []
    for (let index = 0; index < length; index++) items.push(this.value(depth + 1))
    return items
  }

  #map(length: number, depth: number): JsonObject {
    const map: JsonObject = {}
    for (let index = 0; index < length; index++) {
      const key = this.value(depth + 1)
      if (typeof key !== 'string')
        throw invalid('text as the key of a map', key === null ? 'nil' : typeof key)
      if (key === '__proto__') throw invalid('no key named __proto__', '__proto__')
      map[key] = this.value(depth + 1)
    }
    return map
  }
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value
  throw invalid('a finite number', String(value))
}

function exact(value: bigint): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw invalid('a whole number of at most 53 bits', String(value))
}

function invalid(expected: string, received: string, cause?: unknown): AgentryError {
  return new AgentryError('invalid_input', `body: expected ${expected}, received ${received}`, {
    cause,
    data: { path: 'body', expected, received },
  })
}
