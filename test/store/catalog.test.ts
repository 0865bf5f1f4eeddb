import { noUsage } from '../../src/core/usage.ts'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fold, foldFirst, headerOf } from '../../src/core/fold.ts'
import { createId } from '../../src/core/ids.ts'
import type { RecordBody, SessionRecord } from '../../src/core/record.ts'
import type { SessionHeader, SessionState } from '../../src/core/session-state.ts'
import { isAgentryError } from '../../src/errors.ts'
import { Catalog } from '../../src/store/catalog.ts'
import { MAX_TOKEN } from '../../src/store/claims.ts'
import type { ListedSession } from '../../src/store/session-store.ts'
import { approvalOf } from '../fakes/approval.ts'
import { makeHeader, makeTask } from '../fakes/headers.ts'

function catalogOf(...headers: SessionHeader[]): Catalog {
  const catalog = new Catalog()
  for (const header of headers) catalog.update(header, 1_000)
  return catalog
}

function storeOf(sessions: ListedSession[]): { list(): AsyncIterable<ListedSession> } {
  return {
    async *list() {
      yield* sessions
    },
  }
}

const minute = (count: number): string => new Date(Date.UTC(2026, 0, 1) + count * 60_000).toISOString()

describe('a catalog of a store', () => {
  test('has every session that could be read, and a problem for each that could not', async () => {
    const good = makeHeader({ epoch: 7_000_003 })
    const bad = createId()
    const problem = { kind: 'damage', sessionId: bad, message: 'byte 17 is wrong' } as const
    const catalog = await Catalog.open(
      storeOf([
        { header: good, sessionId: good.id, diskBytes: 700 },
        { sessionId: bad, diskBytes: 50, problem },
      ]),
    )
    expect(catalog.get(good.id)).toMatchObject({ id: good.id, diskBytes: 700, current: false })
    expect(catalog.problems()).toEqual([problem])
    expect(catalog.totals()).toEqual({ sessions: 1, diskBytes: 750 })
    expect(catalog.highestEpoch()).toBe(7_000_003)
  })

  test.each([
    ['damage', 'session_damaged'],
    ['foreign-file', 'session_unreadable'],
    ['newer-format', 'unsupported_format'],
    ['journal-missing', 'journal_missing'],
    ['journal-truncated', 'journal_truncated'],
  ] as const)('finding a session with the problem %s says %s', async (kind, code) => {
    const sessionId = createId()
    const catalog = await Catalog.open(
      storeOf([{ sessionId, diskBytes: 0, problem: { kind, sessionId, message: 'why' } }]),
    )
    expect(() => catalog.find(sessionId)).toThrowError(expect.objectContaining({ code, message: 'why' }))
  })

  test('forgets a problem when the session is reported whole, or gone', async () => {
    const mended = makeHeader()
    const gone = createId()
    const unreadable = (sessionId: string): ListedSession => ({
      sessionId,
      diskBytes: 10,
      problem: { kind: 'damage', sessionId, message: 'why' },
    })
    const catalog = await Catalog.open(storeOf([unreadable(mended.id), unreadable(gone)]))
    catalog.update(mended, 20)
    catalog.remove(gone)
    expect(catalog.problems()).toEqual([])
    expect(catalog.totals()).toEqual({ sessions: 1, diskBytes: 20 })
  })
})

