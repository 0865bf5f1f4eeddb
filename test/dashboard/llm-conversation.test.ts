import { describe, expect, test } from 'vitest'
import type { RecordBody } from '../../src/core/record.ts'
import {
  type Conversation,
  openConversation,
  withReasoning,
  withRecords,
  withRetry,
  withText,
} from '../../src/dashboard/model/conversation.ts'
import {
  conversationLines,
  toggleAllFolds,
  toggleFold,
} from '../../src/dashboard/model/conversation-lines.ts'
import { drawn, echoTurn, NOW_MS, records, SESSION, sizeOf } from './scene.ts'

const EMPTY = openConversation(SESSION, 0)
const WIDE = { width: 100 }
const EVIL = '\u001b]0;x\u0007\u001b[2J\u009b1m\u202e'

function of(...bodies: RecordBody[]): Conversation {
  return withRecords(EMPTY, records(bodies), false)
}

function more(conversation: Conversation, ...bodies: RecordBody[]): Conversation {
  return withRecords(conversation, records(bodies, conversation.lastSeq + 1), false)
}

const BEGUN = echoTurn('1', 'mend it').slice(0, 2)
const CALL = { toolCallId: 'c', name: 'shell', input: { command: 'npm test' } }
const STEP = {
  type: 'step.model' as const,
  turnId: '1',
  content: 'I run the tests.',
  reasoning: 'First of all\nI should look at the tests.',
  model: 'fake/alpha',
  usage: { inputTokens: 1_200, outputTokens: 85, costUsd: 0.0012 },
  toolCalls: [CALL],
} satisfies RecordBody
const ASKED = {
  type: 'approval.asked' as const,
  approvalId: 'a1',
  turnId: '1',
  toolCallId: 'c',
  tool: 'shell',
  subject: 'npm test',
  reason: 'not in the rules',
  grant: { tool: 'shell', pattern: 'npm test' },
  expiresAt: new Date(NOW_MS + 60_000).toISOString(),
} satisfies RecordBody
const answered = (answer: Partial<Extract<RecordBody, { type: 'approval.answered' }>>): RecordBody => ({
  type: 'approval.answered',
  turnId: '1',
  approvalId: 'a1',
  decision: 'once',
  by: 'person',
  ...answer,
})

describe('a step of a model', () => {
  test('shows its thought on one line, what it said, what it took, and its calls', () => {
    expect(drawn(of(...BEGUN, STEP), WIDE).slice(2)).toEqual([
      '~ First of all I should look at the tests.',
      'I run the tests.',
      '· fake/alpha · 1.2k in, 85 out · $0.0012',
      '○ shell  npm test  not started',
    ])
  })

  test('cuts a long thought, and unfolds it', () => {
    const conversation = of(...BEGUN, {
      type: 'step.model',
      turnId: '1',
      content: '',
      reasoning: 'why '.repeat(50),
    })
    expect(drawn(conversation).slice(2)).toEqual([`~ ${'why '.repeat(9)}w…`])
    const unfolded = drawn(toggleFold(conversation)).slice(2)
    expect(unfolded.length).toBeGreaterThan(4)
    expect(unfolded.join(' ').match(/why/g)).toHaveLength(50)
    expect(drawn(toggleAllFolds(conversation)).slice(2)).toEqual(unfolded)
  })

  test('says that a price is not known, and nothing where nothing was counted', () => {
    const usage = { inputTokens: 10, outputTokens: 2, cachedInputTokens: 4 }
    expect(drawn(of(...BEGUN, { type: 'step.model', turnId: '1', content: 'x', usage }), WIDE).at(-1)).toBe(
      '· 10 in (4 cached), 2 out · price unknown',
    )
    expect(drawn(of(...BEGUN, { type: 'step.model', turnId: '1', content: 'x' })).at(-1)).toBe('x')
  })
})

describe('the thoughts of a running turn', () => {
  test('show as they come, and collapse with the record of their step', () => {
    let conversation = withReasoning(of(...BEGUN), 'First of all\n', false)
    conversation = withReasoning(conversation, 'I should', false)
    expect(drawn(conversation).slice(2)).toEqual(['~ First of all', '  I should'])
    const [line] = conversationLines(conversation, sizeOf()).lines.slice(-1)
    expect(line?.map(({ tone }) => tone)).toEqual(['dim'])
    conversation = withText(conversation, 'I run', false)
    expect(drawn(conversation).slice(2)).toEqual(['~ First of all', '  I should', 'I run'])
    conversation = more(conversation, STEP)
    expect(drawn(conversation, WIDE)[2]).toBe('~ First of all I should look at the tests.')
    // It comes by another way than the record.
    expect(withReasoning(conversation, 'at the tests.', false)).toBe(conversation)
  })
})

