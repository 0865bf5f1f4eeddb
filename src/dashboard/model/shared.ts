/** What did not change is the same value again, so that nobody draws it. Pure. */

/**
 * `next` with every part that is equal to that part of `last` replaced by it, down to the whole: equal values give `last`. For plain
 * objects, arrays and primitives, without cycles. An object whose key is there with `undefined` differs from one without the key.
 */
export function shared<T>(last: T | undefined, next: T): T {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- equal to `next` in all parts
  return sharedPart(last, next) as T
}

function sharedPart(last: unknown, next: unknown): unknown {
  if (typeof next !== 'object' || typeof last !== 'object' || next === null || last === null) return next
  if (isList(next) && isList(last)) return sharedList(last, next)
  if (isFields(next) && isFields(last)) return sharedFields(last, next)
  return next
}

type Fields = Readonly<Record<string, unknown>>

function sharedList(last: readonly unknown[], next: readonly unknown[]): readonly unknown[] {
  const parts = next.map((part, index) => sharedPart(last[index], part))
  return parts.length === last.length && parts.every((part, index) => Object.is(part, last[index]))
    ? last
    : parts
}

function sharedFields(last: Fields, next: Fields): Fields {
  const parts = Object.entries(next).map(([key, part]): [string, unknown] => [
    key,
    Object.hasOwn(last, key) ? sharedPart(last[key], part) : part,
  ])
  const same = parts.every(([key, part]) => Object.hasOwn(last, key) && Object.is(part, last[key]))
  return same && parts.length === Object.keys(last).length ? last : Object.fromEntries(parts)
}

function isList(value: object): value is readonly unknown[] {
  return Array.isArray(value)
}

function isFields(value: object): value is Fields {
  return !Array.isArray(value)
}
