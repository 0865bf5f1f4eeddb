import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RecordBody } from '../../src/core/record.ts'
import {
  type Conversation,
  openConversation,
  withRecords,
  withText,
} from '../../src/dashboard/model/conversation.ts'
import {
  conversationLines,
  type ConversationSize,
  scrollConversation,
  toggleAllFolds,
  toggleFold,
} from '../../src/dashboard/model/conversation-lines.ts'
import { widthOf } from '../../src/dashboard/model/text.ts'
import { CREATED, drawn, echoTurn, NOW_MS, records, SESSION, shellTurn, sizeOf, textOf } from './scene.ts'

const TURNS = 10
const SMALL = { height: 6 }

function ofTurns(turns: number, first = 0): Conversation {
  const bodies = Array.from({ length: turns }, (_, index) => echoTurn(`m${first + index}`)).flat()
  return withRecords(openConversation(SESSION, 0), records(bodies), false)
}

function scrolled(
  conversation: Conversation,
  rows: number,
  size: Partial<ConversationSize> = SMALL,
): Conversation {
  return scrollConversation(conversation, rows, sizeOf(size)).conversation
}

function more(conversation: Conversation, ...bodies: RecordBody[]): Conversation {
  return withRecords(conversation, records(bodies, conversation.lastSeq + 1), false)
}

/** Rows up, more than any conversation here has: to the beginning of what was read, and no jump. */
const FAR = 1_000_000

