/**
 * The dashboard on a terminal: frames out, keys and pastes in.
 *
 * M1  however it ends (`unmount`, an error, a signal that ends the process, `process.exit`), the terminal is left as it was found: raw
 *     mode and bracketed paste off, cursor shown, alternate screen left. Ink sees to it; a signal that has a listener of the
 *     program's own does not end the process, and that listener calls `unmount`.
 * M2  what throws, in drawing, in `getFrame` or in a listener of input, ends the dashboard and rejects `done`.
 * M3  after the end nothing is drawn and nobody hears of input.
 */
// Chooses React's build, so nothing of React may come before it: a .tsx would begin with an import of its own.
import { afterReact } from './production.ts'
import { render } from 'ink'
import { createElement, type ReactNode } from 'react'
import type { Frame } from '../model/frame.ts'
import type { Input } from '../model/input.ts'
import { Root } from './root.tsx'
import { painter } from './theme.ts'

afterReact()

const MAX_FRAMES_PER_SECOND = 60
const HOME_AND_ERASE = '\u001b[H\u001b[J'

export interface MountOptions {
  /** Both of a terminal. */
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
  /** What to show now: the same value as long as nothing changed. */
  readonly getFrame: () => Frame
  /** Calls `listener` after each change, until the function that it returns is called. */
  readonly subscribe: (listener: () => void) => () => void
  readonly onInput: (input: Extract<Input, { type: 'key' | 'paste' }>) => void
  /** The terminal's new size. `getFrame` gives a frame of it afterwards. */
  readonly onResize: (columns: number, rows: number) => void
}

export interface Mounted {
  /** Draws everything anew, whatever other programs wrote over it. */
  redraw(): void
  /** Idempotent. */
  unmount(): void
  /** Resolves after the end, when everything is written; rejects with what ended it. */
  readonly done: Promise<void>
}

export function mountDashboard(options: MountOptions): Mounted {
  const { stdin, stdout, env, onInput, onResize } = options
  const paint = painter(stdout.getColorDepth(env))
  let ended = false
  /** Said by `resize` before the listeners of its signal. */
  let isNewSize = false
  let failure: { readonly error: unknown } | undefined

  const end = (): void => {
    if (ended) return
    ended = true
    stdout.off('resize', resized)
    process.off('SIGWINCH', signalled)
    stdin.off('end', hungUp)
    instance.unmount()
  }
  const attempt = (step: () => void): void => {
    if (ended) return
    try {
      step()
    } catch (error) {
      failure ??= { error }
      end()
    }
  }
  const draw = (): void => instance.rerender(screen())
  const screen = (): ReactNode =>
    createElement(Root, { ...options, paint, onInput: (input) => attempt(() => onInput(input)) })
  const drawAnew = (): void => {
    instance.clear() // Ink forgets what it drew; where that was, it would have to guess.
    stdout.write(HOME_AND_ERASE)
    draw()
  }
  const resized = (): void =>
    attempt(() => {
      isNewSize = true
      onResize(stdout.columns, stdout.rows)
      // Between the change and this, frames were written for a size that the terminal did not have: it cut and scrolled them.
      drawAnew()
    })
  /** A terminal that was made smaller and at once as large as before has lost what was on it: Node says nothing of that. */
  const signalled = (): void => {
    if (!isNewSize) attempt(drawAnew)
    isNewSize = false
  }
  const hungUp = (): void =>
    attempt(() => {
      throw new Error('the terminal is gone')
    })

  // Before Ink's own listener, which draws at once: it finds the frame of the new size.
  stdout.on('resize', resized)
  process.on('SIGWINCH', signalled)
  stdin.on('end', hungUp)
  const instance = render(screen(), {
    stdin,
    stdout,
    alternateScreen: true,
    incrementalRendering: true,
    exitOnCtrlC: false,
    patchConsole: true,
    maxFps: MAX_FRAMES_PER_SECOND,
    // Ink would be silent wherever the environment names a CI, in a terminal too.
    interactive: true,
    isScreenReaderEnabled: env['INK_SCREEN_READER'] === 'true',
  })

  return {
    redraw: () => attempt(drawAnew),
    unmount: end,
    done: instance
      .waitUntilExit()
      .then(() => undefined)
      .finally(end)
      .then(() => {
        // oxlint-disable-next-line typescript/only-throw-error -- as it was thrown
        if (failure) throw failure.error
      }),
  }
}
