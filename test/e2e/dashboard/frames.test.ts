import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { until } from '../../fakes/until.ts'
import { noTerminalHere, type Terminal } from '../../terminal/terminal.ts'
import { enter, newFolder, ownerOf, startedIn } from './open-dashboard.ts'
import { masked } from './masked-frame.ts'

const reason = noTerminalHere()
const FRAMES = join(dirname(fileURLToPath(import.meta.url)), 'frames')

const FRAME_ENDS = '\u001b[?2026l'
const QUIET_MS = 100

/** Between two frames: nothing of one is still on its way. */
async function atRest(terminal: Terminal): Promise<void> {
  await until('a screen at rest', async () => {
    const { length } = terminal.pieces
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS))
    return terminal.pieces.length === length && terminal.output.endsWith(FRAME_ENDS)
  })
}

async function holds(terminal: Terminal, name: string): Promise<void> {
  await atRest(terminal)
  await expect(masked(terminal.frameSnapshot())).toMatchFileSnapshot(join(FRAMES, `${name}.txt`))
}

async function gone(terminal: Terminal, text: string): Promise<void> {
  await terminal.waitFor(() => !terminal.text().includes(text), `no ${text}`)
}

describe.skipIf(reason !== undefined)(
  `the frames of the dashboard${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    test.each([
      [80, 24],
      [200, 60],
    ])('are as they were, at %i x %i', { timeout: 60_000 }, async (columns, rows) => {
      const size = `${columns}x${rows}`
      const folder = newFolder('/tmp') // As long a path everywhere: what stands behind it moves with it.
      const terminal = await startedIn({ folder, args: ['--port', '0'], columns, rows })
      const notice = async (line: string, said: string): Promise<void> => {
        enter(terminal, line)
        await terminal.waitFor(said)
      }
      await terminal.waitFor('has no current session')
      await holds(terminal, `first-run-${size}`)

      await notice('/spawn coder', '✓ spawned agent coder')
      await notice('/sessions create first', '✓ created session first')
      await notice('/sessions create second', '✓ created session second')
      await notice('/session terminate first', '[y/N]')
      await holds(terminal, `confirm-${size}`)
      terminal.press('y')
      await terminal.waitFor('✓ terminated session first')
      await notice('/sessions create "a third one"', '✓ created session a third one')
      await notice('echo well; seq 3', '│ 3')
      enter(terminal, 'echo not well >&2; exit 3')
      await terminal.waitFor(/✗ shell .*exit 3$/m)
      await terminal.waitFor('· 2 turns')
      await terminal.waitFor('○ ops')
      await notice('/session current', '✓ current:')
      await holds(terminal, `conversation-${size}`)

      enter(terminal, '/sessions')
      await terminal.waitFor(/Sessions of all agents[^]*■ terminated +first/)
      await holds(terminal, `sessions-${size}`)

      terminal.press('?')
      await terminal.waitFor('any other key closes')
      await holds(terminal, `help-${size}`)
      terminal.press('esc')
      await gone(terminal, 'any other key closes')

      terminal.press('ctrl+p')
      await terminal.waitFor(/Commands \(\d+\)/)
      terminal.type('sess')
      await terminal.waitFor(/❯ sess\b/)
      await holds(terminal, `palette-${size}`)
      terminal.press('esc')
      await gone(terminal, 'Commands (')

      terminal.press('ctrl+o')
      await terminal.waitFor(/Open a session \(3\)/)
      await holds(terminal, `picker-${size}`)
      terminal.press('esc')
      await gone(terminal, 'Open a session')

      terminal.press('i')
      const owner = ownerOf(folder)
      if (owner === undefined) throw new Error('nobody owns the directory')
      process.kill(owner.pid, 'SIGKILL')
      await terminal.waitFor(/no supervisor for[^]*and is started again[^]*✗ down/)
      await holds(terminal, `lost-${size}`)
    })
  },
)
