import { expect, onTestFinished, test } from 'vitest'
import { findChromium, openPage } from './browser.ts'
import { startServe } from './built-serve.ts'

test('the page of the routes works in a browser, with nothing from elsewhere', async ({ skip }) => {
  const chromium = findChromium() ?? skip('there is no Chromium on this machine')
  const served = await startServe()
  onTestFinished(async () => {
    await served.stop()
  })
  const page = await openPage(chromium, `${served.url}/docs`)
  onTestFinished(async () => page.close())

  // The dialog for the token is open already.
  await page.type('.auth-container input', served.token)
  await page.click('.auth-container .authorize')
  await page.click('.auth-container .btn-done')

  const run = async (operation: string): Promise<[status: string, body: string]> => {
    const at = `#operations-${operation}`
    await page.click(`${at} .opblock-summary-control`)
    // The button is there, and does nothing, before all of the operation is shown.
    await page.textOf(`${at} .responses-table`)
    await page.click(`${at} .execute`)
    const live = `${at} .live-responses-table .response`
    return [
      await page.textOf(`${live} .response-col_status`),
      await page.textOf(`${live} .response-col_description code`),
    ]
  }
  const [status, team] = await run('team-getTeam')
  expect([status, JSON.parse(team)]).toMatchObject(['200', { health: { status: 'ok' } }])
  // As the page proposes it.
  const [sent, outcome] = await run('messages-postAgentsAgentMessageOfDefaultAgent')
  expect([sent, JSON.parse(outcome)]).toMatchObject(['200', { status: 'completed', result: 'hello\n' }])

  expect(page.complaints).toEqual([])
  expect(
    page.requests.filter((url) => !url.startsWith(`${served.url}/`) && !url.startsWith('data:')),
  ).toEqual([])
  // The token stays in the page's memory.
  expect(
    await page.evaluate('document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })'),
  ).toBe('{}')
})