describe('a retry', () => {
  const retry = {
    type: 'retry',
    model: 'fake/alpha',
    attempt: 1,
    delayMs: 2_000,
    reason: `busy${EVIL}`,
  } as const

  test('drops what was written since the last step, and says why and what comes', () => {
    const conversation = withText(withReasoning(of(...BEGUN), 'hm', false), 'half an ans', false)
    const retried = withRetry(conversation, retry)
    expect(drawn(retried, WIDE).slice(2)).toEqual(['! model fake/alpha failed: busy; again in 2 s'])
    const again = withText(retried, 'a whole answer', false)
    expect(drawn(again, WIDE).slice(2)).toEqual([
      '! model fake/alpha failed: busy; again in 2 s',
      'a whole answer',
    ])
    expect(drawn(more(again, STEP), WIDE).join()).not.toContain('failed')
  })

  test('names the model that is asked instead', () => {
    const retried = withRetry(of(...BEGUN), { ...retry, delayMs: 0, fallback: 'fake/beta' })
    expect(drawn(retried, WIDE).at(-1)).toBe('! model fake/alpha failed: busy; fake/beta is asked instead')
  })
})

describe('a question in a conversation', () => {
  test('is there with its call, which waits for it', () => {
    const conversation = of(...BEGUN, STEP, ASKED)
    expect(drawn(conversation, WIDE).slice(-2)).toEqual([
      '? shell  npm test  waits for your answer',
      '? may it run? shell: npm test - not in the rules',
    ])
    const allowed = more(conversation, answered({}))
    expect(drawn(allowed, WIDE).slice(-3)).toEqual([
      '○ shell  npm test  not started',
      '? may it run? shell: npm test - not in the rules',
      '· allowed once',
    ])
  })

  test('stands with its answer before the result of its call, also where two are open', () => {
    const other = { toolCallId: 'd', name: 'shell', input: { command: 'rm  -r  x' } }
    const denied = 'not allowed by a person'
    const conversation = of(
      ...BEGUN,
      { type: 'step.model', turnId: '1', content: '', toolCalls: [CALL, other] },
      ASKED,
      { ...ASKED, approvalId: 'a2', toolCallId: 'd', subject: 'rm  -r  x' },
      answered({ approvalId: 'a2', decision: 'deny', reason: 'keep it' }),
      { type: 'tool.finished', turnId: '1', toolCallId: 'd', outcome: 'error', content: denied },
    )
    const second = [
      '✗ shell  rm  -r  x  error',
      '? may it run? shell: rm  -r  x - not in the rules',
      '· not allowed: keep it',
      `│ ${denied}`,
    ]
    expect(drawn(conversation, WIDE).slice(2)).toEqual([
      '? shell  npm test  waits for your answer',
      '? may it run? shell: npm test - not in the rules',
      ...second,
    ])
    const done = more(
      conversation,
      answered({}),
      { type: 'tool.started', turnId: '1', ...CALL },
      { type: 'tool.finished', turnId: '1', toolCallId: 'c', outcome: 'ok', content: 'all pass' },
    )
    expect(drawn(done, WIDE).slice(2)).toEqual([
      '● shell  npm test',
      '? may it run? shell: npm test - not in the rules',
      '· allowed once',
      '│ all pass',
      ...second,
    ])
  })

  test('is asked again about the same call, below the answer before', () => {
    const conversation = of(...BEGUN, STEP, ASKED, answered({}), { ...ASKED, approvalId: 'a2' })
    expect(drawn(conversation, WIDE).slice(-4)).toEqual([
      '? shell  npm test  waits for your answer',
      '? may it run? shell: npm test - not in the rules',
      '· allowed once',
      '? may it run? shell: npm test - not in the rules',
    ])
  })

  test('that was not read leaves its answer alone, until it is', () => {
    const whole = records([...BEGUN, STEP, ASKED, answered({})])
    const cut = whole.length - 1
    const later = withRecords({ ...EMPTY, firstSeq: cut + 1, lastSeq: cut }, whole.slice(cut), false)
    expect(drawn(later, WIDE).at(-1)).toBe('· allowed once')
    const read = withRecords(later, whole.slice(0, cut), true)
    expect(drawn(read, WIDE).slice(-3)).toEqual([
      '○ shell  npm test  not started',
      '? may it run? shell: npm test - not in the rules',
      '· allowed once',
    ])
  })

  test.each([
    [{ decision: 'session' }, '· allowed for this session'],
    [{ decision: 'deny' }, '· not allowed'],
    [{ decision: 'deny', reason: `too\u001b[1m risky` }, '· not allowed: too risky'],
    [{ decision: 'deny', by: 'timeout' }, '· nobody answered in time: not allowed'],
  ] as const)('is answered: %o', (answer, text) => {
    expect(drawn(of(...BEGUN, STEP, ASKED, answered(answer)), WIDE).at(-1)).toBe(text)
  })
})

