import { describe, expect, test } from 'vitest'
import type { RecordBody } from '../../src/core/record.ts'
import {
  type Conversation,
  MAX_ITEMS,
  openConversation,
  withRecords,
  withText,
} from '../../src/dashboard/model/conversation.ts'
import { KEPT_CHARS } from '../../src/dashboard/model/conversation-items.ts'
import { toggleAllFolds } from '../../src/dashboard/model/conversation-lines.ts'
import { CREATED, drawn, echoTurn, records, SESSION, shellTurn } from './scene.ts'

const EMPTY = openConversation(SESSION, 0)

function of(...bodies: RecordBody[]): Conversation {
  return withRecords(EMPTY, records(bodies), false)
}

function finished(turnId: string, content: string, exitCode = 0): RecordBody[] {
  return [
    { type: 'tool.finished', turnId, toolCallId: turnId, outcome: 'ok', content, exitCode },
    { type: 'turn.finished', turnId, status: 'completed', exitCode },
  ]
}

describe('a conversation', () => {
  test('shows messages and what was answered', () => {
    expect(drawn(of(CREATED, ...echoTurn('hello')))).toEqual(['· session work', '', '❯ hello', 'echo hello'])
  })

  test('names who sent a message that no person sent, and marks what waits', () => {
    const conversation = of(...shellTurn('1', 'sleep 1'), {
      type: 'message.accepted',
      turnId: '2',
      taskId: '2',
      input: 'next',
      from: 'reviewer',
    })
    expect(drawn(conversation)).toEqual([
      '',
      '❯ sleep 1',
      '◌ shell  sleep 1  running 0s',
      '',
      '❯ reviewer: next (queued)',
    ])
    const later = withRecords(
      conversation,
      records([...finished('1', 'x'), { type: 'turn.started', turnId: '2', attempt: 1 }], 5),
      false,
    )
    expect(drawn(later).slice(-3)).toEqual(['│ x', '', '❯ reviewer: next'])
  })

  test('shows calls with their input, state and result', () => {
    expect(drawn(of(...shellTurn('1', 'npm test'), ...finished('1', 'fine\n')))).toEqual([
      '',
      '❯ npm test',
      '● shell  npm test',
      '│ fine',
    ])
    // The exit code is said once.
    expect(drawn(of(...shellTurn('1', 'false'), ...finished('1', '', 3))).slice(2)).toEqual([
      '✗ shell  false  exit 3',
    ])
    const unknown: RecordBody = {
      type: 'tool.finished',
      turnId: '1',
      toolCallId: '1',
      outcome: 'unknown',
      content: '',
    }
    expect(drawn(of(...shellTurn('1', 'x'), unknown), { width: 80 }).slice(2)).toEqual([
      '? shell  x  cut off by a crash: it may have had any effect',
    ])
  })

  test('shows what a model says and asks for, and finds calls whose id is used again', () => {
    const call = { toolCallId: 'a', name: 'read', input: { path: 'x' } }
    const conversation = of(
      ...echoTurn('1').slice(0, 2),
      { type: 'step.model', turnId: '1', content: 'I look.', toolCalls: [call] },
      { type: 'tool.finished', turnId: '1', toolCallId: 'a', outcome: 'error', content: 'refused' },
      { type: 'step.model', turnId: '1', content: '', toolCalls: [call] },
      { type: 'tool.started', turnId: '1', ...call },
    )
    expect(drawn(conversation).slice(2)).toEqual([
      'I look.',
      '✗ read  x  error',
      '│ refused',
      '◌ read  x  running 0s',
    ])
  })

  test.each<[string, Partial<Extract<RecordBody, { type: 'turn.finished' }>>, string[]]>([
    [
      'failed',
      { status: 'failed', error: { code: 'turn_failed', message: 'no' } },
      ['✗ failed: no (turn_failed)'],
    ],
    ['cancelled', { status: 'cancelled', error: { code: 'cancelled', message: 'x' } }, ['! cancelled']],
    ['interrupted', { status: 'interrupted' }, ['! interrupted']],
    ['ended with an exit code', { status: 'completed', exitCode: 2 }, ['! exit code 2']],
    ['ended without a word', { status: 'completed' }, []],
  ])('says that a turn %s', (_, end, lines) => {
    const body: RecordBody = { type: 'turn.finished', turnId: '1', status: 'completed', ...end }
    expect(drawn(of(...echoTurn('1').slice(0, 2), body)).slice(2)).toEqual(lines)
  })

  test('shows a message that was cancelled in the queue', () => {
    const [accepted] = echoTurn('1')
    const end: RecordBody = { type: 'turn.finished', turnId: '1', status: 'cancelled' }
    expect(accepted && drawn(of(accepted, end))).toEqual(['', '❯ 1', '! cancelled'])
  })

  test('tells of restarted turns, and of changes of the session', () => {
    const conversation = of(
      ...echoTurn('1').slice(0, 2),
      { type: 'turn.started', turnId: '1', attempt: 2 },
      { type: 'session.changed', changes: { workingDir: '/tmp' } },
      { type: 'session.changed', changes: { name: 'new\u001b[2J name' } },
      { type: 'session.changed', changes: { status: 'suspended' } },
      { type: 'session.changed', changes: { status: 'active', activation: 2 }, accessed: true },
      { type: 'session.changed', changes: { status: 'terminated' } },
    )
    expect(drawn(conversation, { width: 60 }).slice(2)).toEqual([
      '! cut off by a crash, started again: attempt 2',
      '· renamed: new name',
      '· suspended',
      '· resumed',
      '· terminated',
    ])
  })

  test('begins with what a fork or an import brought', () => {
    const at = '2026-11-25T00:00:00.000Z'
    const conversation = of({
      ...(CREATED as Extract<RecordBody, { type: 'session.created' }>),
      forkedFrom: { sessionId: 'f', seq: 9 },
      memory: [
        { seq: 1, at, turnId: '1', role: 'user', content: 'ls' },
        {
          seq: 1,
          at,
          turnId: '1',
          role: 'assistant',
          content: '',
          toolCalls: [{ toolCallId: 'c', name: 'shell', input: 'ls' }],
        },
        { seq: 1, at, turnId: '1', role: 'tool', content: 'a file', toolCallId: 'c' },
        { seq: 1, at, turnId: '1', role: 'assistant', content: 'done' },
      ],
    })
    expect(drawn(conversation)).toEqual([
      '',
      '❯ ls',
      '● shell  ls',
      '│ a file',
      'done',
      '· session work, a fork of f at record 9',
    ])
  })

  test('lets no control sequence through', () => {
    const evil = '\u001b]0;x\u0007\u001b[2J\u009b1m\u202e'
    const conversation = of(
      { type: 'message.accepted', turnId: '1', taskId: '1', input: `a${evil}`, from: `f${evil}` },
      { type: 'turn.started', turnId: '1', attempt: 1 },
      {
        type: 'step.model',
        turnId: '1',
        content: `b${evil}`,
        toolCalls: [{ toolCallId: 'c', name: `n${evil}`, input: { k: evil } }],
      },
      { type: 'tool.finished', turnId: '1', toolCallId: 'c', outcome: 'ok', content: `c${evil}\rd` },
      {
        type: 'turn.finished',
        turnId: '1',
        status: 'failed',
        error: { code: 'turn_failed', message: `e${evil}` },
      },
    )
    const text = drawn(withText(conversation, `l${evil}`, false)).join('\n')
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
    expect(text).toContain('│ c\n│ d')
  })
})

