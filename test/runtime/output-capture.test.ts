import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { captureOutput, type OutputCapture } from '../../src/runtime/output-capture.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

type Write = (chunk: string | Uint8Array, encoding?: string | (() => void), callback?: () => void) => boolean

let clock: SimulatedClock
let sent: { stream: string; text: string; droppedBytes: number; atOnce: boolean }[]
let streams: { stdout: { write: Write }; stderr: { write: Write } }
let capture: OutputCapture
/** Time that has passed without a turn of the event loop. */
let stuckMs: number

beforeEach(() => {
  clock = new SimulatedClock()
  sent = []
  streams = { stdout: { write: () => false }, stderr: { write: () => false } }
  stuckMs = 0
  capture = captureOutput(
    {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs() + stuckMs,
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
    },
    ({ stream, text, droppedBytes }, atOnce) => sent.push({ stream, text, droppedBytes, atOnce }),
    streams,
  )
})

afterEach(() => capture.release())

describe('what is printed', () => {
  test('is sent once per interval and stream, in the order it was printed', () => {
    streams.stdout.write('one ')
    streams.stderr.write('oops')
    streams.stdout.write('two')
    clock.advance(49)
    expect(sent).toEqual([])
    clock.advance(1)
    expect(sent).toEqual([
      { stream: 'stdout', text: 'one two', droppedBytes: 0, atOnce: false },
      { stream: 'stderr', text: 'oops', droppedBytes: 0, atOnce: false },
    ])
    clock.advance(1_000)
    expect(sent).toHaveLength(2)
    expect(clock.timers).toBe(0)
  })

  test('is sent from a loop that lets no timer fire, as soon as the interval is over', () => {
    streams.stdout.write('a')
    stuckMs = 49
    streams.stdout.write('b')
    expect(sent).toEqual([])
    stuckMs = 50
    streams.stdout.write('c')
    expect(sent).toEqual([{ stream: 'stdout', text: 'abc', droppedBytes: 0, atOnce: true }])
  })

  test('is dropped past 64 Ki characters an interval, and its bytes are counted', () => {
    streams.stdout.write('x'.repeat(65_535))
    streams.stdout.write('yé')
    streams.stdout.write('é'.repeat(10))
    clock.advance(50)
    expect(sent).toEqual([
      { stream: 'stdout', text: `${'x'.repeat(65_535)}y`, droppedBytes: 22, atOnce: false },
    ])
    streams.stdout.write('next')
    clock.advance(50)
    expect(sent[1]).toEqual({ stream: 'stdout', text: 'next', droppedBytes: 0, atOnce: false })
  })

  test('is well-formed text, also where a character is cut in two', () => {
    const euro = Buffer.from('€')
    streams.stdout.write(euro.subarray(0, 1))
    streams.stdout.write(euro.subarray(1))
    streams.stdout.write('\ud83d')
    capture.flush()
    expect(sent).toEqual([{ stream: 'stdout', text: '€\ufffd', droppedBytes: 0, atOnce: false }])
  })
})

describe('a captured stream', () => {
  test('answers true and calls back on a later tick, wherever the callback stands', async () => {
    const called: string[] = []
    expect(streams.stdout.write('a', () => called.push('second argument'))).toBe(true)
    expect(streams.stdout.write('a', 'utf8', () => called.push('third argument'))).toBe(true)
    expect(called).toEqual([])
    await new Promise((resolve) => setImmediate(resolve))
    expect(called).toEqual(['second argument', 'third argument'])
  })

  test('refuses what is neither text nor bytes', () => {
    expect(() => streams.stdout.write(null as unknown as string)).toThrow(TypeError)
  })

  test('is given back at release, after what was printed is sent', () => {
    streams.stderr.write('last words')
    capture.release()
    capture.release()
    expect(sent).toEqual([{ stream: 'stderr', text: 'last words', droppedBytes: 0, atOnce: false }])
    expect(streams.stderr.write('to the real one')).toBe(false)
    expect(clock.timers).toBe(0)
  })
})
