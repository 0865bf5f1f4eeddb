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
  if (depth > MAX_JSON_DEPTH) throw invalid(path, `at most ${MAX_JSON_DEPTH} levels of nesting`, 'more')
  if (value === null || typeof value === 'boolean') return
  if (typeof value === 'string') return assertText(value, path)
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw invalid(path, 'a finite number', String(value))
    return
  }
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) assertJson(item, `${path}[${index}]`, depth + 1)
    return
  }
  if (typeof value === 'object') {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null)
      throw invalid(path, 'a plain object', 'a class instance')
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__') throw invalid(path, 'no key named __proto__', '__proto__')
      assertText(key, `${path} (key)`)
      assertJson(item, `${path}.${key}`, depth + 1)
    }
    return
  }
  throw invalid(path, 'JSON', typeof value)
}

/** Refuses text with lone surrogates: UTF-8 cannot hold them, so they would come back as something else. */
export function assertText(value: string, path: string): void {
  if (!value.isWellFormed()) throw invalid(path, 'well-formed Unicode text', 'text with a lone surrogate')
}

function invalid(path: string, expected: string, received: string): AgentryError {
  return new AgentryError('invalid_input', `${path}: expected ${expected}, received ${received}`, {
    data: { path, expected, received },
  })
}
