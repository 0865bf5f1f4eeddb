import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { SessionRecord } from '../../../src/core/record.ts'
import { bareEnvironment } from '../../fakes/bare-environment.ts'
import { until } from '../../fakes/until.ts'
import { noTerminalHere, type Terminal } from '../../terminal/terminal.ts'
import { BIN } from '../built-cli.ts'
import { dashboardIn, enter, isAlive, newFolder, ownerOf, startedIn } from './open-dashboard.ts'
import { agentOf, behaviorModule, teamOf } from './team-of.ts'

const reason = noTerminalHere()

function kill(folder: string): number {
  const owner = ownerOf(folder)
  if (owner === undefined) throw new Error('nobody owns the directory')
  process.kill(owner.pid, 'SIGKILL')
  return owner.pid
}

/** The messages that were accepted, as the session that is current has them, by asking the team that serves now. */
async function acceptedIn(folder: string, agentId: string): Promise<string[]> {
  const team = await teamOf(folder)
  const session = await (await agentOf(team, agentId)).currentSession()
  if (session === undefined) return []
  const records: SessionRecord[] = []
  for await (const record of team.follow(session.id)) {
    records.push(record)
    if (record.seq >= session.seq) break
  }
  await team.close()
  return records.flatMap((record) => (record.type === 'message.accepted' ? [record.input] : []))
}

/** The messages that the conversation shows, from its first row to its last. Each begins with `m`. */
function shownIn(terminal: Terminal): string[] {
  return terminal.screen().flatMap((row) => /│ *❯ (m\d+)\b/.exec(row)?.slice(1) ?? [])
}

/** Messages are entered without waiting, some of them while nobody is there; the last line is not entered. */
async function loseSupervisor(terminal: Terminal, folder: string): Promise<void> {
  for (const message of BEFORE) enter(terminal, message)
  await terminal.waitFor(/m14/)
  const pid = kill(folder)
  await terminal.waitFor('✗ down', 'the loss to be said')
  expect(terminal.text()).toContain('no supervisor for')
  for (const message of MEANWHILE) enter(terminal, message)
  terminal.type('half a line')
  await terminal.waitFor('● up', 'the supervisor to be back')
  await until('a new owner', () => ![undefined, pid].includes(ownerOf(folder)?.pid))
}

const BEFORE = ['m10', 'm11', 'm12', 'm13', 'm14']
const MEANWHILE = ['m20', 'm21']

describe.skipIf(reason !== undefined)(
  `a supervisor that dies under the dashboard${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    test.each(['its own', 'one that it found'])(
      '%s: it says so, is back, and has every message once and in order',
      async (whose) => {
        const folder = newFolder()
        let keeper: ReturnType<typeof spawn> | undefined
        if (whose === 'one that it found') {
          keeper = spawn(process.execPath, [BIN, 'serve', '--keep', '--port', '0'], {
            cwd: folder,
            env: bareEnvironment(),
            stdio: 'ignore',
          })
          await (await teamOf(folder)).close()
        }
        const args = keeper === undefined ? ['--port', '0'] : ['attach']
        const terminal = await startedIn({ folder, args, columns: 80, rows: 60 })
        try {
          enter(terminal, '/spawn notes echo')
          await terminal.waitFor('✓ spawned')
          enter(terminal, '/agent notes')
          await terminal.waitFor('notes ❯')
          await loseSupervisor(terminal, folder)
          await terminal.waitFor('notes ❯ half a line')
          terminal.press('ctrl+c')
          enter(terminal, 'm99')
          await until('all of them', async () => (await acceptedIn(folder, 'notes')).includes('m99'))
          const all = [...BEFORE, ...MEANWHILE, 'm99']
          expect(await acceptedIn(folder, 'notes'), 'once and in order').toEqual(all)
          // One that is being sent shows too, and its record may come a moment after its answer.
          await terminal.waitFor(() => !terminal.text().includes('(sending…)'), 'all of them settled')
          await terminal.waitFor(() => shownIn(terminal).length >= all.length, 'all of them')
          expect(shownIn(terminal)).toEqual(all)
        } finally {
          if (keeper !== undefined) {
            keeper.kill('SIGTERM')
            await until('the end of the keeper', () => keeper.exitCode !== null || keeper.signalCode !== null)
          }
        }
      },
    )

    test('an allocation that takes the process is said, and over within seconds', async () => {
      const folder = newFolder()
      const terminal = await startedIn({ folder, args: ['--port', '0'] })
      const team = await teamOf(folder)
      await team.spawn({ id: 'huge', behavior: behaviorModule('huge-array'), limits: { memoryMb: 32 } })
      await team.close()
      enter(terminal, 'echo acknow""ledged')
      await terminal.waitFor('│ acknowledged')
      enter(terminal, '/agent huge')
      await terminal.waitFor('huge ❯')
      const before = ownerOf(folder)
      enter(terminal, 'split 1.4e8')
      await terminal.waitFor('✗ down', 'the loss to be said')
      await terminal.waitFor('● up', 'the supervisor to be back', 10_000)
      expect(before !== undefined && isAlive(before.pid)).toBe(false)
      await terminal.waitFor(/is back/)
      await terminal.waitFor('interrupted')
      enter(terminal, '/agent ops')
      await terminal.waitFor('│ acknowledged')
      enter(terminal, 'echo go""es on')
      await terminal.waitFor('│ goes on')
    })

    test('a dashboard that has never reached its team says so', async () => {
      const folder = newFolder()
      const terminal = dashboardIn({ folder, args: ['attach'] })
      expect(await terminal.exited).not.toEqual({ code: 0 })
      expect(terminal.text()).toContain('nobody serves')
      expect(terminal.alternateScreen).toBe(false)
    })
  },
)
