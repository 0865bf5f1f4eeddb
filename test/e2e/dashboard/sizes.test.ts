import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noTerminalHere, type Terminal } from '../../terminal/terminal.ts'
import { type Served, startServe } from '../built-serve.ts'
import { dashboardIn, enter, newFolder, startedIn } from './open-dashboard.ts'
import { behaviorModule, teamOf } from './team-of.ts'

const reason = noTerminalHere()

/** Ages, activity and sizes go on; the rest of two screens of one team is the same. */
function still(terminal: Terminal): string[] {
  return terminal.screen().map((row) =>
    row
      .replaceAll(/[▁▂▃▄▅▆▇█]/g, ' ')
      .replaceAll(/ *\d+[smh]\b/g, '')
      .replaceAll(/[\d.]+ ?[KM]?B( memory)?/g, '')
      .replaceAll(/ +\d+%/g, '')
      .replaceAll(/ {2,}/g, '  ')
      .trimEnd(),
  )
}

/** The columns in which each row has a border between panes. */
function bordersOf(terminal: Terminal, from: number, to: number): Set<string> {
  const found = new Set<string>()
  for (let y = from; y < to; y++) {
    const row = Array.from({ length: terminal.emulator.columns }, (_, x) => terminal.cellAt(x, y).text)
    found.add(`${row.indexOf('│')}`)
  }
  return found
}

describe.skipIf(reason !== undefined)(
  `the dashboard's size and width${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    // The team behind most of the dashboards: what a terminal shows is what they are about.
    let served: Served

    beforeAll(async () => {
      served = await startServe({ logLevel: 'warn' })
    })

    afterAll(async () => {
      await served.stop()
    })

    async function attached(): Promise<Terminal> {
      const terminal = await startedIn({ folder: served.cwd, args: ['attach'] })
      await terminal.waitFor('ops ❯')
      return terminal
    }

    test('a terminal of one cell is too small, and grows back', async () => {
      const terminal = await attached()
      enter(terminal, 'echo be""fore')
      await terminal.waitFor('│ before')
      for (const [columns, rows] of [
        [1, 1],
        [2, 1],
        [1, 50],
        [19, 4],
        [20, 5],
        [59, 5],
        [300, 5],
      ] as const) {
        terminal.resize(columns, rows)
        enter(terminal, `echo at $((${columns}))x$((${rows}))`)
      }
      terminal.resize(80, 24)
      await terminal.waitFor('│ at 300x5')
      await terminal.waitFor('● up')
      expect(bordersOf(terminal, 0, 20)).toEqual(new Set(['24']))
    })

    test('starts in a terminal of one cell', async () => {
      const terminal = dashboardIn({ folder: newFolder(), columns: 1, rows: 1 })
      await terminal.waitFor(() => terminal.alternateScreen, 'the alternate screen')
      terminal.resize(80, 24)
      await terminal.waitFor('● up')
      await terminal.waitFor('ops ❯')
    })

    test('is whole after a storm of sizes while a turn streams', async () => {
      const terminal = await attached()
      enter(terminal, 'for i in $(seq 1 60); do echo line $i; sleep 0.02; done')
      await terminal.waitFor('line 2')
      for (let index = 0; index < 50; index++) {
        terminal.resize(20 + ((index * 37) % 180), 5 + ((index * 13) % 50))
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      terminal.resize(80, 24)
      await terminal.waitFor('│ line 60')
      enter(terminal, 'echo qui""et')
      await terminal.waitFor('│ quiet')
      const fresh = dashboardIn({ folder: served.cwd, args: ['attach'] })
      await fresh.waitFor('│ quiet')
      await fresh.waitFor('● up')
      await terminal.waitFor(
        () => still(terminal).join('\n') === still(fresh).join('\n'),
        still(fresh).join('\n'),
        5_000,
      )
    })

    test('wide characters move no border', async () => {
      const folder = newFolder()
      const terminal = await startedIn({ folder, columns: 130, rows: 30 })
      const team = await teamOf(folder)
      const ops = await team.agent('ops')
      for (const name of [
        '漢字の名前が長い場合はどうなるのでしょうか漢字漢字漢字',
        '👩‍👩‍👧‍👦 family 👍🏽 thumbs 🇩🇪 flag ❤️ heart',
        'e\u0301a\u0308o\u0302 combined n\u0303',
        'ไทย 한국어 조합 עברית',
        '１２３ ｆｕｌｌ ☕ ⚠️ ✈ ℹ️',
      ]) {
        await ops?.createSession({ name, description: name })
        await ops?.send(`echo '${name} ${name}'; echo '${'漢'.repeat(100)}'; echo '${'👩‍👩‍👧'.repeat(60)}'`)
      }
      await terminal.waitFor('漢漢漢')
      await terminal.waitFor(/Sessions of ops +5/)
      await terminal.waitFor(/│ １２３[^]*\(x unfolds\)/)
      await terminal.waitFor('○ ops')
      await terminal.waitFor(() => [...bordersOf(terminal, 0, 24)].join() === '58', 'a straight border')
      const before = still(terminal)
      terminal.press('ctrl+l')
      await new Promise((resolve) => setTimeout(resolve, 300))
      expect(still(terminal), 'what changed piece by piece is as what is drawn at once').toEqual(before)
      terminal.resize(80, 24)
      await terminal.waitFor(/^Agents +1 ?│/m)
      await terminal.waitFor(() => [...bordersOf(terminal, 0, 18)].join() === '24', 'a straight border')
      enter(terminal, '/sessions')
      await terminal.waitFor('STATUS')
      await terminal.waitFor('漢字の名前')
      await terminal.waitFor(() => [...bordersOf(terminal, 0, 18)].join() === '24', 'a straight border')
    })

    test.each(['console', 'emit', 'a shell'])(
      'keys answer and the frame is whole while %s floods',
      async (flood) => {
        const terminal = await attached()
        const team = await teamOf(served.cwd)
        await team.spawn({ id: 'greedy', behavior: behaviorModule('greedy') })
        const agentId = flood === 'a shell' ? 'ops' : 'greedy'
        enter(terminal, `/agent ${agentId}`)
        await terminal.waitFor(`${agentId} ❯`)
        enter(terminal, flood === 'a shell' ? 'yes flooding' : flood === 'console' ? 'output' : 'emit')
        await terminal.waitFor(`● ${agentId}`)
        for (const word of ['first', 'second', 'third']) {
          terminal.type(word)
          await terminal.waitFor(`${agentId} ❯ ${word}`, undefined, 2_000)
          terminal.press('ctrl+c')
          await terminal.waitFor(() => !terminal.text().includes(word), 'an empty line', 2_000)
        }
        expect(bordersOf(terminal, 0, 20)).toEqual(new Set(['24']))
        enter(terminal, '/cancel')
        await terminal.waitFor(`✓ cancelled the turn of ${agentId}`)
        enter(terminal, '/agent ops')
        await terminal.waitFor('ops ❯')
        enter(terminal, 'echo good as be""fore')
        await terminal.waitFor('│ good as before')
        await team.close()
      },
    )
  },
)
