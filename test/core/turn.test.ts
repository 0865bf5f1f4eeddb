import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fold, foldFirst, headerOf } from '../../src/core/fold.ts'
import type { BodyOf, RecordBody, SessionRecord } from '../../src/core/record.ts'
import type { OpenCall, SessionState } from '../../src/core/session-state.ts'
import {
  closeTurn,
  findTask,
  MAX_ATTEMPTS,
  NOT_AWAITED,
  OUTCOME_UNKNOWN,
  recoverTurn,
  resultOf,
} from '../../src/core/turn.ts'
import { journal, journalOf, replay } from './journals.ts'

const accepted = (turnId: string, taskId = turnId): RecordBody => ({
  type: 'message.accepted',
  turnId,
  taskId,
  input: 'go',
})
const started = (turnId: string, attempt = 1): RecordBody => ({ type: 'turn.started', turnId, attempt })
const toolStarted = (toolCallId: string): BodyOf<'tool.started'> => ({
  type: 'tool.started',
  turnId: 't1',
  toolCallId,
  name: 'shell',
  input: 'ls',
})
const toolFinished = (toolCallId: string, content = 'ok'): RecordBody => ({
  type: 'tool.finished',
  turnId: 't1',
  toolCallId,
  outcome: 'ok',
  content,
})
const finished = (turnId: string, result?: string): RecordBody => ({
  type: 'turn.finished',
  turnId,
  status: 'completed',
  ...(result !== undefined && { result }),
})

/** Writes what recovery asks for, as a later claim does. */
function recover(state: SessionState, resumable: boolean): RecordBody[] {
  const bodies = recoverTurn(state, resumable)
  for (const body of bodies) record(state, body)
  return bodies
}

function record(state: SessionState, body: RecordBody): void {
  const at = '2026-06-01T00:00:00.000Z'
  const written: SessionRecord = { seq: state.seq + 1, epoch: state.epoch + 1, at, ...body }
  fold(state, written)
}

/** Behind each of the records, each a state of its own. */
function statesOf([first, ...rest]: readonly SessionRecord[]): SessionState[] {
  if (first === undefined) return []
  const state = foldFirst(first)
  return [structuredClone(state), ...rest.map((next) => structuredClone(fold(state, next)))]
}

function userEntries({ memory }: SessionState): number {
  return memory.filter((entry) => entry.role === 'user').length
}

/** True for a call that waits for another agent, for a person, or, answered, for its start. */
function waits({ approvals }: SessionState, { toolCallId, state, asked, answer }: OpenCall): boolean {
  if (state === 'running') return asked !== undefined
  const isAsked = approvals.some((approval) => approval.toolCallId === toolCallId)
  return state === 'announced' && (isAsked || answer !== undefined)
}

