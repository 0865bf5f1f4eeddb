import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fold, foldFirst, headerOf } from '../../src/core/fold.ts'
import type { RecordBody, RecordType, SessionRecord } from '../../src/core/record.ts'
import {
  type ApprovalDecision,
  MAX_STEERED,
  MAX_TASKS,
  type SessionState,
} from '../../src/core/session-state.ts'
import { addUsage, noUsage, type Usage } from '../../src/core/usage.ts'
import { isAgentryError } from '../../src/errors.ts'
import { AGENT_ID, SESSION_ID, journal, journalOf, replay } from './journals.ts'

/** Through a snapshot file and back. */
function stored(state: SessionState): SessionState {
  return JSON.parse(JSON.stringify(state)) as SessionState
}

function accepted(turnId: string): RecordBody {
  return { type: 'message.accepted', turnId, taskId: `${turnId}-task`, input: `do ${turnId}` }
}

function started(turnId: string, attempt = 1): RecordBody {
  return { type: 'turn.started', turnId, attempt }
}

function toolStarted(toolCallId: string, turnId = 't1'): RecordBody {
  return { type: 'tool.started', turnId, toolCallId, name: 'shell', input: { command: 'ls' } }
}

function toolFinished(toolCallId: string, turnId = 't1'): RecordBody {
  return { type: 'tool.finished', turnId, toolCallId, outcome: 'ok', content: 'README.md' }
}

function announcing(...toolCallIds: string[]): RecordBody {
  const toolCalls = toolCallIds.map((toolCallId) => ({ toolCallId, name: 'shell', input: {} }))
  return { type: 'step.model', turnId: 't1', content: 'let me look', toolCalls }
}

function asking(approvalId: string, toolCallId: string): RecordBody {
  const grant = { tool: 'shell', pattern: 'ls' }
  const expiresAt = '2026-01-02T00:00:00.000Z'
  const question = { tool: 'shell', subject: 'ls', reason: 'rules', grant, expiresAt }
  return { type: 'approval.asked', approvalId, turnId: 't1', toolCallId, ...question }
}

function answering(approvalId: string, decision: ApprovalDecision = 'once'): RecordBody {
  return { type: 'approval.answered', turnId: 't1', approvalId, decision, by: 'person' }
}

function askingAgent(toolCallId: string): RecordBody {
  return { type: 'agent.asked', turnId: 't1', toolCallId, agentId: 'tester', taskId: 'task' }
}

function steering(messageTurnId: string): RecordBody {
  return { type: 'message.steered', turnId: 't1', messageTurnId }
}

function compacting(throughSeq: number, usage?: Usage): RecordBody {
  return { type: 'memory.compacted', turnId: 't1', summary: 'so far', throughSeq, ...(usage && { usage }) }
}

function completed(turnId: string, result?: string): RecordBody {
  return { type: 'turn.finished', turnId, status: 'completed', ...(result !== undefined && { result }) }
}

test('a question keeps what it shows beside its subject, through a snapshot too, and has none where none was recorded', () => {
  const asked = (detail: object) => [
    accepted('t1'),
    started('t1'),
    announcing('c1'),
    { ...asking('a1', 'c1'), ...detail },
  ]
  const shown = stored(replay(journalOf(asked({ detail: 'content: x' })))).approvals[0]
  expect(shown).toMatchObject({ subject: 'ls', detail: 'content: x' })
  expect(replay(journalOf(asked({}))).approvals[0]).not.toHaveProperty('detail')
})

describe('folding a journal in parts', () => {
  test('gives the same state as folding it whole, whatever record the snapshot was taken behind (F1)', () => {
    fc.assert(
      fc.property(journal, fc.nat(), (records, at) => {
        const split = 1 + (at % records.length)
        const resumed = stored(replay(records.slice(0, split)))
        for (const record of records.slice(split)) fold(resumed, record)
        expect(resumed).toEqual(replay(records))
      }),
      { numRuns: 200 },
    )
  })

  test('gives the same state again from the same records', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const before = structuredClone(records)
        expect(replay(records)).toEqual(replay(records))
        expect(records).toEqual(before)
      }),
    )
  })
})