describe('the list', () => {
  test('is in the order of the last access, the newer id first at the same time', () => {
    const [a, b] = [makeHeader({ lastAccessedAt: minute(2) }), makeHeader({ lastAccessedAt: minute(2) })]
    const c = makeHeader({ lastAccessedAt: minute(3) })
    const d = makeHeader({ lastAccessedAt: minute(1) })
    expect(
      catalogOf(a, b, c, d)
        .list()
        .map(({ id }) => id),
    ).toEqual([c.id, b.id, a.id, d.id])
  })

  test('is filtered by agent, status and text, all of which must fit', () => {
    const catalog = catalogOf(
      makeHeader({ agentId: 'coder', status: 'terminated', name: 'Fix the Parser' }),
      makeHeader({ agentId: 'coder', status: 'suspended', name: 'docs', description: 'about the PARSER' }),
      makeHeader({ agentId: 'ops', status: 'suspended', name: 'parser' }),
    )
    const names = (...filter: Parameters<Catalog['list']>) =>
      catalog
        .list(...filter)
        .map(({ name }) => name)
        .sort()
    expect(names({ search: 'pArSeR' })).toEqual(['Fix the Parser', 'docs', 'parser'])
    expect(names({ agentId: 'coder' })).toEqual(['Fix the Parser', 'docs'])
    expect(names({ agentId: 'coder', search: 'fix' })).toEqual(['Fix the Parser'])
    expect(names({ status: 'suspended', search: 'parser' })).toEqual(['docs', 'parser'])
    expect(names({ agentId: 'nobody' })).toEqual([])
  })

  test('of 10,000 sessions copies none of them', () => {
    const headers = Array.from({ length: 10_000 }, (_, index) =>
      makeHeader({ lastAccessedAt: minute((index * 7919) % 10_000), name: `session ${index}` }),
    )
    const catalog = catalogOf(...headers)
    expect(catalog.list({ search: 'session' })).toHaveLength(10_000)
    expect(catalog.list()[0]).toBe(catalog.list()[0])
  })

  test('leaves out what went to the trash', () => {
    const header = makeHeader()
    const catalog = catalogOf(header)
    catalog.update({ ...header, trashedAt: minute(1) }, 1_000)
    expect(catalog.list()).toEqual([])
    expect(catalog.totals()).toEqual({ sessions: 0, diskBytes: 0 })
  })

  test('does not change under those who have it', () => {
    const header = makeHeader({ status: 'active', activation: 1 })
    const catalog = catalogOf(header)
    const before = catalog.list()
    const copy = structuredClone(before)
    catalog.update(makeHeader({ status: 'active', activation: 2 }), 5)
    catalog.append(header.id, [changed(2, { name: 'other' })], 400)
    catalog.remove(header.id)
    expect(before).toEqual(copy)
  })
})

describe('finding a session', () => {
  const id = (end: string): string => `01900000-0000-7000-8000-0000000000${end}`
  const first = makeHeader({ id: id('01'), name: 'alpha' })
  const second = makeHeader({ id: id('02'), name: 'beta', agentId: 'ops' })
  const third = makeHeader({ id: '01911111-0000-7000-8000-000000000003', name: 'beta' })
  const named = makeHeader({ id: '01922222-0000-7000-8000-000000000004', name: '0190' })
  const catalog = catalogOf(first, second, third, named)

  test.each([
    ['its id', id('01'), undefined, id('01')],
    ['a prefix that fits one id', '01911', undefined, third.id],
    ['a name that one session has', 'alpha', undefined, first.id],
    ['a name that one session of the agent has', 'beta', 'coder', third.id],
    ['a prefix that fits one id of the agent', '0190', 'ops', second.id],
    ['a name where the same text as a prefix fits several', '0190', undefined, named.id],
  ])('takes %s', (_, reference, agentId, expected) => {
    expect(catalog.find(reference, agentId).id).toBe(expected)
  })

  test.each([
    ['a text that fits nothing', 'gamma', undefined],
    ['a part of a name', 'alph', undefined],
    ['a name in other letters', 'Alpha', undefined],
    ['a prefix of less than 4 characters', '019', undefined],
    ['the empty text', '', undefined],
    ['the id of another agent’s session', id('01'), 'ops'],
    ['another agent’s name', 'alpha', 'ops'],
  ])('does not find %s', (_, reference, agentId) => {
    expect(() => catalog.find(reference, agentId)).toThrowError(
      expect.objectContaining({ code: 'session_not_found' }),
    )
  })

  test('refuses a name of several sessions, and lists them', () => {
    const error = thrownBy(() => catalog.find('beta'))
    if (!isAgentryError(error, 'session_ambiguous')) throw error
    expect(error.message).toMatch(/^"beta" fits 2 sessions: /)
    expect(error.message).toContain(`${second.id} ("beta" of ops)`)
    expect(error.message).toContain(`${third.id} ("beta" of coder)`)
    expect(error.data).toMatchObject({
      reference: 'beta',
      count: 2,
      candidates: [
        { id: third.id, agentId: 'coder' },
        { id: second.id, agentId: 'ops' },
      ],
    })
  })

  test('refuses a prefix of several ids', () => {
    const error = thrownBy(() => catalog.find('01900000'))
    if (!isAgentryError(error, 'session_ambiguous')) throw error
    expect(error.data).toMatchObject({ count: 2 })
  })

  test('names a few candidates in the message and 50 in the data, however many there are', () => {
    const many = catalogOf(...Array.from({ length: 1_000 }, () => makeHeader({ name: 'default' })))
    const error = thrownBy(() => many.find('default'))
    if (!isAgentryError(error, 'session_ambiguous')) throw error
    expect(error.message.length).toBeLessThan(300)
    expect(error.message).toContain('and 997 more')
    expect(error.data).toMatchObject({ count: 1_000 })
    expect(error.data?.['candidates']).toHaveLength(50)
  })
})

