import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RemoteTeam } from '../../../src/client/remote-team.ts'
import { noTerminalHere, type Terminal } from '../../terminal/terminal.ts'
import { type Served, startServe } from '../built-serve.ts'
import { enter, startedIn } from './open-dashboard.ts'
import { agentOf, teamOf } from './team-of.ts'

const reason = noTerminalHere()

const BEHAVIOR = new URL('../../../dist/src/behavior.js', import.meta.url).href

/** Gives the team three agents and a few sessions; resolves with the id of gamma, the current one of ops. */
async function furnish(team: RemoteTeam): Promise<string> {
  await team.spawn({ id: 'coder', behavior: 'shell' })
  await team.spawn({ id: 'notes', behavior: 'echo' })
  const ops = await agentOf(team, 'ops')
  for (const name of ['alpha', 'beta']) await ops.createSession({ name })
  const { id } = await ops.createSession({ name: 'gamma' })
  await ops.send('seq 1 300')
  return id
}

/** The focus in the panes. A key right behind Esc would read as that key with Alt. */
async function toPanes(terminal: Terminal): Promise<void> {
  terminal.press('esc')
  await terminal.waitFor('Tab next')
}

const gone = (terminal: Terminal, text: string): Promise<void> =>
  terminal.waitFor(() => !terminal.text().includes(text), `no ${text}`)