describe('the order of records', () => {
  test('is by seq: any number but the next is refused (F2)', () => {
    fc.assert(
      fc.property(journal, fc.integer({ min: -3, max: 3 }), (records, off) => {
        fc.pre(off !== 0 && records.length > 1)
        const last = records.at(-1)
        if (last === undefined) return
        expectRefused(replay(records.slice(0, -1)), { ...last, seq: last.seq + off })
      }),
    )
  })

  test('a record of a lower epoch is refused, one of a higher epoch raises it (F2)', () => {
    const state = replay(journalOf([]))
    fold(state, { seq: 2, epoch: 5, at: state.createdAt, ...accepted('t1') })
    expect(state.epoch).toBe(5)
    expectRefused(state, { seq: 3, epoch: 4, at: state.createdAt, ...started('t1') })
    fold(state, { seq: 3, epoch: 5, at: state.createdAt, ...started('t1') })
    expect(state).toMatchObject({ seq: 3, epoch: 5 })
  })

  test('a journal begins with session.created at seq 1', () => {
    const [created] = journalOf([])
    if (created === undefined) throw new Error('no record')
    expect(() => foldFirst({ ...created, seq: 2 })).toThrow(
      expect.objectContaining({ code: 'session_damaged' }),
    )
    expect(() => foldFirst({ seq: 1, epoch: 1, at: created.at, ...accepted('t1') })).toThrow(
      expect.objectContaining({ code: 'session_damaged' }),
    )
  })
})

describe('an illegal record', () => {
  const inTurn: RecordBody[] = [accepted('t1'), accepted('t2'), started('t1')]
  const cases: [string, RecordBody[], RecordBody][] = [
    ['a second session.created', [], firstBody()],
    ['session.restored outside the trash', [], { type: 'session.restored' }],
    ['session.trashed in the trash', [{ type: 'session.trashed' }], { type: 'session.trashed' }],
    ['a turn that nobody asked for', [], started('t1')],
    ['a turn out of the queue order', [accepted('t1'), accepted('t2')], started('t2')],
    ['a first attempt that is not 1', [accepted('t1')], started('t1', 2)],
    ['a second turn beside the open one', inTurn, started('t2')],
    ['an attempt that was there already', inTurn, started('t1', 1)],
    ['an attempt too many', inTurn, started('t1', 3)],
    ['a step outside any turn', [accepted('t1')], announcing()],
    ['a step of another turn', inTurn, { type: 'step.model', turnId: 't2', content: '' }],
    ['a tool call outside any turn', [], toolStarted('c1')],
    ['a tool call that runs already', [...inTurn, toolStarted('c1')], toolStarted('c1')],
    ['a tool call that has ended', [...inTurn, toolStarted('c1'), toolFinished('c1')], toolStarted('c1')],
    ['the end of an unknown tool call', inTurn, toolFinished('c1')],
    ['the second end of a tool call', [...inTurn, toolStarted('c1'), toolFinished('c1')], toolFinished('c1')],
    ['one id for two calls of a step', inTurn, announcing('c1', 'c1')],
    ['the id of a call that is announced', [...inTurn, announcing('c1')], announcing('c2', 'c1')],
    ['the id of a call that runs', [...inTurn, toolStarted('c1')], announcing('c2', 'c1')],
    ['the end of a turn with a call under way', [...inTurn, toolStarted('c1')], completed('t1', 'done')],
    ['the end of an unknown turn', inTurn, completed('t9')],
    ['the second end of a turn', [...inTurn, completed('t1', 'done')], completed('t1', 'done')],
    ['a question about an unknown call', inTurn, asking('a1', 'c1')],
    ['a question about a call that runs', [...inTurn, toolStarted('c1')], asking('a1', 'c1')],
    ['a second question', [...inTurn, announcing('c1'), asking('a1', 'c1')], asking('a2', 'c1')],
    ['the answer to no question', [...inTurn, announcing('c1')], answering('a1')],
    ['a second answer', [...inTurn, announcing('c1'), asking('a1', 'c1'), answering('a1')], answering('a1')],
    [
      'the answer about a call that has started',
      [...inTurn, announcing('c1'), asking('a1', 'c1'), toolStarted('c1')],
      answering('a1'),
    ],
    ['another agent asked by a call that has not started', [...inTurn, announcing('c1')], askingAgent('c1')],
    ['another agent asked twice', [...inTurn, toolStarted('c1'), askingAgent('c1')], askingAgent('c1')],
    ['a steered message that is not in the queue', inTurn, steering('t1')],
    ['a message steered twice', [...inTurn, steering('t2')], steering('t2')],
    ['a message steered outside any turn', [accepted('t1')], steering('t1')],
    ['a summary outside any turn', [accepted('t1')], compacting(1)],
    ['a summary of nothing', inTurn, compacting(0)],
    ['a summary of nothing more', [...inTurn, compacting(2)], compacting(2)],
    ['a summary of what has not come yet', inTurn, compacting(5)],
    ['an unknown type', [], { type: 'session.exploded' } as unknown as RecordBody],
  ]

  test.each(cases)('%s is refused and leaves the state as it was (F3)', (_, before, illegal) => {
    const state = replay(journalOf(before))
    expectRefused(state, { seq: state.seq + 1, epoch: 1, at: '2027-01-01T00:00:00.000Z', ...illegal })
  })

  test('is refused behind any journal, and the journal goes on as if it had never come (F3)', () => {
    fc.assert(
      fc.property(journal, fc.nat(), fc.nat(), (records, at, choice) => {
        const split = 1 + (at % records.length)
        const state = replay(records.slice(0, split))
        const { seq, epoch, turn } = state
        const illegal: RecordBody[] = [
          firstBody(),
          started('nobody'),
          { type: state.trashedAt === undefined ? 'session.restored' : 'session.trashed' },
          toolStarted('c1', 'nobody'),
          toolFinished('never started', turn?.turnId ?? 'nobody'),
          completed('nobody', 'done'),
          ...(turn ? [started(turn.turnId, turn.attempt)] : []),
        ]
        const body = illegal[choice % illegal.length]
        if (body === undefined) return
        expectRefused(state, { seq: seq + 1, epoch, at: '2027-01-01T00:00:00.000Z', ...body })
        for (const record of records.slice(split)) fold(state, record)
        expect(state).toEqual(replay(records))
      }),
    )
  })

  test('is named with its seq, its type and what was expected', () => {
    const state = replay(journalOf([accepted('t1')]))
    const record: SessionRecord = { seq: 3, epoch: 1, at: state.createdAt, ...started('t2') }
    expect(() => fold(state, record)).toThrow(
      'record 3 (turn.started): expected attempt 1 of the first message in the queue (t1)',
    )
  })
})

