import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { noTerminalHere } from '../../terminal/terminal.ts'
import { enter, newFolder, startedIn } from './open-dashboard.ts'
import { foreignIn } from './own-sequences.ts'
import { agentOf, behaviorModule, teamOf } from './team-of.ts'

const reason = noTerminalHere()

/** Each does something to a terminal; the words between them are what a reader should see. */
const ATTACKS = [
  '\u001b]8;;http://evil.invalid\u0007OSC8\u001b]8;;\u0007',
  '\u001b]52;c;RVZJTA==\u0007OSC52',
  '\u001b]0;EVILTITLE\u001b\\TITLE',
  '\u001b[35;5mSGR\u001b[0m',
  '\u001b[2J\u001b[1;1HCSI\u001b[6n\u001b[c\u001b[?1000h\u001b[?1049l',
  '\u001bPq#0EVILSIXEL\u001b\\DCS',
  '\u001b_GEVILAPC\u001b\\APC',
  '\u001b^EVILPM\u001b\\PM',
  '\u009b35mC1CSI',
  '\u009d52;c;RVZJTA==\u009cC1OSC',
  '\u0090EVILDCS\u009cC1DCS',
  '\u0007BEL\b\b\bBS',
  'over\rCR',
  '\u001bcRIS',
  '\u202eBIDI\u202c\u2066ISO\u2069',
  '\u000e\u000fSHIFT\u0000NUL\u007fDEL',
]
const HOSTILE = `${ATTACKS.join(' ')} END\u001b`
/** What a shell's printf makes of it. */
const PRINTF = Array.from(Buffer.from(HOSTILE), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')

describe.skipIf(reason !== undefined)(
  `what others wrote, on the terminal${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    test.each([
      [80, 24],
      [200, 60],
    ])(
      'names, texts, tools, errors, folders and pastes do nothing to it, at %i x %i',
      async (columns, rows) => {
        const folder = newFolder()
        const terminal = await startedIn({ folder, columns, rows })
        const team = await teamOf(folder)
        const evil = await team.spawn({ id: 'evil', behavior: behaviorModule('hostile-text') })
        enter(terminal, '/agent evil')
        await terminal.waitFor('evil ❯')
        const ops = await agentOf(team, 'ops')

        // Names and descriptions; the table shows them. Where the gateway refuses one, it is not there to be shown.
        for (const attack of ATTACKS) {
          await evil.createSession({ name: `named ${attack}`, description: attack }).catch(() => undefined)
        }
        await evil.createSession({ name: 'conversation' })
        for (const way of ['emit', 'tool', 'throw', 'console']) await evil.send(`${way} ${HOSTILE}`)
        await terminal.waitFor(/OSC52/)
        enter(terminal, 'emit after all')
        await terminal.waitFor('after all')
        terminal.press('pageup')
        terminal.press('pageup')
        enter(terminal, '/sessions')
        await terminal.waitFor('conversation')
        terminal.press('pagedown')
        terminal.press('i')

        // A shell that prints bytes and then works in a folder with such a name.
        const inside = join(folder, 'in\u001b]52;c;RVZJTA==\u0007\u001b[35mside')
        mkdirSync(inside)
        enter(terminal, '/agent ops')
        await terminal.waitFor('ops ❯')
        await ops.send(`printf '${PRINTF}'`)
        enter(terminal, `cd in* && pwd && ls /no$(printf '\\033[35m')where`)
        await terminal.waitFor('cannot access')
        enter(terminal, '/session current')
        await terminal.waitFor('✓ current:')

        // Errors of commands, what is pasted, what is completed and recalled.
        enter(terminal, '/session load evil')
        await terminal.waitFor('received "evil"')
        terminal.paste(`/session load ${HOSTILE.replaceAll('\r', ' ')}`)
        terminal.press('enter')
        await terminal.waitFor('✗')
        terminal.press('ctrl+c')
        terminal.paste(`echo ${HOSTILE}\nsecond`)
        await terminal.waitFor('second')
        terminal.press('ctrl+c')
        terminal.press('up')
        terminal.press('ctrl+c')
        terminal.press('ctrl+o')
        await terminal.waitFor('Open a session')
        terminal.type('named')
        await terminal.waitFor(/named/)
        terminal.press('esc')
        await terminal.waitFor(() => !terminal.text().includes('Open a session'), 'the picker to be gone')

        // A crash, whose reason is shown until somebody looks.
        await evil.send(`crash ${HOSTILE}`).catch(() => undefined)
        await terminal.waitFor(/evil/)
        enter(terminal, 'echo still""here')
        await terminal.waitFor('stillhere')
        expect(foreignIn(terminal.output)).toEqual([])
        expect(terminal.output).not.toMatch(/EVIL(?!SIXEL)|RVZJTA==(?!\\)/)
        expect(terminal.alternateScreen).toBe(true)
      },
    )
  },
)
