import { describe, expect, test } from 'vitest'
import { type KeySource, readKey } from '../../../src/cli/approvals/read-key.ts'
import { SimulatedClock } from '../../fakes/simulated-clock.ts'
import { FakeTerminal } from './fake-terminal.ts'

function startReading() {
  const terminal = new FakeTerminal()
  const clock = new SimulatedClock()
  const ending = new AbortController()
  let shown = 0
  const source: unknown = terminal
  const key = readKey(source as KeySource, {
    keys: ['y', 'n'],
    signal: ending.signal,
    clock,
    onReady: () => (shown += 1),
  })
  return { terminal, clock, ending, key, shown: () => shown }
}

describe('a key', () => {
  test('is the first that has a meaning, in either case; the terminal is left as it was', async () => {
    const { terminal, clock, key } = startReading()
    clock.advance(100)
    for (const text of ['x', '\r', '\u001b[A', 'Y']) terminal.type(text)
    expect(await key).toBe('y')
    expect(terminal.modes).toEqual([true, false])
    expect(terminal.reads).toBe(false)
    expect(terminal.eventNames()).toEqual([])
  })

  test('that was typed before the question could be read is no answer', async () => {
    const { terminal, clock, key, shown } = startReading()
    terminal.type('y')
    expect(shown()).toBe(0)
    clock.advance(100)
    expect(shown()).toBe(1)
    terminal.type('n')
    expect(await key).toBe('n')
  })

  test('is not taken out of text that is pasted', async () => {
    const { terminal, clock, key } = startReading()
    clock.advance(100)
    terminal.type('yes please')
    terminal.type('n')
    expect(await key).toBe('n')
  })

  test('that is Ctrl-C interrupts at any time, out of raw mode', async () => {
    const { terminal, key } = startReading()
    terminal.type('\u0003')
    expect(terminal.modes).toEqual([true, false])
    expect(await key).toBe('interrupt')
  })

  test('is not waited for any more when the signal aborts, and raw mode is over before abort() returns', async () => {
    const { terminal, clock, ending, key, shown } = startReading()
    ending.abort()
    expect(terminal.modes).toEqual([true, false])
    clock.advance(1_000)
    expect(shown()).toBe(0)
    expect(await key).toBeUndefined()
  })

  test('never comes from a terminal that is gone', async () => {
    const { terminal, key } = startReading()
    terminal.emit('end')
    expect(await key).toBeUndefined()
  })
})