describe('lastAccessedAt', () => {
  test('changes by loads and turns only (F4)', () => {
    fc.assert(
      fc.property(journal, ([first, ...rest]) => {
        if (first === undefined) return
        const state = foldFirst(first)
        for (const record of rest) {
          const before = state.lastAccessedAt
          fold(state, record)
          const touches =
            record.type === 'turn.started' ||
            record.type === 'turn.finished' ||
            (record.type === 'session.changed' && record.accessed === true)
          expect(state.lastAccessedAt).toBe(touches ? record.at : before)
        }
      }),
    )
  })
})

describe('the queue and the turns', () => {
  test('messages wait in order, each becomes the open turn, then a finished task', () => {
    const state = replay(journalOf([accepted('t1'), accepted('t2'), started('t1')]))
    expect(state.turn).toMatchObject({ turnId: 't1', taskId: 't1-task', input: 'do t1', attempt: 1 })
    expect(state.queue.map((message) => message.turnId)).toEqual(['t2'])
    expect(state.memory).toMatchObject([{ turnId: 't1', role: 'user', content: 'do t1', seq: 4 }])

    fold(state, { seq: 5, epoch: 1, at: '2026-01-01T00:01:00.000Z', ...completed('t1', 'done') })
    expect(state.turn).toBeNull()
    expect(state.tasks).toEqual([{ taskId: 't1-task', turnId: 't1', status: 'completed' }])
    expect(state.memory.at(-1)).toMatchObject({ role: 'assistant', content: 'done', seq: 5 })
    expect(state.counts).toEqual({ turns: 1, entries: 2, ...noUsage() })
  })

  test('a message cancelled in the queue leaves a task, no turn and no memory', () => {
    const cancelled: RecordBody = { type: 'turn.finished', turnId: 't2', status: 'cancelled' }
    const state = replay(
      journalOf([accepted('t1'), accepted('t2'), accepted('t3'), started('t1'), cancelled]),
    )
    expect(state.turn?.turnId).toBe('t1')
    expect(state.queue.map((message) => message.turnId)).toEqual(['t3'])
    expect(state.tasks).toEqual([{ taskId: 't2-task', turnId: 't2', status: 'cancelled' }])
    expect(state.counts).toMatchObject({ turns: 0, entries: 1 })
  })

  test('another attempt goes on with the open turn and adds no user message', () => {
    const state = replay(
      journalOf([accepted('t1'), started('t1'), toolStarted('c1'), toolFinished('c1'), started('t1', 2)]),
    )
    expect(state.turn).toMatchObject({ attempt: 2, calls: [{ toolCallId: 'c1', state: 'ok' }] })
    expect(state.memory.map((entry) => entry.role)).toEqual(['user', 'assistant', 'tool'])
  })

  test('how a turn failed is kept with its task', () => {
    const error = { code: 'turn_failed', message: 'no' } as const
    const failed: RecordBody = { type: 'turn.finished', turnId: 't1', status: 'failed', error, exitCode: 3 }
    const state = replay(journalOf([accepted('t1'), started('t1'), failed]))
    expect(state.tasks).toEqual([{ taskId: 't1-task', turnId: 't1', status: 'failed', error, exitCode: 3 }])
  })

  test(`the last ${MAX_TASKS} tasks are remembered, the oldest goes first`, () => {
    const turns = Array.from({ length: MAX_TASKS + 2 }, (_, index) => `t${index}`)
    const state = replay(journalOf(turns.flatMap((id) => [accepted(id), started(id), completed(id, 'ok')])))
    expect(state.tasks).toHaveLength(MAX_TASKS)
    expect(state.tasks[0]?.turnId).toBe('t2')
    expect(state.tasks.at(-1)?.turnId).toBe(`t${MAX_TASKS + 1}`)
    expect(state.counts.turns).toBe(MAX_TASKS + 2)
  })

  test('every message of the turn that ended last is remembered, however many it took in', () => {
    expect(MAX_STEERED).toBeLessThan(MAX_TASKS)
    const taken = Array.from({ length: MAX_TASKS + 20 }, (_, index) => `s${index}`)
    const journal = [accepted('t1'), started('t1'), ...taken.flatMap((id) => [accepted(id), steering(id)])]
    const state = replay(journalOf([...journal, completed('t1', 'done')]))
    expect(state.tasks.map(({ turnId }) => turnId)).toEqual(['t1', ...taken])
    expect(state.tasks.at(-1)).toEqual({
      turnId: taken.at(-1),
      taskId: `${taken.at(-1)}-task`,
      status: 'completed',
      into: 't1',
    })
    const later = replay(
      journalOf([...journal, completed('t1'), accepted('t2'), started('t2'), completed('t2')]),
    )
    expect(later.tasks).toHaveLength(MAX_TASKS)
    expect(later.tasks.at(-1)?.turnId).toBe('t2')
  })

  test('every accepted message is in one place: in the queue, in the open turn, or finished', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const { queue, turn, tasks } = replay(records)
        const known = [...tasks, ...(turn ? [turn, ...turn.steered] : []), ...queue]
        const came = records.flatMap((record) => (record.type === 'message.accepted' ? [record] : []))
        const ids = ({ turnId, taskId }: { turnId: string; taskId: string }) => `${turnId} ${taskId}`
        expect(known.map(ids).toSorted()).toEqual(came.map(ids).toSorted())
      }),
    )
  })
})