describe('the rows of a conversation', () => {
  test('are its last ones, and stay so when more comes', () => {
    const conversation = ofTurns(TURNS)
    expect(drawn(conversation, SMALL)).toEqual(['', '❯ m8', 'echo m8', '', '❯ m9', 'echo m9'])
    expect(drawn(more(conversation, ...echoTurn('new')), SMALL).slice(-2)).toEqual(['❯ new', 'echo new'])
    expect(drawn(ofTurns(1), SMALL)).toEqual(['', '❯ m0', 'echo m0'])
    expect(drawn(openConversation(SESSION, 0), SMALL)).toEqual([])
  })

  test('move by rows, and stop at both ends', () => {
    const conversation = ofTurns(TURNS)
    const up = scrolled(conversation, -2)
    expect(drawn(up, SMALL)).toEqual(['❯ m7', 'echo m7', '', '❯ m8', 'echo m8', '↓ more below'])
    expect(drawn(scrolled(up, 2), SMALL)).toEqual(drawn(conversation, SMALL))
    expect(scrolled(up, 100).anchor).toBeUndefined()
    expect(drawn(scrolled(conversation, -1_000), SMALL).slice(0, 3)).toEqual(['', '❯ m0', 'echo m0'])
    expect(scrolled(ofTurns(1), -5).anchor).toBeUndefined()
  })

  test('jump to the first and to the last', () => {
    const begin = scrolled(ofTurns(TURNS), -Infinity)
    expect(conversationLines(begin, sizeOf(SMALL))).toMatchObject({ atBegin: true, atEnd: false })
    expect(drawn(begin, SMALL)[1]).toBe('❯ m0')
    const end = scrolled(begin, Infinity)
    expect(conversationLines(end, sizeOf(SMALL))).toMatchObject({ atBegin: false, atEnd: true })
  })

  test('stay where they are when records come, and say how many are new', () => {
    const up = scrolled(ofTurns(TURNS), -4)
    const before = drawn(up, SMALL)
    const later = withText(more(up, ...echoTurn('x'), ...shellTurn('y', 'y')), 'text', false)
    expect(drawn(later, SMALL)).toEqual([...before.slice(0, -1), '↓ 4 new below'])
    expect(conversationLines(later, sizeOf(SMALL)).newBelow).toBe(4)
    expect(conversationLines(scrolled(later, Infinity), sizeOf(SMALL)).newBelow).toBe(0)
  })

  test('stay where they are when earlier records are read', () => {
    const all = records(Array.from({ length: 600 }, (_, index) => echoTurn(`m${index}`)).flat())
    const opened = openConversation(SESSION, all.length)
    const conversation = withRecords(opened, all.slice(opened.lastSeq), false)
    const begin = scrolled(conversation, -FAR)
    expect(drawn(begin, SMALL)[0]).toBe('· scroll up for earlier records')
    const near = scrolled(begin, 4)
    const read = all.slice(opened.lastSeq - 500, opened.lastSeq)
    expect(drawn(withRecords(near, read, true), SMALL)).toEqual(drawn(near, SMALL))
    // The line above goes up with the beginning.
    expect(drawn(withRecords(begin, read, true), SMALL).slice(2, 4)).toEqual(drawn(begin, SMALL).slice(3, 5))
  })

  test('ask for earlier records near the beginning, once', () => {
    const all = records(Array.from({ length: 600 }, (_, index) => echoTurn(`m${index}`)).flat())
    const opened = openConversation(SESSION, all.length)
    const conversation = withRecords(opened, all.slice(opened.lastSeq), false)
    expect(scrollConversation(conversation, -5, sizeOf()).wanted).toBeUndefined()
    const first = scrollConversation(conversation, -FAR, sizeOf())
    expect(first.wanted).toEqual({ sessionId: SESSION, after: 800, before: 1_301 })
    expect(scrollConversation(first.conversation, -1, sizeOf()).wanted).toBeUndefined()
    // An answer that never came is asked for again.
    expect(scrollConversation(first.conversation, -1, sizeOf({ nowMs: NOW_MS + 10_000 })).wanted).toEqual(
      first.wanted,
    )
    const read = withRecords(first.conversation, all.slice(800, 1_300), true)
    expect(scrollConversation(read, -FAR, sizeOf()).wanted).toEqual({
      sessionId: SESSION,
      after: 300,
      before: 801,
    })
    expect(scrollConversation(ofTurns(TURNS), -Infinity, sizeOf()).wanted).toBeUndefined()
  })

  test('jump to the very beginning, once what lies before was read', () => {
    const all = records(Array.from({ length: 600 }, (_, index) => echoTurn(`m${index}`)).flat())
    const opened = openConversation(SESSION, all.length)
    const conversation = withRecords(opened, all.slice(opened.lastSeq), false)
    const jumped = scrollConversation(conversation, -Infinity, sizeOf())
    expect(jumped.wanted).toEqual({ sessionId: SESSION, after: 0, before: 1_301 })
    const read = withRecords(jumped.conversation, all.slice(0, 1_300), true)
    expect(drawn(read, SMALL)).toEqual(
      drawn(scrolled(withRecords(openConversation(SESSION, 0), all, false), -Infinity), SMALL),
    )
  })

  test('keep their first item when the width changes', () => {
    const bodies = Array.from({ length: TURNS }, (_, index) =>
      echoTurn(`m${index}`, `word${index} `.repeat(30)),
    ).flat()
    const conversation = withRecords(openConversation(SESSION, 0), records(bodies), false)
    const up = scrolled(scrolled(conversation, -Infinity), 20)
    const item = (width: number): string | undefined =>
      /\d/.exec(drawn(up, { ...SMALL, width }).find((row) => /\d/.test(row)) ?? '')?.[0]
    expect(item(20)).toBe(item(40))
  })

  test('fill the pane when it grows', () => {
    const up = scrolled(ofTurns(TURNS), -3)
    expect(conversationLines(up, sizeOf({ height: 60 }))).toMatchObject({ atBegin: true, atEnd: true })
    expect(drawn(up, { height: 60 })).toHaveLength(3 * TURNS)
  })

  test('lay out what is in sight and nothing else', () => {
    const conversation = withRecords(
      openConversation(SESSION, 0),
      records(Array.from({ length: 5_000 }, (_, index) => echoTurn(`m${index}`)).flat()),
      false,
    )
    let looked = 0
    const items = new Proxy(conversation.items, {
      get(target, name) {
        if (typeof name === 'string' && /^\d+$/.test(name)) looked += 1
        return Reflect.get(target, name) as unknown
      },
    })
    const watched = { ...conversation, items }
    conversationLines(watched, sizeOf())
    conversationLines(scrolled(watched, -Infinity), sizeOf())
    conversationLines(scrolled(watched, -20), sizeOf())
    expect(looked).toBeLessThan(1_000)
  })

  test('are the same values while nothing changes', () => {
    const conversation = ofTurns(TURNS)
    const first = conversationLines(conversation, sizeOf()).lines
    const later = conversationLines(more(conversation, ...echoTurn('x').slice(0, 1)), sizeOf()).lines
    expect(later.slice(0, 3).every((line) => first.includes(line))).toBe(true)
  })

  test('are never wider than the pane, nor more than fit', () => {
    const conversation = withText(
      more(
        ofTurns(2),
        CREATED,
        ...shellTurn('1', 'echo 漢字漢字漢字 && a long command that does not fit'),
        {
          type: 'tool.finished',
          turnId: '1',
          toolCallId: '1',
          outcome: 'error',
          content: '👩‍👩‍👧\t漢字\n'.repeat(30),
          exitCode: 127,
        },
        {
          type: 'turn.finished',
          turnId: '1',
          status: 'failed',
          error: { code: 'turn_failed', message: '漢'.repeat(50) },
        },
        {
          type: 'message.accepted',
          turnId: '2',
          taskId: '2',
          input: '漢字 '.repeat(30),
          from: '漢'.repeat(30),
        },
      ),
      'live 漢字 '.repeat(20),
      false,
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        fc.integer({ min: -80, max: 0 }),
        (width, height, unfolded, rows) => {
          const size = sizeOf({ width, height })
          const one = unfolded ? toggleAllFolds(conversation) : conversation
          const { lines } = conversationLines(scrollConversation(one, rows, size).conversation, size)
          expect(lines.length).toBeLessThanOrEqual(height)
          for (const row of textOf(lines)) expect(widthOf(row)).toBeLessThanOrEqual(width)
        },
      ),
    )
  })
})

