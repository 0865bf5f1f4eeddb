import { expect } from 'vitest'
import type { ErrorCode } from '../src/errors.ts'

/** For `toThrow` and `rejects.toThrow`: an error of that code whose message contains, or matches, `part`. */
export function errorWith(code: ErrorCode, part: string | RegExp = ''): Error {
  const message: unknown =
    typeof part === 'string' ? expect.stringContaining(part) : expect.stringMatching(part)
  return expect.objectContaining({ code, message }) as Error
}