describe('questions', () => {
  const asked = [
    accepted('t1'),
    started('t1'),
    announcing('c1', 'c2'),
    asking('a1', 'c1'),
    asking('a2', 'c2'),
  ]

  test('stay until they are answered, and the answer stays with the call until it starts', () => {
    const before = replay(journalOf(asked))
    expect(before.approvals).toMatchObject([
      { approvalId: 'a1', toolCallId: 'c1', subject: 'ls', askedAt: '2026-01-01T00:00:04.000Z' },
      { approvalId: 'a2', toolCallId: 'c2' },
    ])
    const answered = replay(journalOf([...asked, answering('a1')]))
    expect(answered.approvals).toMatchObject([{ approvalId: 'a2' }])
    expect(answered.turn?.calls[0]?.answer).toEqual({ decision: 'once', by: 'person', subject: 'ls' })
    expect(answered.grants).toEqual([])
    const running = replay(journalOf([...asked, answering('a1'), toolStarted('c1')]))
    expect(running.turn?.calls[0]).toEqual({ toolCallId: 'c1', name: 'shell', state: 'running' })
  })

  test('an answer for the session adds what it grants', () => {
    const state = replay(journalOf([...asked, answering('a1', 'session')]))
    expect(state.grants).toEqual([{ tool: 'shell', pattern: 'ls' }])
  })

  test('go with the start of their call, with its end and with their turn', () => {
    expect(replay(journalOf([...asked, toolStarted('c1')])).approvals).toMatchObject([{ approvalId: 'a2' }])
    expect(replay(journalOf([...asked, toolFinished('c2')])).approvals).toMatchObject([{ approvalId: 'a1' }])
    expect(replay(journalOf([...asked, completed('t1')])).approvals).toEqual([])
  })

  test('are always about calls of the open turn that have not started, one about each', () => {
    fc.assert(
      fc.property(journal, ([first, ...rest]) => {
        if (first === undefined) return
        const state = foldFirst(first)
        for (const record of rest) {
          const { approvals, turn } = fold(state, record)
          const announced = turn?.calls.filter((call) => call.state === 'announced') ?? []
          const ids = announced.map(({ toolCallId }) => toolCallId)
          const about = approvals.map(({ toolCallId }) => toolCallId)
          expect(ids).toEqual(expect.arrayContaining(about))
          expect(new Set(about).size).toBe(about.length)
          const answered = turn?.calls.filter((call) => call.answer !== undefined) ?? []
          expect(announced).toEqual(expect.arrayContaining(answered))
        }
      }),
    )
  })
})

