import { z } from '@hono/zod-openapi'

/**
 * Clients of the original Agentry send keys that have no value: null for a map, and null or "" for a text. What `isNothing` is true for
 * is taken for left out.
 */
export function withoutNothings<T>(
  isNothing: (value: unknown, key: string) => boolean,
  schema: z.ZodType<T>,
): z.ZodType<T> {
  return z.preprocess((body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
    return Object.fromEntries(Object.entries(body).filter(([key, value]) => !isNothing(value, key)))
  }, schema)
}