describe('taking up a session after a crash', () => {
  test('asks for nothing where no turn was cut off', () => {
    expect(recoverTurn(replay(journalOf([])), true)).toEqual([])
    expect(recoverTurn(replay(journalOf([accepted('t1')])), true)).toEqual([])
    expect(recoverTurn(replay(journalOf([accepted('t1'), started('t1'), finished('t1')])), true)).toEqual([])
  })

  test('ends the running tool calls as unknown and goes on with one more attempt', () => {
    const state = replay(
      journalOf([
        accepted('t1'),
        started('t1'),
        toolStarted('c1'),
        toolStarted('c2'),
        toolFinished('c2'),
        toolStarted('c3'),
      ]),
    )
    expect(recover(state, true)).toEqual([
      { type: 'tool.finished', turnId: 't1', toolCallId: 'c1', outcome: 'unknown', content: OUTCOME_UNKNOWN },
      { type: 'tool.finished', turnId: 't1', toolCallId: 'c3', outcome: 'unknown', content: OUTCOME_UNKNOWN },
      { type: 'turn.started', turnId: 't1', attempt: 2 },
    ])
    expect(state.turn?.calls.map((call) => call.state)).toEqual(['unknown', 'ok', 'unknown'])
    expect(state.memory.filter((entry) => entry.role === 'user')).toHaveLength(1)
  })

  test('leaves announced calls to the next attempt: nothing of them has happened', () => {
    const step: RecordBody = {
      type: 'step.model',
      turnId: 't1',
      content: '',
      toolCalls: [{ toolCallId: 'c1', name: 'shell', input: 'ls' }],
    }
    const state = replay(journalOf([accepted('t1'), started('t1'), step]))
    expect(recover(state, true)).toEqual([{ type: 'turn.started', turnId: 't1', attempt: 2 }])
    expect(state.turn?.calls).toMatchObject([{ toolCallId: 'c1', state: 'announced' }])
  })

  test('ends the turn as interrupted where its behavior cannot resume', () => {
    const state = replay(journalOf([accepted('t1'), accepted('t2'), started('t1'), toolStarted('c1')]))
    const [call, end, ...rest] = recover(state, false)
    expect(call).toMatchObject({ type: 'tool.finished', outcome: 'unknown' })
    expect(end).toMatchObject({
      type: 'turn.finished',
      status: 'interrupted',
      error: { code: 'interrupted' },
    })
    expect(rest).toEqual([])
    expect(state.turn).toBeNull()
    expect(state.queue.map((message) => message.turnId)).toEqual(['t2'])
    expect(findTask(state, 't1')).toMatchObject({ state: 'finished', entry: { status: 'interrupted' } })
  })

  test(`fails the turn as poison after ${MAX_ATTEMPTS} attempts, resumable or not`, () => {
    const attempts = Array.from({ length: MAX_ATTEMPTS }, (_, index) => started('t1', index + 1))
    for (const resumable of [true, false]) {
      const below = replay(journalOf([accepted('t1'), ...attempts.slice(0, -1)]))
      expect(recoverTurn(below, resumable).at(-1)).not.toMatchObject({ error: { code: 'poison_turn' } })
      const state = replay(journalOf([accepted('t1'), ...attempts]))
      expect(recover(state, resumable)).toMatchObject([
        { type: 'turn.finished', turnId: 't1', status: 'failed', error: { code: 'poison_turn' } },
      ])
      expect(state.turn).toBeNull()
    }
  })

  test('is legal behind any record, repeats no user message and leaves no call running but those that ask', () => {
    fc.assert(
      fc.property(journal, fc.boolean(), (records, resumable) => {
        for (const state of statesOf(records)) {
          const users = userEntries(state)
          const queue = structuredClone(state.queue)
          recover(state, resumable)
          expect(userEntries(state)).toBe(users)
          expect(state.queue).toEqual(queue)
          const running = state.turn?.calls.filter((call) => call.state === 'running') ?? []
          expect(running.filter((call) => call.asked === undefined)).toEqual([])
          if (!resumable) expect(state.turn).toBeNull()
        }
      }),
    )
  })

  test('leaves a turn as it is only where something of it waits', () => {
    fc.assert(
      fc.property(journal, (records) => {
        for (const state of statesOf(records)) {
          const { turn } = state
          if (turn === null || recoverTurn(state, true).length > 0) continue
          expect(turn.calls.filter((call) => waits(state, call))).not.toEqual([])
        }
      }),
    )
  })

  test('ends every turn after at most the allowed attempts, however often it crashes', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const state = replay(records)
        const { turn } = state
        fc.pre(turn !== null)
        let crashes = 0
        for (let count = 0; state.turn !== null; count++) {
          if (recover(state, true).length > 0) crashes += 1
          if (state.turn === null) break
          // It crashes in the middle of a call, so that it does not only wait.
          record(state, { ...toolStarted(`again-${count}`), turnId: state.turn.turnId })
          expect(count).toBeLessThanOrEqual(MAX_ATTEMPTS)
        }
        expect(crashes).toBeLessThanOrEqual(MAX_ATTEMPTS)
      }),
    )
  })

  test('never runs a call again that ran when it was cut off, also where a person had allowed it', () => {
    const asked: RecordBody = {
      type: 'approval.asked',
      approvalId: 'a1',
      turnId: 't1',
      toolCallId: 'c1',
      tool: 'shell',
      subject: 'ls',
      reason: 'rules',
      grant: { tool: 'shell' },
      expiresAt: '2026-01-02T00:00:00.000Z',
    }
    const answered: RecordBody = {
      type: 'approval.answered',
      turnId: 't1',
      approvalId: 'a1',
      decision: 'once',
      by: 'person',
    }
    const step: RecordBody = {
      type: 'step.model',
      turnId: 't1',
      content: '',
      toolCalls: [{ toolCallId: 'c1', name: 'shell', input: 'ls' }],
    }
    const unknown = { type: 'tool.finished', toolCallId: 'c1', outcome: 'unknown' }
    // Without an answer: a grant that was given meanwhile allowed it.
    for (const answers of [[answered], []]) {
      const state = replay(
        journalOf([accepted('t1'), started('t1'), step, asked, ...answers, toolStarted('c1')]),
      )
      expect(recover(state, true)).toMatchObject([unknown, { type: 'turn.started', attempt: 2 }])
    }
  })
})