describe('the current session of an agent', () => {
  test('is the active one with the highest activation; other active ones are strays', () => {
    const old = makeHeader({ status: 'active', activation: 3 })
    const current = makeHeader({ status: 'active', activation: 4 })
    const suspended = makeHeader({ status: 'suspended', activation: 9 })
    const other = makeHeader({ agentId: 'ops', status: 'active', activation: 1 })
    for (const order of [
      [old, current, suspended, other],
      [other, suspended, current, old],
    ]) {
      const catalog = catalogOf(...order.map((header) => structuredClone(header)))
      expect(catalog.currentOf('coder')?.id).toBe(current.id)
      expect(catalog.strayActiveOf('coder').map(({ id }) => id)).toEqual([old.id])
      expect(catalog.highestActivation('coder')).toBe(9)
      expect(
        catalog
          .list()
          .filter((info) => info.current)
          .map(({ id }) => id)
          .sort(),
      ).toEqual([current.id, other.id].sort())
    }
  })

  test('is none for an agent without an active session, or without any', () => {
    const catalog = catalogOf(makeHeader({ status: 'terminated', activation: 2 }))
    expect(catalog.currentOf('coder')).toBeUndefined()
    expect(catalog.currentOf('nobody')).toBeUndefined()
    expect(catalog.strayActiveOf('nobody')).toEqual([])
    expect(catalog.highestActivation('nobody')).toBe(0)
  })

  test('follows suspension, activation and removal', () => {
    const a = makeHeader({ status: 'active', activation: 1 })
    const b = makeHeader({ status: 'suspended', activation: 0 })
    const catalog = catalogOf(a, b)
    catalog.update({ ...b, status: 'active', activation: 2 }, 1)
    expect([catalog.get(a.id)?.current, catalog.get(b.id)?.current]).toEqual([false, true])
    expect(catalog.strayActiveOf('coder').map(({ id }) => id)).toEqual([a.id])
    catalog.update({ ...a, status: 'suspended' }, 1)
    expect(catalog.strayActiveOf('coder')).toEqual([])
    catalog.remove(b.id)
    expect(catalog.currentOf('coder')).toBeUndefined()
    expect(catalog.highestActivation('coder')).toBe(2)
  })
})

