import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Mailbox } from '../../src/core/mailbox.ts'

describe('the order', () => {
  test('is that in which messages and barriers came: neither passes the other (MB1)', () => {
    const mailbox = new Mailbox<string, string>(10)
    mailbox.offerMessage('m1')
    mailbox.offerBarrier('b1')
    mailbox.offerMessage('m2')
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
    const mailbox = new Mailbox<string, never>(2)
    expect(mailbox.offerMessage('m1')).toBe(true)
    expect(mailbox.offerMessage('m2')).toBe(true)
    mailbox.takeMessage()
    mailbox.takeMessage()
    expect(mailbox.offerMessage('m3')).toBe(false)
    expect(mailbox.isEmpty).toBe(true)
    mailbox.settle()
    expect(mailbox.offerMessage('m3')).toBe(true)
    expect(mailbox.unfinished).toBe(2)
  })

  test('holds messages that came from disk, even more of them than it has room for', () => {
    const mailbox = new Mailbox<string, never>(2)
    mailbox.adopt(3)
    expect(mailbox.offerMessage('m1')).toBe(false)
    mailbox.settle(2)
    expect(mailbox.offerMessage('m1')).toBe(true)
  })

  test('is that of barriers in the line too; they take no place from messages', () => {
    const mailbox = new Mailbox<string, string>(1)
    expect(mailbox.offerBarrier('b1')).toBe(true)
    expect(mailbox.offerBarrier('b2')).toBe(false)
    expect(mailbox.offerMessage('m1')).toBe(true)
    expect(mailbox.offerMessage('m2')).toBe(false)
    expect(mailbox.takeBarrier()).toBe('b1')
    expect(mailbox.offerBarrier('b3')).toBe(true)
  })
})

test('a message can be taken out of the line; the others keep their places', () => {
  const mailbox = new Mailbox<string, string>(3)
  mailbox.offerMessage('m1')
  mailbox.offerBarrier('m2')
  mailbox.offerMessage('m2')
  mailbox.offerMessage('m3')
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
        const mailbox = new Mailbox<string, string>(capacity)
        const offered: string[] = []
        const taken: string[] = []
        let running = 0
        for (const [index, operation] of operations.entries()) {
          if (operation === 'message') {
            const free = mailbox.unfinished < capacity
            expect(mailbox.offerMessage(`m${index}`)).toBe(free)
            if (free) offered.push(`m${index}`)
          } else if (operation === 'barrier') {
            const free = offered.slice(taken.length).filter((item) => item.startsWith('b')).length < capacity
            expect(mailbox.offerBarrier(`b${index}`)).toBe(free)
            if (free) offered.push(`b${index}`)
          } else if (operation === 'take') {
            const message = mailbox.takeMessage()
            if (message !== undefined) running += 1
            const item = message ?? mailbox.takeBarrier()
            if (item !== undefined) taken.push(item)
          } else if (running > 0) {
            mailbox.settle()
            running -= 1
          }
          expect(taken).toEqual(offered.slice(0, taken.length))
          expect(mailbox.isEmpty).toBe(taken.length === offered.length)
          const waiting = offered.slice(taken.length).filter((item) => item.startsWith('m')).length
          expect(mailbox.unfinished).toBe(waiting + running)
          expect(mailbox.unfinished).toBeLessThanOrEqual(capacity)
        }
      },
    ),
  )
})
