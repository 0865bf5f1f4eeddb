import { AgentryError } from '../errors.ts'

/** What JSON can say. Values of this type survive disk, threads and HTTP unchanged. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export type JsonObject = { [key: string]: Json }

/** Nesting that is accepted from outside: deeper values can overflow the stack of a parser or a printer. */
export const MAX_JSON_DEPTH = 64

/**
 * Checks that a value from outside is JSON that comes back exactly as it went in (but for -0, which comes back as 0).
 * Refused by name (`invalid_input`): functions, undefined, NaN, class instances, cycles or more than MAX_JSON_DEPTH
 * levels, a `__proto__` key, and text that is not well-formed Unicode (lone surrogates do not survive UTF-8).
 */
export function assertJson(value: unknown, path: string, depth = 0): asserts value is Json {
  const fault = faultOf(value, depth)
  if (fault !== undefined) throw invalid(`${path}${fault.path}`, fault.expected, fault.received)
}

interface Fault {
  /** From the value down to the part that is at fault: built on the way back up, so that sound values cost nothing. */
  path: string
  expected: string
  received: string
}

function faultOf(value: unknown, depth: number): Fault | undefined {
  if (depth > MAX_JSON_DEPTH) return faultHere(`at most ${MAX_JSON_DEPTH} levels of nesting`, 'more')
  if (value === null || typeof value === 'boolean') return undefined
  if (typeof value === 'string') return value.isWellFormed() ? undefined : faultHere(...LONE_SURROGATE)
  if (typeof value === 'number') {
    return Number.isFinite(value) ? undefined : faultHere('a finite number', String(value))
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const fault = faultOf(item, depth + 1)
      if (fault !== undefined) return { ...fault, path: `[${index}]${fault.path}` }
    }
    return undefined
  }
  if (typeof value !== 'object') return faultHere('JSON', typeof value)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    return faultHere('a plain object', 'a class instance')
  }
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') return faultHere('no key named __proto__', '__proto__')
    if (!key.isWellFormed()) return { ...faultHere(...LONE_SURROGATE), path: ' (key)' }
    const fault = faultOf(item, depth + 1)
    if (fault !== undefined) return { ...fault, path: `.${key}${fault.path}` }
  }
  return undefined
}

function faultHere(expected: string, received: string): Fault {
  return { path: '', expected, received }
}

const LONE_SURROGATE = ['well-formed Unicode text', 'text with a lone surrogate'] as const

/** Refuses text with lone surrogates: UTF-8 cannot hold them, so they would come back as something else. */
export function assertText(value: string, path: string): void {
  if (!value.isWellFormed()) throw invalid(path, ...LONE_SURROGATE)
}

function invalid(path: string, expected: string, received: string): AgentryError {
  return new AgentryError('invalid_input', `${path}: expected ${expected}, received ${received}`, {
    data: { path, expected, received },
  })
}