describe('folding reported records', () => {
  test('gives the header that the session itself has, over any division into reports', () => {
    const { records, state } = history(6)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 }), (sizes) => {
        const catalog = new Catalog()
        let start = 0
        for (const size of [...sizes, records.length]) {
          const batch = records.slice(start, start + size)
          start += size
          if (batch.length > 0) catalog.append(state.id, batch, 100 * Math.min(start, records.length))
        }
        const { tasks, ...header } = headerOf(state)
        const journalOffset = 100 * records.length
        const expected = { ...header, journalOffset, current: true, diskBytes: journalOffset }
        expect(catalog.get(state.id)).toEqual(expected)
        for (const entry of tasks) {
          const known = { state: 'finished', turnId: entry.turnId, entry }
          expect(catalog.findTask(entry.turnId)).toEqual({ session: expected, known })
        }
      }),
      { numRuns: 50 },
    )
  })

  test('adds what the journal grew by to the bytes on disk', () => {
    const header = makeHeader({ journalOffset: 300 })
    const catalog = catalogOf(header)
    catalog.append(header.id, [changed(2, { name: 'new' })], 420)
    expect(catalog.get(header.id)).toMatchObject({
      name: 'new',
      seq: 2,
      journalOffset: 420,
      diskBytes: 1_120,
    })
  })

  test('skips records that a header reported in between holds already', () => {
    const header = makeHeader({ seq: 5, name: 'newest' })
    const catalog = catalogOf(header)
    catalog.append(header.id, [changed(4, { name: 'older' }), changed(5, { name: 'newest' })], 300)
    expect(catalog.get(header.id)).toMatchObject({ name: 'newest', seq: 5, diskBytes: 1_000 })
  })

  test('refuses a gap and an unknown session, and changes nothing', () => {
    const header = makeHeader({ name: 'old' })
    const catalog = catalogOf(header)
    expect(() => catalog.append(header.id, [changed(3, { name: 'new' })], 500)).toThrowError(
      expect.objectContaining({ code: 'session_damaged' }),
    )
    expect(() => catalog.append(createId(), [changed(2, { name: 'new' })], 500)).toThrowError(
      expect.objectContaining({ code: 'session_not_found' }),
    )
    expect(catalog.list().map(({ name, seq }) => ({ name, seq }))).toEqual([{ name: 'old', seq: 1 }])
  })

  test('takes a session out when its records say it went to the trash', () => {
    const header = makeHeader()
    const catalog = catalogOf(header)
    catalog.append(header.id, [record(2, { type: 'session.trashed' })], 400)
    expect(catalog.get(header.id)).toBeUndefined()
  })
})

describe('what was used', () => {
  const used = (tokens: number): SessionHeader['counts'] => ({
    ...noUsage(),
    turns: 1,
    entries: 1,
    steps: 1,
    inputTokens: tokens,
    costUsd: tokens / 1_000,
  })
  const tokensOf = (catalog: Catalog): number[] => [
    catalog.used().inputTokens,
    catalog.usage('coder').inputTokens,
  ]

  test('by an agent is the sum of its sessions at any time, the trash not counted', () => {
    const [a, b] = [makeHeader({ counts: used(100) }), makeHeader({ counts: used(20) })]
    const catalog = catalogOf(a, b, makeHeader({ agentId: 'ops', counts: used(7) }))
    expect(catalog.usage('coder')).toMatchObject({ steps: 2, inputTokens: 120 })
    catalog.update({ ...a, counts: used(101) }, 1)
    expect(catalog.usage('coder').inputTokens).toBe(121)
    catalog.remove(a.id)
    expect(catalog.usage('coder')).toEqual({ ...noUsage(), steps: 1, inputTokens: 20, costUsd: 0.02 })
    expect(catalog.usage('nobody')).toEqual(noUsage())
  })

  test('since the start neither falls when a session goes, nor grows when one of before comes back', () => {
    const [old, other] = [makeHeader({ counts: used(5_000) }), makeHeader({ counts: used(0) })]
    const catalog = catalogOf(old, other)
    expect(tokensOf(catalog)).toEqual([0, 5_000])
    catalog.remove(old.id)
    catalog.update({ ...other, counts: used(1_001) }, 1)
    catalog.remove(other.id)
    expect(tokensOf(catalog)).toEqual([1_001, 0])
    catalog.update({ ...other, counts: used(1_001) }, 1)
    catalog.update(old, 1)
    expect(tokensOf(catalog)).toEqual([1_001, 6_001])
    catalog.update({ ...old, counts: used(5_010) }, 1)
    expect(tokensOf(catalog)).toEqual([1_011, 6_011])
  })

  test('since the start has all of a session that began since, up to the record that put it in the trash', () => {
    const { records, state } = history(2)
    const step = (seq: number, turnId: string): SessionRecord => {
      const usage = { inputTokens: 10, outputTokens: 0 }
      return record(seq, { type: 'step.model', turnId, content: '', usage })
    }
    const turnId = createId()
    const seq = state.seq
    const catalog = new Catalog()
    catalog.append(
      state.id,
      [
        ...records,
        record(seq + 1, { type: 'message.accepted', turnId, taskId: turnId, input: 'x' }),
        record(seq + 2, { type: 'turn.started', turnId, attempt: 1 }),
        step(seq + 3, turnId),
      ],
      1_000,
    )
    expect(catalog.used().inputTokens).toBe(10)
    catalog.append(state.id, [step(seq + 4, turnId), record(seq + 5, { type: 'session.trashed' })], 1_200)
    expect(catalog.get(state.id)).toBeUndefined()
    expect(catalog.used().inputTokens).toBe(20)
  })
})