describe('other agents in a conversation', () => {
  test('are named where a call waits for them, until it ends', () => {
    const call = { toolCallId: 'r', name: 'ask_agent', input: { agent: 'reviewer', message: 'is it good?' } }
    const conversation = of(
      ...BEGUN,
      { type: 'step.model', turnId: '1', content: '', toolCalls: [call] },
      { type: 'tool.started', turnId: '1', ...call },
      { type: 'agent.asked', turnId: '1', toolCallId: 'r', agentId: 'reviewer', taskId: 't' },
    )
    expect(drawn(conversation, WIDE).at(-1)).toBe('… ask_agent  reviewer: is it good?  waits for reviewer 0s')
    const done = more(conversation, {
      type: 'tool.finished',
      turnId: '1',
      toolCallId: 'r',
      outcome: 'ok',
      content: 'yes',
    })
    expect(drawn(done, WIDE).slice(-2)).toEqual(['● ask_agent  reviewer: is it good?', '│ yes'])
  })

  test('are named where they ask', () => {
    const askedBy = { agentId: 'lead', turnId: 'x', depth: 1 }
    expect(
      drawn(of({ type: 'message.accepted', turnId: '1', taskId: '1', input: 'look', askedBy })).at(-1),
    ).toBe('❯ lead: look (queued)')
  })
})

describe('a steered message', () => {
  const accepted: RecordBody = {
    type: 'message.accepted',
    turnId: '2',
    taskId: '2',
    input: 'faster',
    mode: 'steer',
  }
  const steered: RecordBody = { type: 'message.steered', turnId: '1', messageTurnId: '2' }

  test('waits, and is then where the turn took it', () => {
    const waiting = of(...BEGUN, accepted)
    expect(drawn(waiting).at(-1)).toBe('❯ faster (to be taken into the turn)')
    const taken = more(waiting, steered, { type: 'step.model', turnId: '1', content: 'I hurry.' })
    expect(drawn(taken).slice(-2)).toEqual(['❯ faster (taken into the turn)', 'I hurry.'])
  })

  test('that found no turn is one like others', () => {
    expect(drawn(of(accepted, { type: 'turn.started', turnId: '2', attempt: 1 })).at(-1)).toBe('❯ faster')
  })
})

test('a summary is marked, with what it took', () => {
  const usage = { inputTokens: 20_000, outputTokens: 500, costUsd: 1.5 }
  const conversation = of(...BEGUN, {
    type: 'memory.compacted',
    turnId: '1',
    summary: 's',
    throughSeq: 1,
    usage,
  })
  expect(drawn(conversation, WIDE).at(-1)).toBe(
    '· summed up for the model: all up to record 1 · 20k in, 500 out · $1.50',
  )
})

test('a conversation with a model is the same wherever it was cut and joined again', () => {
  const second = { toolCallId: 'r', name: 'ask_agent', input: { agent: 'reviewer', message: 'well?' } }
  const whole = records([
    ...BEGUN,
    STEP,
    ASKED,
    answered({}),
    { ...ASKED, approvalId: 'a2' },
    answered({ approvalId: 'a2' }),
    { type: 'tool.started', turnId: '1', ...CALL },
    { type: 'tool.finished', turnId: '1', toolCallId: 'c', outcome: 'error', content: 'no', exitCode: 1 },
    { type: 'message.accepted', turnId: '2', taskId: '2', input: 'faster', mode: 'steer' },
    { type: 'message.steered', turnId: '1', messageTurnId: '2' },
    { type: 'step.model', turnId: '1', content: '', toolCalls: [CALL, second] },
    { ...ASKED, approvalId: 'a3' },
    { ...ASKED, approvalId: 'a4', toolCallId: 'r' },
    answered({ approvalId: 'a3', decision: 'deny' }),
    answered({ approvalId: 'a4' }),
    { type: 'tool.started', turnId: '1', ...second },
    { type: 'agent.asked', turnId: '1', toolCallId: 'r', agentId: 'reviewer', taskId: 't' },
    { type: 'tool.finished', turnId: '1', toolCallId: 'r', outcome: 'ok', content: 'yes' },
    { type: 'tool.finished', turnId: '1', toolCallId: 'c', outcome: 'error', content: 'refused' },
    { type: 'memory.compacted', turnId: '1', summary: 's', throughSeq: 3 },
    { type: 'turn.finished', turnId: '1', status: 'completed' },
  ])
  const size = { width: 100, height: 100 }
  const expected = drawn(withRecords(EMPTY, whole, false), size)
  for (let cut = 1; cut < whole.length; cut += 1) {
    const later = withRecords({ ...EMPTY, firstSeq: cut + 1, lastSeq: cut }, whole.slice(cut), false)
    expect(drawn(withRecords(later, whole.slice(0, cut), true), size), `cut at ${cut}`).toEqual(expected)
  }
})

test('nothing that a model, a question or an answer says reaches the terminal as it is', () => {
  const conversation = of(
    ...BEGUN,
    {
      ...STEP,
      content: `a${EVIL}`,
      reasoning: `b${EVIL}`,
      model: `c${EVIL}`,
      toolCalls: [{ toolCallId: 'c', name: `d${EVIL}`, input: { agent: EVIL, message: EVIL } }],
    },
    { ...ASKED, tool: `e${EVIL}`, subject: `f${EVIL}`, reason: `g${EVIL}` },
    answered({ decision: 'deny', reason: `h${EVIL}` }),
    { type: 'agent.asked', turnId: '1', toolCallId: 'c', agentId: `i${EVIL}`, taskId: 't' },
  )
  for (const one of [
    conversation,
    toggleAllFolds(conversation),
    withReasoning(conversation, `j${EVIL}`, false),
  ]) {
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(drawn(one, WIDE).join('\n')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
  }
})
