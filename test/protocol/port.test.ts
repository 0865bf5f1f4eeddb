import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { PACK_FROM } from '../../src/protocol/codec.ts'
import { createFrameLine, createFramePort, type FramePort } from '../../src/protocol/port.ts'
import { until } from '../fakes/until.ts'

let open: { close(): void }[] = []

afterEach(() => {
  for (const port of open) port.close()
  open = []
})

function line(): { near: FramePort<number, number>; far: FramePort<number, number> } {
  const { near, far } = createFrameLine<number, number>()
  const farEnd = createFramePort<number, number>(far)
  open.push(near, farEnd)
  return { near, far: farEnd }
}

/** A frame port, and the raw messages that it posts. */
function watched(): { port: FramePort<number, number>; raw: MessagePort; frames: unknown[] } {
  const { port1, port2 } = new MessageChannel()
  const frames: unknown[] = []
  port2.on('message', (frame) => frames.push(frame))
  open.push(port1, port2)
  return { port: createFramePort(port1), raw: port2, frames }
}

describe('a frame port', () => {
  test('delivers in order what was sent before and after there was a handler', async () => {
    const { near, far } = line()
    const received: number[] = []
    for (let n = 0; n < 10; n++) near.send(n)
    await nextTurn()
    far.onReceive((n) => received.push(n))
    for (let n = 10; n < 500; n++) {
      near.send(n)
      if (n % 7 === 0) await nextTurn()
    }
    await until('all', () => received.length === 500)
    expect(received).toEqual(Array.from({ length: 500 }, (_, n) => n))
  })

  test('sends all of a tick as one frame, over any number of microtasks', async () => {
    const { port, frames } = watched()
    port.send(1)
    await Promise.resolve()
    port.send(2)
    for (let hop = 0; hop < 20; hop++) await Promise.resolve()
    port.send(3)
    await until('the frame', () => frames.length > 0)
    expect(frames).toEqual([[1, 2, 3]])
  })

  test('packs a burst', async () => {
    const { port, frames } = watched()
    for (let n = 0; n < PACK_FROM; n++) port.send(n)
    await until('the frame', () => frames.length > 0)
    expect(frames).toHaveLength(1)
    expect(frames[0]).toBeInstanceOf(Uint8Array)
  })

  test('flushes at once, and hands over at once what has arrived', () => {
    const { near, far } = line()
    const received: number[] = []
    far.onReceive((n) => received.push(n))
    near.send(1)
    near.send(2)
    far.drain()
    expect(received).toEqual([])
    near.flush()
    far.drain()
    expect(received).toEqual([1, 2])
  })

  test('posts at close what was sent before it, and nothing that is sent after it', async () => {
    const { port, raw, frames } = watched()
    port.send(1)
    port.close()
    port.close()
    port.send(2)
    await new Promise((resolve) => raw.once('close', resolve))
    expect(frames).toEqual([[1]])
  })

  test('hands nothing over after close, not even the rest of a frame', async () => {
    const { near, far } = line()
    const received: number[] = []
    far.onReceive((n) => {
      received.push(n)
      far.close()
    })
    near.send(1)
    near.send(2)
    near.flush()
    near.send(3)
    await until('the first', () => received.length > 0)
    await nextTurn()
    expect(received).toEqual([1])
  })

  test('takes another handler in place of the first', async () => {
    const { near, far } = line()
    const received: string[] = []
    far.onReceive((n) => received.push(`first ${n}`))
    far.onReceive((n) => received.push(`second ${n}`))
    near.send(1)
    await until('the envelope', () => received.length > 0)
    expect(received).toEqual(['second 1'])
  })
})
