import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Mailbox } from '../../src/core/mailbox.ts'

/** A mailbox whose messages are their own ids, of one byte each unless the test says otherwise. */
function createBox(capacity: number, maxBytes = 1_000) {
  const mailbox = new Mailbox<string, string>({ capacity, maxBytes })
  return { mailbox, offer: (id: string, bytes = 1) => mailbox.offerMessage(id, { id, bytes }) }
}

describe('the order', () => {
  test('is that in which messages and barriers came: neither passes the other (MB1)', () => {
    const { mailbox, offer } = createBox(10)
    offer('m1')
    mailbox.offerBarrier('b1')
    offer('m2')
    expect(mailbox.takeBarrier()).toBeUndefined()
    expect(mailbox.nextBarrier).toBeUndefined()
    expect(mailbox.takeMessage()).toBe('m1')
    expect(mailbox.takeMessage()).toBeUndefined()
    expect(mailbox.nextBarrier).toBe('b1')
    expect(mailbox.takeBarrier()).toBe('b1')
    expect(mailbox.isEmpty).toBe(false)
    expect(mailbox.takeMessage()).toBe('m2')
    expect(mailbox.isEmpty).toBe(true)
    expect(mailbox.takeMessage()).toBeUndefined()
    expect(mailbox.takeBarrier()).toBeUndefined()
  })
})

describe('the capacity', () => {
  test('counts a message until it is settled, not only while it waits in the line (MB2)', () => {
    const { mailbox, offer } = createBox(2)
    expect(offer('m1')).toBe('taken')
    expect(offer('m2')).toBe('taken')
    mailbox.takeMessage()
    mailbox.takeMessage()
    expect(offer('m3')).toBe('too-many')
    expect(mailbox.isEmpty).toBe(true)
    mailbox.settle('m1')
    expect(offer('m3')).toBe('taken')
    expect(mailbox.unfinished).toBe(2)
  })

  test('holds messages that came from disk, even more of them than it has room for', () => {
    const { mailbox, offer } = createBox(2)
    for (const id of ['d1', 'd2', 'd3']) mailbox.adopt({ id, bytes: 1 })
    expect(offer('m1')).toBe('too-many')
    mailbox.settle('d1')
    mailbox.settle('d2')
    expect(offer('m1')).toBe('taken')
  })

  test('is one of bytes too; a message that comes alone is taken, whatever its size (MB3)', () => {
    const { mailbox, offer } = createBox(10, 100)
    expect(offer('m1', 1_000)).toBe('taken')
    expect(offer('m2', 1)).toBe('too-many-bytes')
    mailbox.settle('m1')
    expect(offer('m2', 60)).toBe('taken')
    expect(offer('m3', 41)).toBe('too-many-bytes')
    expect(offer('m3', 40)).toBe('taken')
    expect(mailbox.bytes).toBe(100)
  })

  test('counts a message once that is adopted again, and frees nothing for one that it does not know', () => {
    const { mailbox } = createBox(10, 100)
    mailbox.adopt({ id: 'd1', bytes: 50 })
    mailbox.adopt({ id: 'd1', bytes: 50 })
    mailbox.settle('unknown')
    expect({ unfinished: mailbox.unfinished, bytes: mailbox.bytes }).toEqual({ unfinished: 1, bytes: 50 })
    mailbox.settle('d1')
    expect({ unfinished: mailbox.unfinished, bytes: mailbox.bytes }).toEqual({ unfinished: 0, bytes: 0 })
  })

  test('is that of barriers in the line too; they take no place from messages', () => {
    const { mailbox, offer } = createBox(1)
    expect(mailbox.offerBarrier('b1')).toBe(true)
    expect(mailbox.offerBarrier('b2')).toBe(false)
    expect(offer('m1')).toBe('taken')
    expect(offer('m2')).toBe('too-many')
    expect(mailbox.takeBarrier()).toBe('b1')
    expect(mailbox.offerBarrier('b3')).toBe(true)
  })
})

test('a message can be taken out of the line; the others keep their places', () => {
  const { mailbox, offer } = createBox(3)
  offer('m1')
  mailbox.offerBarrier('m2')
  offer('m2')
  offer('m3')
  const remove = () => mailbox.removeMessage((message) => message === 'm2')
  expect(remove()).toBe('m2')
  expect(remove()).toBeUndefined()
  expect(mailbox.unfinished).toBe(3)
  expect([mailbox.takeMessage(), mailbox.takeBarrier(), mailbox.takeMessage()]).toEqual(['m1', 'm2', 'm3'])
})

test('whatever is offered and taken, nothing is lost, doubled or reordered, and the bound holds', () => {
  const operation = fc.constantFrom('message', 'barrier', 'take', 'settle')
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 200 }),
      fc.integer({ min: 1, max: 5 }),
      (operations, capacity) => {
        const { mailbox, offer } = createBox(capacity)
        const offered: string[] = []
        const taken: string[] = []
        const running: string[] = []
        for (const [index, operation] of operations.entries()) {
          if (operation === 'message') {
            const free = mailbox.unfinished < capacity
            expect(offer(`m${index}`)).toBe(free ? 'taken' : 'too-many')
            if (free) offered.push(`m${index}`)
          } else if (operation === 'barrier') {
            const free = offered.slice(taken.length).filter((item) => item.startsWith('b')).length < capacity
            expect(mailbox.offerBarrier(`b${index}`)).toBe(free)
            if (free) offered.push(`b${index}`)
          } else if (operation === 'take') {
            const message = mailbox.takeMessage()
            if (message !== undefined) running.push(message)
            const item = message ?? mailbox.takeBarrier()
            if (item !== undefined) taken.push(item)
          } else {
            mailbox.settle(running.shift() ?? 'none')
          }
          expect(taken).toEqual(offered.slice(0, taken.length))
          expect(mailbox.isEmpty).toBe(taken.length === offered.length)
          const waiting = offered.slice(taken.length).filter((item) => item.startsWith('m')).length
          expect(mailbox.unfinished).toBe(waiting + running.length)
          expect(mailbox.bytes).toBe(mailbox.unfinished)
          expect(mailbox.unfinished).toBeLessThanOrEqual(capacity)
        }
      },
    ),
  )
})
