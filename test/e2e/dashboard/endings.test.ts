import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { bareEnvironment } from '../../fakes/bare-environment.ts'
import { until } from '../../fakes/until.ts'
import { noTerminalHere, openTerminal, type Terminal } from '../../terminal/terminal.ts'
import { BIN, startCli } from '../built-cli.ts'
import { CLEAN, enter, isAlive, leftovers, newFolder, ownerOf, startedIn } from './open-dashboard.ts'
import { teamOf } from './team-of.ts'

const reason = noTerminalHere()

/** A shell with the dashboard in front: what it leaves is what a user's shell finds. */
async function inShell(folder: string): Promise<Terminal> {
  const shell = openTerminal({
    command: 'bash',
    args: ['--norc', '--noprofile', '-i'],
    cwd: folder,
    env: bareEnvironment({ HOME: folder, PS1: 'shell> ', HISTFILE: '' }),
  })
  await shell.waitFor('shell>')
  return shell
}

/** The processes of `pid`'s children. */
function childrenOf(pid: number): number[] {
  const { stdout } = spawnSync('pgrep', ['-P', String(pid)], { encoding: 'utf8' })
  return stdout.trim().split('\n').filter(Boolean).map(Number)
}

describe.skipIf(reason !== undefined)(
  `how the dashboard ends${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)(
      '%s from outside ends it and its supervisor in good order, with a turn that runs',
      async (signal) => {
        const folder = newFolder()
        const terminal = await startedIn({ folder })
        enter(terminal, 'sleep 1; echo fin""ished > done')
        await terminal.waitFor('● ops')
        const owner = ownerOf(folder)
        terminal.kill(signal)
        expect(await terminal.exited).toEqual({ code: 0 })
        expect(leftovers(terminal)).toEqual(CLEAN)
        expect(ownerOf(folder), 'ended in good order').toBeUndefined()
        expect(owner !== undefined && isAlive(owner.pid)).toBe(false)
        expect(spawnSync('cat', ['done'], { cwd: folder, encoding: 'utf8' }).stdout).toBe('finished\n')
      },
    )

    test('a killed front leaves no supervisor, and nothing unsaved', async () => {
      const folder = newFolder()
      const terminal = await startedIn({ folder })
      enter(terminal, 'echo acknow""ledged')
      await terminal.waitFor('│ acknowledged')
      const owner = ownerOf(folder)
      terminal.kill('SIGKILL')
      await terminal.exited
      await until('the end of its supervisor', () => owner !== undefined && !isAlive(owner.pid))
      expect(ownerOf(folder), 'ended in good order').toBeUndefined()
      const again = await startedIn({ folder })
      await again.waitFor('│ acknowledged')
    })

    test('a shell finds its screen and its modes as before, whichever signal ended the dashboard', async () => {
      const folder = newFolder()
      await using shell = await inShell(folder)
      enter(shell, 'stty -a > before; echo first""line')
      await shell.waitFor('firstline')
      for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT']) {
        enter(shell, `${process.execPath} ${BIN}`)
        await shell.waitFor('● up')
        const [front] = childrenOf(shell.pid)
        if (front === undefined) throw new Error('the shell has no child')
        process.kill(front, signal)
        await shell.waitFor(() => !shell.alternateScreen && shell.text().trimEnd().endsWith('shell>'))
        expect(shell.text()).toContain('firstline')
        enter(shell, `stty -a > after; cmp before after && echo sa""me ${signal}`)
        await shell.waitFor(`same ${signal}`)
        expect(leftovers(shell)).toMatchObject({ alternateScreen: false, cursorHidden: false })
      }
    })

    test('a terminal that is closed ends the dashboard and its supervisor', async () => {
      const folder = newFolder()
      const terminal = await startedIn({ folder })
      const owner = ownerOf(folder)
      const front = terminal.pid
      terminal.hangUp()
      await until('the end of the front', () => !isAlive(front))
      await until('the end of its supervisor', () => owner !== undefined && !isAlive(owner.pid))
      expect(ownerOf(folder), 'ended in good order').toBeUndefined()
    })

    test('serves without a screen where there is no terminal, and says so', async () => {
      const folder = newFolder()
      const child = startCli([], { cwd: folder })
      let said = ''
      child.stderr.on('data', (data) => (said += String(data)))
      child.stdout.on('data', (data) => (said += String(data)))
      const team = await teamOf(folder)
      expect(await team.agents()).toHaveLength(1)
      await team.close()
      expect(said).toContain('standard input is no terminal: serving without the dashboard')
      expect(said).not.toContain('\u001b')
      child.kill('SIGTERM')
      await until('its end', () => child.exitCode === 0)
    })

    test('serves without a screen on a dumb terminal, and says so', async () => {
      const folder = newFolder()
      await using terminal = openTerminal({
        command: 'env',
        args: ['TERM=dumb', process.execPath, BIN],
        cwd: folder,
        env: bareEnvironment({ HOME: folder }),
      })
      await terminal.waitFor('TERM is dumb: serving without the dashboard')
      await (await teamOf(folder)).close()
      terminal.press('ctrl+c')
      expect(await terminal.exited).toEqual({ code: 0 })
      expect(terminal.output).not.toContain('\u001b')
    })
  },
)