describe('the window of a conversation', () => {
  test('begins 500 records before the end', () => {
    expect(openConversation(SESSION, 1_200)).toMatchObject({ firstSeq: 701, lastSeq: 700 })
    expect(openConversation(SESSION, 20)).toMatchObject({ firstSeq: 1, lastSeq: 0 })
  })

  test('takes records once, and none behind a gap', () => {
    const all = records([CREATED, ...echoTurn('1'), ...echoTurn('2')])
    const once = withRecords(EMPTY, all, false)
    expect(withRecords(once, all, false)).toBe(once)
    expect(
      withRecords(withRecords(EMPTY, all.slice(0, 3), false), [...all.slice(1, 4), ...all.slice(2)], false),
    ).toEqual(once)
    const gap = withRecords(EMPTY, [...all.slice(0, 2), ...all.slice(4)], false)
    expect(gap).toMatchObject({ lastSeq: 2, gap: true })
    expect(withRecords(gap, all.slice(2), false)).toEqual(once)
  })

  test('is the same wherever it was cut and joined again', () => {
    const bodies: RecordBody[] = [
      CREATED,
      ...shellTurn('1', 'make'),
      ...echoTurn('2').slice(0, 1),
      ...echoTurn('3').slice(0, 1),
      { type: 'turn.finished', turnId: '3', status: 'cancelled' },
      ...finished('1', 'made', 1),
      ...echoTurn('2').slice(1),
      ...echoTurn('4').slice(0, 1),
    ]
    const whole = records(bodies)
    const expected = drawn(withRecords(EMPTY, whole, false))
    for (let cut = 1; cut < whole.length; cut += 1) {
      const later = withRecords({ ...EMPTY, firstSeq: cut + 1, lastSeq: cut }, whole.slice(cut), false)
      const both = withRecords(later, whole.slice(0, cut), true)
      expect(drawn(both)).toEqual(expected)
      expect(both).toMatchObject({ firstSeq: 1, lastSeq: whole.length })
      const keys = both.items.map(({ key }) => key)
      expect(keys).toEqual(keys.toSorted((a, b) => a - b))
    }
  })

  test('takes no earlier page that does not join on', () => {
    const later = withRecords({ ...EMPTY, firstSeq: 10, lastSeq: 9 }, records(echoTurn('1'), 10), false)
    expect(withRecords(later, records(echoTurn('0'), 3), true)).toEqual(later)
    expect(withRecords(later, [], true)).toEqual(later)
  })

  test('is bounded: the oldest items leave it, and can be read again', () => {
    const bodies = Array.from({ length: MAX_ITEMS / 2 + 10 }, (_, index) => echoTurn(String(index))).flat()
    const all = records(bodies)
    const conversation = withRecords(EMPTY, all, false)
    expect(conversation.items.length).toBeLessThanOrEqual(MAX_ITEMS)
    expect(conversation.firstSeq).toBeGreaterThan(1)
    const again = withRecords(conversation, all.slice(0, conversation.firstSeq - 1), true)
    expect(again.items).toHaveLength(MAX_ITEMS + 20)
    expect(again.queued).toEqual([])
  })

  test('keeps the beginning and end of a long text, and says where the whole is', () => {
    const long = `${'a'.repeat(KEPT_CHARS)}${'b'.repeat(1_000)}`
    const text = drawn(of(...echoTurn('1').slice(0, 2), { type: 'step.model', turnId: '1', content: long }), {
      width: 100,
      height: 2_000,
    })
    expect(text.join('').length).toBeLessThan(KEPT_CHARS + 200)
    expect(text.join('')).toContain(`… 1000 characters are left out here: agentry sessions show ${SESSION}`)
    expect(text.at(-1)?.endsWith('b')).toBe(true)
  })
})