describe.skipIf(reason !== undefined)(
  `keys of the dashboard${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    describe.each([
      [80, 24],
      [200, 60],
    ])('at %i x %i', (columns, rows) => {
      // One team for all: what keys do is shown by the dashboard, and each test has one of its own.
      let served: Served
      let team: RemoteTeam
      let gamma: string

      beforeAll(async () => {
        served = await startServe({ logLevel: 'warn' })
        team = await teamOf(served.cwd)
        gamma = await furnish(team)
      })

      afterAll(async () => {
        await team.close()
        await served.stop()
      })

      /** Gamma is current, whatever the tests before have loaded. */
      async function attached(): Promise<Terminal> {
        await (await agentOf(team, 'ops')).loadSession(gamma)
        const terminal = await startedIn({ folder: served.cwd, columns, rows, args: ['attach'] })
        await terminal.waitFor('ops ❯')
        return terminal
      }

      test('move the focus and the choice', async () => {
        const terminal = await attached()
        await toPanes(terminal)
        terminal.press('j')
        await terminal.waitFor('coder ❯')
        terminal.press('down')
        await terminal.waitFor('notes ❯')
        terminal.press('k')
        await terminal.waitFor('coder ❯')
        terminal.press('G')
        await terminal.waitFor('notes ❯')
        terminal.press('g')
        await terminal.waitFor('ops ❯')
        terminal.press('up')
        terminal.press('end')
        await terminal.waitFor('notes ❯')
        terminal.press('home')
        await terminal.waitFor('ops ❯')
        terminal.press('l')
        await terminal.waitFor('Sessions of ops')
        terminal.press('a')
        await terminal.waitFor('Sessions of all agents')
        terminal.press('a')
        await terminal.waitFor('Sessions of ops')
        terminal.press('j')
        terminal.press('j')
        terminal.press('enter')
        await terminal.waitFor('alpha')
        terminal.press('h')
        terminal.press('left')
        terminal.press('shift+tab')
        await terminal.waitFor('Enter send')
        terminal.press('tab')
        await terminal.waitFor('Tab next')
        terminal.press('enter')
        await terminal.waitFor('Enter send')
      })

      test('scroll the conversation, and fold what tools gave', async () => {
        const terminal = await attached()
        await terminal.waitFor('│ 300')
        await toPanes(terminal)
        terminal.press('right')
        terminal.press('right')
        terminal.press('x')
        await terminal.waitFor(/│ 300\b/)
        terminal.press('g')
        await terminal.waitFor(/│ 1\b/)
        terminal.press('G')
        await terminal.waitFor(/│ 300\b/)
        terminal.press('pageup')
        await gone(terminal, '│ 300')
        terminal.press('pagedown')
        await terminal.waitFor(/│ 300\b/)
        terminal.press('k')
        terminal.press('j')
        await terminal.waitFor(/│ 300\b/)
        terminal.press('space')
        await gone(terminal, '│ 250')
      })

      test('open the palette, the session picker, the filter and the help, all discoverable', async () => {
        const terminal = await attached()
        terminal.press('ctrl+p')
        await terminal.waitFor(/Commands \(\d+\)/)
        terminal.type('fork')
        await terminal.waitFor('/session fork [name]')
        terminal.press('enter')
        await terminal.waitFor('ops ❯ /session fork')
        terminal.press('ctrl+c')
        terminal.press('ctrl+o')
        await terminal.waitFor('Open a session')
        terminal.type('alp')
        await terminal.waitFor('Open a session (1)')
        terminal.press('enter')
        await gone(terminal, 'Open a session')
        await terminal.waitFor('alpha')
        terminal.press('?')
        await terminal.waitFor('any other key closes')
        terminal.press('j')
        terminal.press('esc')
        await gone(terminal, 'any other key closes')
        await toPanes(terminal)
        terminal.press('f')
        terminal.type('cod')
        await terminal.waitFor('/cod')
        terminal.press('enter')
        await terminal.waitFor('coder ❯')
        terminal.press('p')
        await terminal.waitFor(/Commands \(\d+\)/)
        terminal.press('esc')
        await gone(terminal, 'Commands (')
        terminal.press('o')
        await terminal.waitFor('Open a session')
        terminal.press('esc')
        await gone(terminal, 'Open a session')
        terminal.press('/')
        await terminal.waitFor('coder ❯ /')
        terminal.press('backspace')
        terminal.press('?')
        await terminal.waitFor('any other key closes')
      })

      test('n and Ctrl-N find the agent that needs attention', async () => {
        writeFileSync(
          join(served.cwd, 'crasher.mjs'),
          `import { defineBehavior } from ${JSON.stringify(BEHAVIOR)}
export default defineBehavior({ run: () => process.exit(3) })
`,
        )
        const terminal = await attached()
        enter(terminal, '/spawn good')
        await terminal.waitFor('✓ spawned agent good')
        enter(terminal, `/spawn crasher ${join(served.cwd, 'crasher.mjs')}`)
        await terminal.waitFor('✓ spawned agent crasher')
        terminal.press('ctrl+n')
        await terminal.waitFor('no agent needs attention')
        enter(terminal, '/agent crasher')
        await terminal.waitFor('crasher ❯')
        enter(terminal, 'go')
        enter(terminal, '/agent ops')
        await terminal.waitFor('ops ❯')
        await terminal.waitFor('its last turn failed')
        await toPanes(terminal)
        terminal.press('n')
        await terminal.waitFor('crasher ❯')
        terminal.press('ctrl+n')
        await terminal.waitFor('no agent needs attention')
        for (const id of ['good', 'crasher']) await team.removeAgent(id)
      })

      test('the input line completes, recalls and edits', async () => {
        const terminal = await attached()
        enter(terminal, 'echo ear""lier')
        await terminal.waitFor('│ earlier')
        terminal.type('/sessi')
        terminal.press('tab')
        await terminal.waitFor('❯ /session')
        terminal.type(' lo')
        terminal.press('tab')
        await terminal.waitFor(/❯ \/session load$/m)
        terminal.type('al')
        terminal.press('tab')
        await terminal.waitFor('❯ /session load alpha')
        terminal.press('ctrl+u')
        await terminal.waitFor(/❯ *$/m)
        terminal.type('one two')
        terminal.press('alt+b')
        terminal.type('and ')
        await terminal.waitFor('❯ one and two')
        terminal.press('ctrl+w')
        terminal.press('ctrl+a')
        terminal.press('ctrl+k')
        terminal.press('up')
        await terminal.waitFor('❯ echo ear""lier')
        terminal.press('down')
        terminal.paste('echo a\necho b')
        await terminal.waitFor('echo b')
        terminal.press('enter')
        await terminal.waitFor(/│ a|a\n/)
      })

      test('Ctrl-C twice, Ctrl-D and q leave', async () => {
        for (const leave of [['ctrl+c', 'ctrl+c'], ['ctrl+d'], ['esc', 'q']]) {
          const terminal = await attached()
          for (const key of leave) {
            terminal.press(key)
            await terminal.waitFor(() => true)
            await new Promise((resolve) => setTimeout(resolve, 150))
          }
          expect(await terminal.exited).toEqual({ code: 0 })
        }
      })

      // The last: of the sessions that the others know it ends one.
      test('capitals change sessions and turns', async () => {
        const terminal = await attached()
        await toPanes(terminal)
        terminal.press('S')
        await terminal.waitFor('✓ suspended session gamma')
        terminal.press('l')
        await terminal.waitFor('Sessions of ops')
        terminal.press('g')
        terminal.press('R')
        await terminal.waitFor('✓ resumed session')
        terminal.press('G')
        terminal.press('L')
        await terminal.waitFor('✓ loaded session')
        terminal.press('T')
        await terminal.waitFor('[y/N]')
        terminal.press('x')
        await gone(terminal, '[y/N]')
        terminal.press('T')
        await terminal.waitFor('[y/N]')
        terminal.press('y')
        await terminal.waitFor('✓ terminated session')
        terminal.press('N')
        await terminal.waitFor('ops ❯ /sessions create')
        terminal.type('delta')
        terminal.press('enter')
        await terminal.waitFor('✓ created session delta')
        enter(terminal, 'sleep 100')
        await terminal.waitFor('● ops')
        await toPanes(terminal)
        terminal.press('C')
        await terminal.waitFor('✓ cancelled the turn of ops')
      })
    })
  },
)
