import { execFileSync, spawnSync } from 'node:child_process'
import { afterEach, describe, expect, test } from 'vitest'
import { bareEnvironment } from '../../fakes/bare-environment.ts'
import { until } from '../../fakes/until.ts'
import { BIN } from '../built-cli.ts'
import { newFolder } from './open-dashboard.ts'

const missing = spawnSync('tmux', ['-V']).status === 0 ? undefined : 'tmux is not installed'

const sockets = new Set<string>()
afterEach(() => {
  for (const socket of sockets) spawnSync('tmux', ['-S', socket, 'kill-server'])
  sockets.clear()
})

/** A tmux server of this test alone, with one pane of a plain shell. */
function paneIn(folder: string): {
  tmux: (...args: string[]) => string
  shows: (text: string | RegExp) => Promise<true>
} {
  const socket = `${folder}/tmux`
  sockets.add(socket)
  const tmux = (...args: string[]): string =>
    execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: bareEnvironment({ HOME: folder, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' }),
      cwd: folder,
    })
  tmux('-u', 'new-session', '-d', '-x', '80', '-y', '24', `env PS1='shell> ' bash --norc --noprofile -i`)
  const shows = async (text: string | RegExp): Promise<true> => {
    let screen = ''
    try {
      return await until(String(text), () => {
        screen = tmux('capture-pane', '-p')
        return typeof text === 'string' ? screen.includes(text) : text.test(screen)
      })
    } catch (error) {
      throw new Error(`not in the pane: ${String(text)}\n${screen}`, { cause: error })
    }
  }
  return { tmux, shows }
}

describe.skipIf(missing !== undefined)(
  `the dashboard in tmux${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    test('starts, sends, follows the size of its window, and gives the shell back as it was', async () => {
      const folder = newFolder()
      const { tmux, shows } = paneIn(folder)
      const enter = (line: string): void => {
        tmux('send-keys', '-l', line)
        tmux('send-keys', 'Enter')
      }
      await shows('shell>')
      enter('stty -a | tail -n +2 > before; echo was""here')
      await shows('washere')
      enter(`${process.execPath} ${BIN} --port 0`)
      await shows('● up')
      enter('echo in $TERM""!')
      await shows(/│ in /)
      tmux('resize-window', '-x', '130', '-y', '40')
      await shows(/Sessions of ops/)
      tmux('resize-window', '-x', '50', '-y', '12')
      await shows('ops ❯')
      tmux('resize-window', '-x', '80', '-y', '24')
      await shows('● up')
      expect(tmux('capture-pane', '-p').split('\n')[23]).toContain('● up')
      enter('/quit')
      await shows(/^washere\n[^]*^shell> *\n*$/m)
      enter('stty -a | tail -n +2 > after; cmp before after && echo sa""ne')
      await shows('sane')
      const modes = tmux('display-message', '-p', '#{alternate_on} #{cursor_flag} #{mouse_any_flag}')
      expect(modes.trim()).toBe('0 1 0')
    })
  },
)