test('the sessions that ask are those that hold a question', () => {
  const asks = makeHeader({ approvals: [approvalOf()] })
  const catalog = catalogOf(asks, makeHeader())
  const ids = (): string[] => catalog.asking().map(({ id }) => id)
  expect(ids()).toEqual([asks.id])
  catalog.update({ ...asks, approvals: [] }, 1)
  expect(ids()).toEqual([])
  catalog.update(asks, 1)
  catalog.remove(asks.id)
  expect(ids()).toEqual([])
})

describe('the task index', () => {
  test('finds a finished, a running, a steered and a queued task by taskId and by turnId', () => {
    const done = makeTask('done-1')
    const bare = makeTask()
    const running = { turnId: createId(), taskId: 'running-1', input: 'x' }
    const steered = { turnId: createId(), taskId: 'steered-1' }
    const queued = { turnId: createId(), taskId: 'queued-1', input: 'y' }
    const header = makeHeader({
      tasks: [done, bare],
      turn: {
        ...running,
        startedAt: minute(1),
        attempt: 1,
        calls: [],
        steps: 0,
        usage: noUsage(),
        steered: [steered],
      },
      queue: [queued],
    })
    const catalog = catalogOf(makeHeader({ tasks: [makeTask('other')] }), header)
    for (const { taskId, turnId } of [done, bare, running, steered, queued]) {
      const owner = { sessionId: header.id, agentId: 'coder', turnId }
      expect(catalog.taskOwner(taskId)).toEqual(owner)
      expect(catalog.taskOwner(turnId)).toEqual(owner)
    }
  })

  test('finds nothing for an unknown taskId, an unknown turnId, and text that is neither', () => {
    const catalog = catalogOf(makeHeader({ tasks: [makeTask('a'), makeTask()] }))
    for (const unknown of ['b', createId(), '', '__proto__', 'a '])
      expect(catalog.taskOwner(unknown)).toBeUndefined()
  })

  test('forgets what a session forgets: its oldest tasks, and all when it goes', () => {
    const tasks = [makeTask('t0'), makeTask(), makeTask('t2')]
    const header = makeHeader({ tasks })
    const catalog = catalogOf(header)
    catalog.update({ ...header, tasks: [...tasks.slice(2), makeTask('t3')] }, 1)
    const known = (ids: (string | undefined)[]) =>
      ids.map((taskId) => catalog.taskOwner(taskId ?? '') !== undefined)
    expect(known(['t0', tasks[1]?.turnId, 't2', 't3'])).toEqual([false, false, true, true])
    catalog.remove(header.id)
    expect(known(['t2', 't3', tasks[2]?.turnId])).toEqual([false, false, false])
  })

  test('keeps a task that another session has, when the first one goes', () => {
    const [a, b] = [makeHeader({ tasks: [makeTask('same')] }), makeHeader({ tasks: [makeTask('same')] })]
    const catalog = catalogOf(a, b)
    catalog.remove(a.id)
    expect(catalog.taskOwner('same')?.sessionId).toBe(b.id)
  })

  test('agrees with a search through all headers, over any life of sessions', () => {
    const taskId = fc.constantFrom(undefined, 'a', 'b', 'c', 'd', 'e')
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('finish' as const), session: fc.nat(3), taskId }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('queue' as const), session: fc.nat(3), taskId }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), session: fc.nat(3) }) },
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const catalog = new Catalog()
        const model = new Map<number, SessionHeader>()
        const asked = new Set<string>(['a', 'b', 'c', 'd', 'e'])
        for (const step of steps) {
          const header = model.get(step.session) ?? makeHeader()
          if (step.do === 'remove') {
            model.delete(step.session)
            catalog.remove(header.id)
            continue
          }
          // A taskId is unique in the team: one that is in use elsewhere joins that turn, and makes no new one.
          const inUse = [...model.values()].some((other) => knows(other, step.taskId ?? ''))
          const task = makeTask(inUse ? undefined : step.taskId)
          asked.add(task.turnId)
          const next: SessionHeader =
            step.do === 'finish'
              ? { ...header, tasks: [...header.tasks, task].slice(-3) }
              : {
                  ...header,
                  queue: [...header.queue, { taskId: task.taskId, turnId: task.turnId, input: '' }],
                }
          model.set(step.session, next)
          catalog.update({ ...next }, 1)
          for (const id of asked) {
            const expected = [...model.values()].find((header) => knows(header, id))
            expect(catalog.taskOwner(id)?.sessionId).toBe(expected?.id)
          }
        }
      }),
    )
  })
})

