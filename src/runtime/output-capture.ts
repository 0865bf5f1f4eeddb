/**
 * Takes what the code of a thread prints (console.*, process.stdout, process.stderr) and makes it log envelopes, so that
 * nothing writes over the terminal of the supervisor and no flood of prints holds its event loop.
 *
 * O1  Per stream at most one envelope in INTERVAL_MS with at most MAX_CHARS in it; what comes beyond is counted, and the next
 *     envelope says how many bytes were dropped.
 * O2  Printing never blocks and never fails: writes answer true, their callbacks run on the next tick.
 * O3  Code that prints and never comes back to the event loop is heard all the same: a write that finds the interval over
 *     sends at once.
 *
 * Writes past the streams (fs.writeSync(1, …), a child process with inherited output) are not seen.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { FromAgent } from '../protocol/from-agent.ts'

type Log = Extract<FromAgent, { type: 'log' }>

const INTERVAL_MS = 50
const MAX_CHARS = 64 * 1024

export interface OutputCapture {
  /** Sends what was printed until now. */
  flush(): void
  /** Flushes, and gives the streams back. Idempotent. */
  release(): void
}

/** The streams whose `write` is taken over. */
export type Streams = Record<Log['stream'], { write: unknown }>

/**
 * Captures both streams of this thread. `send` gets the envelopes; `atOnce` is set where the code that printed may not come
 * back to the event loop, so that the envelope has to leave the thread before `send` returns.
 */
export function captureOutput(
  clock: Clock,
  send: (log: Log, atOnce: boolean) => void,
  streams: Streams = process,
): OutputCapture {
  const captures = (['stdout', 'stderr'] as const).map((name) =>
    captureStream(name, streams[name], clock, send),
  )
  return {
    flush: () => captures.forEach((capture) => capture.flush()),
    release: () => captures.forEach((capture) => capture.release()),
  }
}

function captureStream(
  name: Log['stream'],
  stream: { write: unknown },
  clock: Clock,
  send: (log: Log, atOnce: boolean) => void,
): OutputCapture {
  const decoder = new TextDecoder()
  let text = ''
  let droppedBytes = 0
  let sinceMs = 0
  let timer: Timer | undefined

  const flush = (atOnce: boolean): void => {
    timer?.cancel()
    timer = undefined
    if (text === '' && droppedBytes === 0) return
    const log: Log = { type: 'log', stream: name, text: text.toWellFormed(), droppedBytes }
    text = ''
    droppedBytes = 0
    send(log, atOnce)
  }
  const take = (printed: string): void => {
    const fits = printed.slice(0, MAX_CHARS - text.length)
    text += fits
    if (fits.length < printed.length) droppedBytes += Buffer.byteLength(printed.slice(fits.length))
    if (timer === undefined) {
      sinceMs = clock.monotonicMs()
      timer = clock.setTimer(INTERVAL_MS, () => flush(false))
    } else if (clock.monotonicMs() - sinceMs >= INTERVAL_MS) {
      flush(true)
    }
  }
  const capture = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    if (typeof chunk === 'string') take(chunk)
    else if (chunk instanceof Uint8Array) take(decoder.decode(chunk, { stream: true }))
    else throw new TypeError(`expected text or bytes to print, received ${typeof chunk}`)
    const done = typeof encoding === 'function' ? encoding : callback
    if (typeof done === 'function') process.nextTick(done)
    return true
  }

  const original = Object.getOwnPropertyDescriptor(stream, 'write')
  stream.write = capture
  return {
    flush: () => flush(false),
    release() {
      flush(false)
      if (stream.write !== capture) return
      if (original) Object.defineProperty(stream, 'write', original)
      else Reflect.deleteProperty(stream, 'write')
    },
  }
}
