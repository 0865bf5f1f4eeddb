/**
 * One key from a terminal.
 *
 * K1  however it ends, the terminal is out of raw mode and nobody reads it before the promise settles; when `signal` aborts, before
 *     abort() returns.
 * K2  a key counts from `onReady` on: what was typed before the question could be read is no answer to it.
 * K3  a key is an answer alone: text that is pasted is none.
 */
import type { Clock } from '../../core/clock.ts'

/** What was typed ahead comes as soon as it is read. */
const TYPED_AHEAD_MS = 100
const CTRL_C = '\u0003'

export interface ReadKeyOptions<Key extends string> {
  keys: readonly Key[]
  signal: AbortSignal
  clock: Clock
  /** The place to say which keys there are. */
  onReady: () => void
}

/** What a terminal is read by. */
export type KeySource = Pick<NodeJS.ReadStream, 'setRawMode' | 'resume' | 'pause' | 'on' | 'off'>

/**
 * Resolves with the first of `keys` that is pressed, in either case; with `interrupt` for Ctrl-C; with undefined when `signal` aborts
 * or the terminal is gone.
 */
export async function readKey<Key extends string>(
  terminal: KeySource,
  { keys, signal, clock, onReady }: ReadKeyOptions<Key>,
): Promise<Key | 'interrupt' | undefined> {
  if (signal.aborted) return undefined
  const { promise, resolve } = Promise.withResolvers<Key | 'interrupt' | undefined>()
  let ready = false
  let done = false
  const settle = (key: Key | 'interrupt' | undefined): void => {
    if (done) return
    done = true
    timer.cancel()
    terminal.off('data', onData)
    terminal.off('end', onGone)
    terminal.off('error', onGone)
    signal.removeEventListener('abort', onGone)
    leaveRawMode(terminal)
    terminal.pause()
    resolve(key)
  }
  const onData = (chunk: Buffer | string): void => {
    const typed = chunk.toString()
    if (typed.includes(CTRL_C)) {
      settle('interrupt')
      return
    }
    const key = keys.find((one) => one === typed.toLowerCase())
    if (ready && key !== undefined) settle(key)
  }
  const onGone = (): void => settle(undefined)
  const timer = clock.setTimer(TYPED_AHEAD_MS, () => {
    ready = true
    onReady()
  })
  signal.addEventListener('abort', onGone, { once: true })
  terminal.on('end', onGone)
  terminal.on('error', onGone)
  try {
    terminal.setRawMode(true)
  } catch {
    settle(undefined) // The terminal is gone: its signal comes.
    return promise
  }
  terminal.on('data', onData)
  terminal.resume()
  return promise
}

function leaveRawMode(terminal: KeySource): void {
  try {
    terminal.setRawMode(false)
  } catch {
    // A terminal that is gone has no mode.
  }
}
