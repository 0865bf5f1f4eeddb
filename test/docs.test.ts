import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ERRORS_PAGE, errorsPage } from '../scripts/errors-page.ts'

describe('the documentation', () => {
  it('lists every error code with its meaning (npm run docs:errors)', () => {
    expect(readFileSync(ERRORS_PAGE, 'utf8')).toBe(errorsPage())
  })
})
