import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { DASHBOARD_PAGE, dashboardPage } from '../scripts/dashboard-page.ts'
import { ERRORS_PAGE, errorsPage } from '../scripts/errors-page.ts'

describe('the documentation', () => {
  it('lists every error code with its meaning (npm run docs:errors)', () => {
    expect(readFileSync(ERRORS_PAGE, 'utf8')).toBe(errorsPage())
  })

  it('lists every key and command of the dashboard (npm run docs:dashboard)', () => {
    const page = readFileSync(DASHBOARD_PAGE, 'utf8')
    expect(page).toBe(dashboardPage(page))
  })
})
