import { describe, expect, test } from 'vitest'
import { noTerminalHere } from '../../terminal/terminal.ts'
import {
  CLEAN,
  dashboardIn,
  enter,
  isAlive,
  leftovers,
  newFolder,
  ownerOf,
  startedIn,
} from './open-dashboard.ts'

const reason = noTerminalHere()

describe.skipIf(reason !== undefined)(
  `the dashboard in a terminal${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    describe.each([
      [80, 24],
      [200, 60],
    ])('of %i x %i', (columns, rows) => {
      test('a first run explains itself, a message runs a real command, and a second run shows everything as it was', async () => {
        const folder = newFolder()
        const terminal = await startedIn({ folder, columns, rows })
        await terminal.waitFor('Type a message')
        await terminal.waitFor('ops ❯')
        enter(terminal, 'echo hel""lo from $((40+2))')
        await terminal.waitFor('hello from 42')
        const owner = ownerOf(folder)
        enter(terminal, '/quit')
        expect(await terminal.exited).toEqual({ code: 0 })
        expect(leftovers(terminal)).toEqual(CLEAN)
        expect(ownerOf(folder), 'the supervisor that it started has ended').toBeUndefined()
        expect(owner !== undefined && isAlive(owner.pid)).toBe(false)

        const again = await startedIn({ folder, columns, rows })
        await again.waitFor('hello from 42')
        again.press('up')
        await again.waitFor('❯ /quit')
        again.press('up')
        await again.waitFor('❯ echo hel""lo')
      })

      test('each command of sessions', async () => {
        const folder = newFolder()
        const terminal = await startedIn({ folder, columns, rows })
        enter(terminal, '/session current')
        await terminal.waitFor('ops has no current session')
        enter(terminal, '/sessions create work-session "Development work"')
        await terminal.waitFor(/✓ created session work-session \([0-9a-f-]{13}\) of ops/)
        enter(terminal, '/session current')
        await terminal.waitFor(/✓ current: session work-session .*active, 0 turns/)
        enter(terminal, 'cd / && pwd')
        await terminal.waitFor('● shell')
        enter(terminal, '/session save')
        await terminal.waitFor('✓ saved session work-session')
        enter(terminal, '/session rename "other name"')
        await terminal.waitFor('✓ renamed session other name')
        enter(terminal, '/session fork branch')
        await terminal.waitFor('✓ forked into session branch')
        enter(terminal, '/session suspend')
        await terminal.waitFor('✓ suspended session other name')
        enter(terminal, '/sessions list ops')
        await terminal.waitFor('Sessions of ops')
        await terminal.waitFor(/‖ suspended +other name/)
        await terminal.waitFor(/‖ suspended +branch/)
        terminal.press('G') // The row that is chosen has the colours of that.
        await terminal.waitFor(() => terminal.styleOf('‖ suspended').foreground !== 'default')
        expect(terminal.styleOf('‖ suspended').foreground).toBe('ansi:3')
        terminal.press('i')
        enter(terminal, '/session resume "other name"')
        await terminal.waitFor('✓ resumed session other name')
        enter(terminal, '/sessions')
        await terminal.waitFor('Sessions of all agents')
        await terminal.waitFor(/● active \* +other name/)
        terminal.press('G') // The row that is chosen has the colours of that.
        await terminal.waitFor(() => terminal.styleOf('● active').foreground !== 'default')
        expect(terminal.styleOf('● active').foreground).toBe('ansi:2')
        terminal.press('i')
        enter(terminal, '/session load branch')
        await terminal.waitFor('✓ loaded session branch')
        enter(terminal, '/session terminate')
        await terminal.waitFor('Terminate session branch of ops?')
        await terminal.waitFor('[y/N]')
        terminal.press('n')
        await terminal.waitFor(() => !terminal.text().includes('[y/N]'), 'the question to be gone')
        enter(terminal, '/session terminate')
        await terminal.waitFor('[y/N]')
        terminal.press('y')
        await terminal.waitFor('✓ terminated session branch')
        enter(terminal, '/sessions')
        await terminal.waitFor(/■ terminated +branch/)
        terminal.press('G') // The row that is chosen has the colours of that.
        await terminal.waitFor(() => terminal.styleOf('■ terminated').foreground !== 'default')
        expect(terminal.styleOf('■ terminated').foreground).toBe('ansi:8')
        terminal.press('i')
        enter(terminal, '/session load nothing-of-the-kind')
        await terminal.waitFor('received "nothing-of-the-kind"')
        await terminal.waitFor('❯ /session load nothing-of-the-kind')
        terminal.press('ctrl+c')
        enter(terminal, '/sesion load x')
        await terminal.waitFor('did you mean')
      })

      test('each command of agents', async () => {
        const folder = newFolder()
        const terminal = await startedIn({ folder, columns, rows })
        enter(terminal, '/spawn coder')
        await terminal.waitFor('✓ spawned agent coder (shell)')
        enter(terminal, '/agent coder')
        await terminal.waitFor('coder ❯')
        enter(terminal, 'sleep 100')
        await terminal.waitFor(/● coder/)
        enter(terminal, '/cancel')
        await terminal.waitFor('✓ cancelled the turn of coder')
        await terminal.waitFor('cancelled')
        enter(terminal, '/stop coder')
        await terminal.waitFor('✓ stopped agent coder')
        await terminal.waitFor('■ coder')
        enter(terminal, 'pwd')
        await terminal.waitFor('✗ not sent')
        await terminal.waitFor('coder ❯ pwd')
        terminal.press('ctrl+c')
        enter(terminal, '/restart')
        await terminal.waitFor('✓ restarted agent coder')
        enter(terminal, '/agents')
        await terminal.waitFor(/[○·] coder/)
        terminal.press('i')
        enter(terminal, '/help')
        await terminal.waitFor('any other key closes')
        await terminal.waitFor('At the input line')
        terminal.press('esc')
        await terminal.waitFor(() => !terminal.text().includes('any other key closes'), 'the help to be gone')
        enter(terminal, '/detach')
        expect(await terminal.exited).toEqual({ code: 0 })
        expect(leftovers(terminal)).toEqual(CLEAN)
        const owner = ownerOf(folder)
        expect(owner !== undefined && isAlive(owner.pid), 'the supervisor goes on').toBe(true)

        const attached = dashboardIn({ folder, columns, rows, args: ['attach'] })
        await attached.waitFor('● up')
        enter(attached, '/quit')
        expect(await attached.exited).toEqual({ code: 0 })
        expect(owner !== undefined && isAlive(owner.pid), 'one that was found goes on').toBe(true)
      })
    })
  },
)
