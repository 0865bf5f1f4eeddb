import type { z } from '@hono/zod-openapi'

/** A key that is left out; JSON has no undefined. zod's exactOptional says the same, but the document would call such keys required. */
export function maybe<T extends z.ZodType>(schema: T): z.ZodExactOptional<T> {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the same but for undefined, which does not come out of JSON
  return schema.optional() as unknown as z.ZodExactOptional<T>
}

/** The schemas of all keys of T, those that can be left out by `maybe`. */
export type ShapeOf<T> = {
  [Key in keyof T]-?: object extends Pick<T, Key>
    ? z.ZodExactOptional<z.ZodType<Exclude<T[Key], undefined>>>
    : z.ZodType<T[Key]>
}
