import { describe, expect, test } from 'vitest'
import { AgentryError } from '../../src/errors.ts'
import type { Outcome, TurnEvent } from '../../src/protocol/from-agent.ts'
import { MAX_CHARS_BEHIND, streamTurn } from '../../src/supervisor/turn-stream.ts'
import { errorWith } from '../error-with.ts'

const OUTCOME: Outcome = {
  status: 'completed',
  result: 'done',
  turnId: 'turn',
  taskId: 'task',
  agentId: 'a',
  sessionId: 'session',
}
const STARTED: TurnEvent = { type: 'turn-started', turnId: 'turn', sessionId: 'session', attempt: 1 }
const text = (length: number): TurnEvent => ({ type: 'text', text: 'x'.repeat(length) })

/** A stream whose turn the test plays; it is begun, and has read `turn-started`. */
async function begin() {
  const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
  let tell: ((event: TurnEvent) => void) | undefined
  const stream = streamTurn((onEvent) => {
    tell = onEvent
    return promise
  })
  const first = stream.next()
  const emit = (event: TurnEvent): void => tell?.(event)
  emit(STARTED)
  expect(await first).toEqual({ value: STARTED, done: false })
  return { stream, emit, finish: () => resolve(OUTCOME), fail: reject }
}

describe('the stream of a turn', () => {
  test('yields what happens in order, and the outcome last', async () => {
    const { stream, emit, finish } = await begin()
    const events: TurnEvent[] = [
      { type: 'tool-started', toolCallId: 'c', name: 'shell', input: { command: 'ls' } },
      text(3),
      { type: 'tool-finished', toolCallId: 'c', outcome: 'ok', exitCode: 0 },
    ]
    for (const event of events) emit(event)
    emit({ type: 'turn-finished', outcome: OUTCOME })
    finish()
    expect(await Array.fromAsync(stream)).toEqual([...events, { type: 'turn-finished', outcome: OUTCOME }])
  })

  test('throws what the message failed with, behind what happened before', async () => {
    const { stream, emit, fail } = await begin()
    emit(text(1))
    fail(new AgentryError('agent_crashed', 'the thread is gone'))
    expect(await stream.next()).toEqual({ value: text(1), done: false })
    await expect(stream.next()).rejects.toThrow(errorWith('agent_crashed', 'the thread is gone'))
  })

  test('keeps a bounded amount for a slow reader, and says where text was dropped', async () => {
    const { stream, emit, finish } = await begin()
    const piece = 64 * 1024
    for (let count = 0; count < 1_000; count++) emit(text(piece))
    const kept = Math.floor(MAX_CHARS_BEHIND / (piece + 100))
    for (let count = 0; count < kept; count++)
      expect(await stream.next()).toEqual({ value: text(piece), done: false })
    emit(text(5))
    emit(text(6))
    finish()
    expect(await Array.fromAsync(stream)).toEqual([
      { ...text(5), dropped: true },
      text(6),
      { type: 'turn-finished', outcome: OUTCOME },
    ])
  })

  test('bounds steps too, by what they carry', async () => {
    const { stream, emit, finish } = await begin()
    const step = (toolCallId: string): TurnEvent => ({
      type: 'tool-started',
      toolCallId,
      name: 'shell',
      input: 'x'.repeat(MAX_CHARS_BEHIND / 4),
    })
    for (let count = 0; count < 100; count++) emit(step(`c${count}`))
    finish()
    expect(await Array.fromAsync(stream)).toHaveLength(3 + 1)
  })

  test('takes nothing more once its reader has left', async () => {
    const { stream, emit } = await begin()
    const unread: { read: boolean } = { read: false }
    await stream.return()
    emit({
      type: 'text',
      get text() {
        unread.read = true
        return 'late'
      },
    })
    expect(unread.read).toBe(false)
    expect(await stream.next()).toEqual({ value: undefined, done: true })
  })
})