describe('summaries', () => {
  test('stand for the entries up to a seq and say where they were recorded; the entries stay', () => {
    const state = replay(journalOf([accepted('t1'), started('t1'), announcing(), compacting(4)]))
    expect(state.summary).toEqual({ text: 'so far', throughSeq: 4, seq: 5 })
    expect(state.memory).toHaveLength(2)
  })

  test('cost what they report, as steps do', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const total = noUsage()
        for (const record of records) {
          const counts = record.type === 'step.model' || record.type === 'memory.compacted'
          if (counts && record.usage) addUsage(total, record.usage)
        }
        expect(replay(records).counts).toMatchObject(total)
      }),
    )
  })
})

describe('the journals of these tests', () => {
  test('have every type of record', () => {
    const types = new Set(
      fc
        .sample(journal, { numRuns: 100, seed: 1 })
        .flat()
        .map(({ type }) => type),
    )
    const all: Record<RecordType, true> = {
      'session.created': true,
      'session.changed': true,
      'session.trashed': true,
      'session.restored': true,
      'message.accepted': true,
      'message.steered': true,
      'turn.started': true,
      'turn.finished': true,
      'step.model': true,
      'tool.started': true,
      'tool.finished': true,
      'agent.asked': true,
      'approval.asked': true,
      'approval.answered': true,
      'memory.compacted': true,
    }
    expect([...types].toSorted()).toEqual(Object.keys(all).toSorted())
  })
})

describe('tool calls', () => {
  test('one that no model asked for brings its own entry into the memory', () => {
    const state = replay(journalOf([accepted('t1'), started('t1'), toolStarted('c1'), toolFinished('c1')]))
    const calls = [{ toolCallId: 'c1', name: 'shell', input: { command: 'ls' } }]
    expect(state.memory.slice(1)).toMatchObject([
      { role: 'assistant', content: '', toolCalls: calls },
      { role: 'tool', toolCallId: 'c1', content: 'README.md' },
    ])
  })

  test('announced ones start in any order without a second entry, or end without a start', () => {
    const state = replay(
      journalOf([
        accepted('t1'),
        started('t1'),
        announcing('c1', 'c2', 'c3'),
        toolStarted('c2'),
        toolStarted('c1'),
        toolFinished('c1'),
        { type: 'tool.finished', turnId: 't1', toolCallId: 'c3', outcome: 'error', content: 'refused' },
      ]),
    )
    expect(state.turn?.calls).toEqual([
      { toolCallId: 'c1', name: 'shell', state: 'ok' },
      { toolCallId: 'c2', name: 'shell', state: 'running' },
      { toolCallId: 'c3', name: 'shell', state: 'error' },
    ])
    expect(state.memory.map((entry) => entry.role)).toEqual(['user', 'assistant', 'tool', 'tool'])
  })

  test('a model may use the id of an ended call again in a later step', () => {
    const round = [announcing('call_0'), toolStarted('call_0'), toolFinished('call_0')]
    const state = replay(
      journalOf([accepted('t1'), started('t1'), ...round, ...round, completed('t1', 'done')]),
    )
    expect(state.memory.filter((entry) => entry.role === 'tool')).toHaveLength(2)
    expect(state.turn).toBeNull()
  })

  test('the tokens of model steps add up', () => {
    const step: RecordBody = {
      type: 'step.model',
      turnId: 't1',
      content: 'hm',
      usage: { inputTokens: 10, outputTokens: 2 },
    }
    const state = replay(journalOf([accepted('t1'), started('t1'), step, step]))
    expect(state.counts).toMatchObject({ inputTokens: 20, outputTokens: 4, entries: 3 })
    expect(state.memory.at(-1)?.usage).toEqual({ inputTokens: 10, outputTokens: 2 })
  })
})