describe('the text of a running turn', () => {
  const running = of(...shellTurn('1', 'make'))

  test('is shown as it comes, until the record has all of it', () => {
    let conversation = running
    for (const piece of ['one\ntw', 'o\nthr', 'ee']) conversation = withText(conversation, piece, false)
    expect(drawn(conversation).slice(3)).toEqual(['│ one', '│ two', '│ three'])
    conversation = withRecords(
      conversation,
      records(finished('1', 'one\ntwo\nthree\n').slice(0, 1), 4),
      false,
    )
    expect(drawn(conversation).slice(3)).toEqual(['│ one', '│ two', '│ three'])
    // What was merged when the record was made comes behind it.
    conversation = withText(conversation, 'ee\n', false)
    expect(drawn(conversation).slice(3)).toEqual(['│ one', '│ two', '│ three'])
    expect(drawn(withText(conversation, 'new', false)).slice(3)).toEqual(['│ one', '│ two', '│ three', 'new'])
  })

  test('says where some of it is missing', () => {
    const conversation = withText(withText(running, 'a', false), 'b', true)
    expect(drawn(conversation).slice(3)).toEqual(['│ a', '│ … some of the text is left out here', '│ b'])
  })

  test('has control sequences taken out that came in two pieces', () => {
    expect(drawn(withText(withText(running, 'a\u001b[3', false), '1mb', false)).at(-1)).toBe('│ ab')
  })

  test('keeps its end, and what is closed is never laid out again', () => {
    let conversation = running
    for (let line = 0; line < 20_000; line += 1)
      conversation = withText(conversation, `line ${line}\n`, false)
    const { chunks } = conversation.live
    expect(chunks.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(KEPT_CHARS)
    expect(conversation.live.tail.length).toBeLessThanOrEqual(4_096)
    expect(drawn(conversation).at(-2)).toBe('│ line 19999')
    const next = withText(conversation, 'x', false)
    expect(next.live.chunks.every((chunk, index) => chunk === chunks[index])).toBe(true)
    const all = drawn(toggleAllFolds(next), { width: 60, height: 100_000 })
    expect(all).toContain('· the beginning of this is shown when it is done')
  })

  test('breaks a text without lines between characters', () => {
    const conversation = withText(running, '👩'.repeat(10_000), false)
    expect(drawn(conversation, { height: 5_000 }).join('')).not.toContain('\ufffd')
  })
})
