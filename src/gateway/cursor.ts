/** Pages of lists. A cursor names the last item of a page, so that what comes and goes before it moves nothing. Pure. */
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'

export const DEFAULT_LIMIT = 50
export const MAX_LIMIT = 500

export interface Page<T> {
  items: T[]
  /** Left out on the last page. */
  nextCursor?: string
}

/**
 * The page behind `cursor`, or the first one. `keyOf` gives an item's place in the order of the list: keys compare by their
 * parts, first to last, with `descending` for a list that has the highest first. Throws `invalid_input` for a cursor that no page gave.
 */
export function pageOf<T>(
  list: readonly T[],
  options: {
    limit: number
    cursor?: string | undefined
    keyOf: (item: T) => readonly string[]
    descending?: boolean
  },
): Page<T> {
  const { limit, cursor, keyOf, descending = false } = options
  const start = cursor === undefined ? 0 : firstBehind(list, parseCursor(cursor), keyOf, descending)
  const items = list.slice(start, start + limit)
  const last = items.at(-1)
  const isMore = last !== undefined && start + limit < list.length
  return { items, ...(isMore && { nextCursor: cursorOf(keyOf(last)) }) }
}

/** A key of numbers, as text that compares like them. */
export function numberKey(value: number): string {
  return String(value).padStart(16, '0')
}

function cursorOf(key: readonly string[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url')
}

const MAX_CURSOR = 1_024

function parseCursor(cursor: string): readonly string[] {
  if (cursor.length <= MAX_CURSOR && /^[\w-]+$/.test(cursor)) {
    try {
      const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
      if (Array.isArray(key) && key.every((part) => typeof part === 'string')) return key
    } catch {
      // Not JSON: no cursor of ours, as below.
    }
  }
  throw new AgentryError(
    'invalid_input',
    `cursor: expected the nextCursor of a page, received ${quote(cursor)}`,
    {
      data: { path: 'cursor' },
    },
  )
}

/** The list is sorted, so halving finds the place. */
function firstBehind<T>(
  list: readonly T[],
  key: readonly string[],
  keyOf: (item: T) => readonly string[],
  descending: boolean,
): number {
  let low = 0
  let high = list.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const item = list[middle]
    if (item === undefined) break
    const order = compare(keyOf(item), key) * (descending ? -1 : 1)
    if (order > 0) high = middle
    else low = middle + 1
  }
  return low
}

function compare(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index] ?? ''
    const right = b[index] ?? ''
    if (left !== right) return left < right ? -1 : 1
  }
  return 0
}