describe('patches', () => {
  const changed = (changes: SessionRecord & { type: 'session.changed' }) => changes.changes

  test('a value sets, null removes, what is not named stays', () => {
    const state = replay(
      journalOf([{ type: 'session.changed', changes: { vars: { A: '2', B: null, C: '3' }, name: 'new' } }], {
        vars: { A: '1', B: '1', D: '1' },
      }),
    )
    expect(state.vars).toEqual({ A: '2', C: '3', D: '1' })
    expect(state).toMatchObject({ name: 'new', prompt: '', workingDir: '/home/me/project', status: 'active' })
  })

  test('keys named like parts of Object.prototype are keys like any other', () => {
    const odd = { ['__proto__']: 'p', constructor: 'c', toString: 't', hasOwnProperty: 'h' }
    const state = replay(journalOf([{ type: 'session.changed', changes: { vars: odd } }]))
    expect(Object.entries(state.vars)).toEqual(Object.entries(odd))
    expect(Object.getPrototypeOf(state.vars)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>)['p']).toBeUndefined()

    const removal = { ['__proto__']: null, constructor: null }
    fold(state, {
      seq: 3,
      epoch: 1,
      at: state.createdAt,
      type: 'session.changed',
      changes: { vars: removal, metadata: { constructor: { deep: null } } },
    })
    expect(Object.keys(state.vars)).toEqual(['toString', 'hasOwnProperty'])
    expect(state.metadata).toEqual({ constructor: { deep: null } })
  })

  test('the last value of each key is the one that counts', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const expected = new Map<string, string>()
        for (const record of records) {
          const patch =
            record.type === 'session.created'
              ? record.vars
              : record.type === 'session.changed'
                ? (changed(record).vars ?? {})
                : {}
          for (const [key, value] of Object.entries(patch)) {
            if (value === null) expected.delete(key)
            else expected.set(key, value)
          }
        }
        expect(new Map(Object.entries(replay(records).vars))).toEqual(expected)
      }),
    )
  })
})

describe('a fork', () => {
  test('starts with its conversation and says where it comes from', () => {
    const memory = [
      { seq: 1, at: '2025-01-01T00:00:00.000Z', turnId: 'a', role: 'user' as const, content: 'hi' },
      { seq: 1, at: '2025-01-01T00:00:01.000Z', turnId: 'a', role: 'assistant' as const, content: 'hello' },
      { seq: 1, at: '2025-01-01T00:00:02.000Z', turnId: 'b', role: 'user' as const, content: 'bye' },
    ]
    const forkedFrom = { sessionId: SESSION_ID, seq: 12 }
    const state = replay(journalOf([accepted('t1'), started('t1')], { memory, forkedFrom }))
    expect(state.forkedFrom).toEqual(forkedFrom)
    expect(state.memory.slice(0, 3)).toEqual(memory)
    expect(state.counts).toMatchObject({ turns: 2, entries: 4 })
    expect(memory).toHaveLength(3)
  })
})

describe('a header', () => {
  test('is the state without its memory', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const state = replay(records)
        const { memory: _memory, ...expected } = state
        expect(headerOf(state)).toEqual(expected)
      }),
    )
  })

  test('does not follow what is folded in later', () => {
    fc.assert(
      fc.property(journal, fc.nat(), (records, at) => {
        const split = 1 + (at % records.length)
        const state = replay(records.slice(0, split))
        const header = headerOf(state)
        const before = structuredClone(header)
        for (const record of records.slice(split)) fold(state, record)
        expect(header).toEqual(before)
      }),
    )
  })

  test('names its agent and its session', () => {
    expect(headerOf(replay(journalOf([])))).toMatchObject({ id: SESSION_ID, agentId: AGENT_ID, seq: 1 })
  })
})

function firstBody(): RecordBody {
  const [first] = journalOf([])
  if (first === undefined) throw new Error('no record')
  const { seq: _seq, epoch: _epoch, at: _at, ...body } = first
  return body
}

function expectRefused(state: SessionState, record: SessionRecord): void {
  const before = structuredClone(state)
  let thrown: unknown
  try {
    fold(state, record)
  } catch (error) {
    thrown = error
  }
  expect(isAgentryError(thrown, 'session_damaged'), `expected session_damaged, got ${String(thrown)}`).toBe(
    true,
  )
  expect(state).toEqual(before)
}
