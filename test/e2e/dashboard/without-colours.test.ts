import { describe, expect, test } from 'vitest'
import { noTerminalHere } from '../../terminal/terminal.ts'
import { dashboardIn, enter, newFolder, startedIn } from './open-dashboard.ts'

const reason = noTerminalHere()
/** SGR parameters that choose a colour, of the text or behind it. */
const COLOURS = new RegExp(String.raw`\u001b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10[0-7])[;m]`)

describe.skipIf(reason !== undefined)(
  `the dashboard without colours${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    test('NO_COLOR: no colour at all, words and glyphs tell each status', async () => {
      const terminal = await startedIn({
        folder: newFolder(),
        args: ['--port', '0'],
        env: { NO_COLOR: '1' },
        columns: 130,
      })
      enter(terminal, 'false')
      await terminal.waitFor('✗ shell')
      for (const name of ['one', 'two']) {
        enter(terminal, `/sessions create ${name}`)
        await terminal.waitFor(`✓ created session ${name}`)
      }
      enter(terminal, '/session terminate one')
      await terminal.waitFor('[y/N]')
      terminal.press('y')
      await terminal.waitFor('✓ terminated session one')
      enter(terminal, '/sessions')
      for (const row of [/● active \* +two/, /■ terminated +one/, /‖ suspended +default/])
        await terminal.waitFor(row)
      terminal.press('?')
      await terminal.waitFor('any other key closes')
      expect(terminal.output).not.toMatch(COLOURS)
      expect(terminal.output, 'what is chosen still shows').toContain('\u001b[7m')
    })

    test('has colours where nothing forbids them', async () => {
      const terminal = await startedIn({ folder: newFolder(), args: ['--port', '0'] })
      expect(terminal.output).toMatch(COLOURS)
    })

    test('INK_SCREEN_READER: words below each other, without rules and panes side by side', async () => {
      const terminal = dashboardIn({
        folder: newFolder(),
        args: ['--port', '0'],
        env: { INK_SCREEN_READER: 'true' },
        rows: 50,
      })
      await terminal.waitFor('● up')
      enter(terminal, 'echo re""ad')
      await terminal.waitFor(/\bread$/m)
      const rows = terminal.screen().map((row) => row.trim())
      expect(rows.findIndex((row) => row.startsWith('Agents'))).toBeLessThan(
        rows.findIndex((row) => row.startsWith('default')),
      )
      expect(rows.filter((row) => row !== '').at(-1)).toContain('● up')
      expect(terminal.text()).not.toMatch(/[─━╭]/)
      expect(terminal.output).not.toMatch(COLOURS)
    })
  },
)