describe('ending an open turn', () => {
  test('gives each of its calls one result, whatever was under way', () => {
    fc.assert(
      fc.property(journal, (records) => {
        for (const state of statesOf(records)) {
          const { turn } = state
          if (turn === null) continue
          for (const body of closeTurn(turn, NOT_AWAITED, { status: 'cancelled' })) record(state, body)
          expect(state.turn).toBeNull()
          expect(state.approvals).toEqual([])
          const entries = state.memory.filter(({ turnId }) => turnId === turn.turnId)
          const calls = entries.flatMap(({ toolCalls = [] }) => toolCalls.map(({ toolCallId }) => toolCallId))
          const results = entries.flatMap(({ toolCallId }) => toolCallId ?? [])
          expect(results.toSorted()).toEqual(calls.toSorted())
        }
      }),
    )
  })
})

describe('looking up a task', () => {
  const state = replay(
    journalOf([
      accepted('t1', 'same'),
      started('t1'),
      finished('t1', 'one'),
      accepted('t2', 'same'),
      started('t2'),
      finished('t2', 'two'),
      accepted('t3', 'third'),
      accepted('t4', 'fourth'),
      started('t3'),
    ]),
  )

  test('finds the finished, the running and the queued, by taskId and by turnId', () => {
    expect(findTask(state, 'third')).toEqual({ state: 'running', turnId: 't3' })
    expect(findTask(state, 't3')).toEqual({ state: 'running', turnId: 't3' })
    expect(findTask(state, 'fourth')).toEqual({ state: 'queued', turnId: 't4' })
    expect(findTask(state, 't1')).toMatchObject({ state: 'finished', entry: { turnId: 't1' } })
    expect(findTask(state, 'fifth')).toBeUndefined()
  })

  test('gives the newest of several finished turns with one taskId', () => {
    expect(findTask(state, 'same')).toMatchObject({ state: 'finished', entry: { turnId: 't2' } })
  })

  test('needs the header alone', () => {
    expect(findTask(headerOf(state), 'fourth')).toEqual({ state: 'queued', turnId: 't4' })
  })
})

describe('the result of a turn', () => {
  test('is what its end recorded', () => {
    const state = replay(journalOf([accepted('t1'), started('t1'), finished('t1', 'done')]))
    expect(resultOf(state, 't1')).toBe('done')
  })

  test('is what its last tool gave where its end recorded nothing', () => {
    const calls = [
      toolStarted('c1'),
      toolFinished('c1', 'first'),
      toolStarted('c2'),
      toolFinished('c2', 'last'),
    ]
    const state = replay(journalOf([accepted('t1'), started('t1'), ...calls, finished('t1')]))
    expect(resultOf(state, 't1')).toBe('last')
  })

  test('is not the message, nor that of another turn', () => {
    const state = replay(
      journalOf([
        accepted('t1'),
        accepted('t2'),
        started('t1'),
        finished('t1'),
        started('t2'),
        finished('t2', 'x'),
      ]),
    )
    expect(resultOf(state, 't1')).toBe('')
    expect(resultOf(state, 'unknown')).toBe('')
  })
})
