import { expect, test, describe } from 'vitest'
import { noTerminalHere } from '../../terminal/terminal.ts'
import { newFolder, startedIn } from './open-dashboard.ts'
import { agentOf, behaviorModule, teamOf } from './team-of.ts'

const reason = noTerminalHere()
const STEPS = 10_000

describe.skipIf(reason !== undefined)(`a long session${reason === undefined ? '' : ` (${reason})`}`, () => {
  test(
    `of ${STEPS} steps opens at its end, and is seen from its first record to its last`,
    { timeout: 120_000 },
    async () => {
      const folder = newFolder()
      const terminal = await startedIn({ folder, args: ['--port', '0'] })
      const team = await teamOf(folder)
      await team.spawn({ id: 'walker', behavior: behaviorModule('many-steps') })
      const walker = await agentOf(team, 'walker')
      await walker.send(`steps ${STEPS}`)
      await team.close()
      terminal.type('/agent walker')
      terminal.press('enter')
      await terminal.waitFor('walker ❯')
      await terminal.waitFor(`step ${STEPS} of ${STEPS}`)
      terminal.press('pageup')
      await terminal.waitFor(() => !terminal.text().includes(`step ${STEPS} of`), 'an earlier page')
      terminal.press('esc')
      await terminal.waitFor('Tab next')
      terminal.press('l')
      terminal.press('l')
      terminal.press('g')
      await terminal.waitFor(`❯ steps ${STEPS}`, 'the first record', 60_000)
      expect(terminal.text()).toContain(`step 1 of ${STEPS}`)
      terminal.press('pagedown')
      await terminal.waitFor(() => !/step 1 of/.test(terminal.text()), 'a later page')
      terminal.press('G')
      await terminal.waitFor(`step ${STEPS} of ${STEPS}`)
      terminal.press('i')
      terminal.type('still quick')
      await terminal.waitFor('walker ❯ still quick')
    },
  )
})