describe('a message', () => {
  test('has the time of its acceptance where there is room, of another day its date', () => {
    expect(drawn(ofTurns(1), { width: 50 })).toEqual(['', `❯ m0${' '.repeat(41)}14:02`, 'echo m0'])
    const tomorrow = NOW_MS + 24 * 3_600_000
    expect(drawn(ofTurns(1), { width: 50, nowMs: tomorrow })[1]).toBe(`❯ m0${' '.repeat(40)}25 Nov`)
  })

  test('is told from what answers it', () => {
    const [, message, answer] = conversationLines(ofTurns(1), sizeOf()).lines
    expect(message?.map(({ tone }) => tone)).toEqual(['accent', 'strong'])
    expect(answer?.map(({ tone }) => tone)).toEqual(['plain'])
  })
})

describe('the result of a call', () => {
  const output = Array.from({ length: 30 }, (_, index) => `line ${index}`).join('\n')
  const conversation = more(
    openConversation(SESSION, 0),
    ...shellTurn('1', 'one'),
    { type: 'tool.finished', turnId: '1', toolCallId: '1', outcome: 'ok', content: output, exitCode: 0 },
    { type: 'turn.finished', turnId: '1', status: 'completed', exitCode: 0 },
    ...shellTurn('2', 'two'),
    { type: 'tool.finished', turnId: '2', toolCallId: '2', outcome: 'ok', content: output, exitCode: 0 },
  )
  const ALL = { height: 200 }
  const folded = [
    '│ line 0',
    '│ line 1',
    '│ line 2',
    '│ … 22 lines more (x unfolds)',
    '│ line 25',
    '│ line 26',
    '│ line 27',
    '│ line 28',
    '│ line 29',
  ]

  test('shows its beginning and end', () => {
    expect(drawn(conversation, ALL).slice(3, 12)).toEqual(folded)
  })

  test('shows all of a short one, and both ends of one long line', () => {
    const bodies = (content: string): RecordBody[] => [
      ...shellTurn('1', 'x'),
      { type: 'tool.finished', turnId: '1', toolCallId: '1', outcome: 'ok', content },
    ]
    const of = (content: string): string[] =>
      drawn(more(openConversation(SESSION, 0), ...bodies(content)), ALL).slice(3)
    expect(of('1\n2\n3\n4\n5\n6\n7\n8\n9\n')).toHaveLength(9)
    const long = of(`a${'b'.repeat(10_000)}c`)
    expect(long).toHaveLength(9)
    expect(long[0]).toMatch(/^│ ab/)
    expect(long[3]).toBe('│ … more (x unfolds)')
    expect(long.at(-1)).toMatch(/bc$/)
  })

  test('is unfolded and folded again: the first in sight, at the end the last', () => {
    const last = toggleFold(conversation)
    expect(drawn(last, ALL)).toHaveLength(3 + 9 + 3 + 30)
    expect(drawn(last, ALL).slice(3, 12)).toEqual(folded)
    expect(drawn(toggleFold(last), ALL)).toEqual(drawn(conversation, ALL))
    const first = toggleFold(scrolled(conversation, -Infinity))
    expect(drawn(first, ALL).slice(3, 33)).toEqual(output.split('\n').map((line) => `│ ${line}`))
  })

  test('is unfolded with all others', () => {
    const all = toggleAllFolds(conversation)
    expect(drawn(all, ALL)).toHaveLength(2 * (3 + 30))
    expect(drawn(toggleFold(all), ALL)).toHaveLength(3 + 30 + 3 + 9)
    expect(drawn(toggleAllFolds(all), ALL)).toEqual(drawn(conversation, ALL))
  })
})

test('a running call says for how long', () => {
  const conversation = more(openConversation(SESSION, 0), ...shellTurn('1', 'x'))
  expect(drawn(conversation, { nowMs: NOW_MS + 65_000 }).at(-1)).toBe('◌ shell  x  running 1m')
})
