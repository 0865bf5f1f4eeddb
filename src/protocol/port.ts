/**
 * One end of the line between supervisor and thread: a MessagePort that carries frames.
 *
 * F1  Envelopes arrive in the order they were sent, also those that came before there was a handler.
 * F2  All envelopes of one tick (a callback of the event loop with the microtasks behind it) travel as one frame, posted by
 *     process.nextTick. Measured for a ping-pong between two threads (Node 26, two cores, medians): bare 21 us, a frame per
 *     envelope 21.7, per microtask 21.7, per tick 23, per setImmediate 24; where the answer is four envelopes over several
 *     microtasks 28, 35, 27, 26.
 * F3  Nothing is handed over after close().
 *
 * A MessagePort has no backpressure: who sends is bound by credits or caps of its own.
 */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { decodeFrame, encodeFrame } from './codec.ts'

/** The far end of a line, as it travels to another thread. */
export type FarEnd = MessagePort

export interface FramePort<Send, Receive> {
  /** Sends with the frame of this tick. After close, or when the other end is gone: goes nowhere. */
  send(envelope: Send): void
  /** Sets the one handler. From now on, and until close, the port keeps its event loop alive. */
  onReceive(handler: (envelope: Receive) => void): void
  /** Posts at once what this tick has gathered: for a thread that may not come back to its event loop. */
  flush(): void
  /** Hands over at once what has arrived. Once the other thread has ended, this is all that will ever come. */
  drain(): void
  /** Posts what was sent, then closes both ends. Idempotent. */
  close(): void
}

export function createFramePort<Send, Receive>(port: FarEnd): FramePort<Send, Receive> {
  let gathered: Send[] = []
  let handler: ((envelope: Receive) => void) | undefined
  let closed = false

  const flush = (): void => {
    if (gathered.length === 0) return
    const envelopes = gathered
    gathered = []
    port.postMessage(encodeFrame(envelopes))
  }
  const deliver = (frame: unknown): void => {
    for (const envelope of decodeFrame(frame)) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are ours and typed alike
      if (!closed) handler?.(envelope as Receive)
    }
  }

  return {
    send(envelope) {
      if (closed) return
      if (gathered.push(envelope) === 1) process.nextTick(flush)
    },
    onReceive(next) {
      const first = handler === undefined
      handler = next
      if (first) port.on('message', deliver)
    },
    flush,
    drain() {
      if (handler === undefined) return
      for (let got = receiveMessageOnPort(port); got !== undefined; got = receiveMessageOnPort(port)) {
        deliver(got.message)
      }
    },
    close() {
      if (closed) return
      flush()
      closed = true
      port.close()
    },
  }
}

/** A new line: the near end, and the port of the far one, to be sent to its thread. */
export function createFrameLine<Send, Receive>(): { near: FramePort<Send, Receive>; far: FarEnd } {
  const { port1, port2 } = new MessageChannel()
  return { near: createFramePort(port1), far: port2 }
}