describe('the highest epoch', () => {
  test('is kept when its session goes, and ignores one that nobody can have given', () => {
    const high = makeHeader({ epoch: 9_000_001 })
    const catalog = catalogOf(high, makeHeader({ epoch: 2_000_001 }), makeHeader({ epoch: MAX_TOKEN + 1 }))
    catalog.remove(high.id)
    expect(catalog.highestEpoch()).toBe(9_000_001)
    expect(new Catalog().highestEpoch()).toBe(0)
  })
})

function knows(header: SessionHeader, taskId: string): boolean {
  return [...header.tasks, ...header.queue].some((turn) => turn.taskId === taskId || turn.turnId === taskId)
}

function record(seq: number, body: RecordBody): SessionRecord {
  return { seq, epoch: 1_000_001, at: minute(seq), ...body }
}

function changed(seq: number, changes: { name: string }): SessionRecord {
  return record(seq, { type: 'session.changed', changes })
}

/** A session that did `turns` turns, as its records and as what they fold to. */
function history(turns: number): { records: SessionRecord[]; state: SessionState } {
  const records = [
    record(1, {
      type: 'session.created',
      sessionId: createId(),
      agentId: 'coder',
      name: 'work',
      description: '',
      status: 'active',
      activation: 1,
      workingDir: '/home/me/project',
      prompt: '',
      vars: {},
      metadata: {},
    }),
  ]
  for (let turn = 0; turn < turns; turn++) {
    const turnId = createId()
    const bodies: RecordBody[] = [
      { type: 'message.accepted', turnId, taskId: turn % 2 ? `task-${turn}` : turnId, input: 'do it' },
      { type: 'turn.started', turnId, attempt: 1 },
      { type: 'tool.started', turnId, toolCallId: `call-${turn}`, name: 'shell', input: null },
      { type: 'tool.finished', turnId, toolCallId: `call-${turn}`, outcome: 'ok', content: 'done' },
      { type: 'turn.finished', turnId, status: 'completed', result: 'done' },
    ]
    for (const body of bodies) records.push(record(records.length + 1, body))
  }
  const [created, ...rest] = records
  if (created === undefined) throw new Error('there is no first record')
  return { records, state: rest.reduce(fold, foldFirst(created)) }
}

function thrownBy(run: () => unknown): unknown {
  try {
    run()
  } catch (error) {
    return error
  }
  throw new Error('expected it to throw')
}
