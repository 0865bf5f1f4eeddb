import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { headerOf } from '../../src/core/fold.ts'
import { type RecordBody, summarizeRecord } from '../../src/core/record.ts'
import { journal, journalOf, replay } from './journals.ts'

const LONG = 'x'.repeat(100_000)

describe('the copy of a record for a catalog', () => {
  test('folds to the same header, but for the counts of what the session began with', () => {
    fc.assert(
      fc.property(journal, (records) => {
        const { counts, ...header } = headerOf(replay(records))
        const copied = headerOf(replay(records.map(summarizeRecord)))
        const brought = records[0]?.type === 'session.created' ? (records[0].memory?.length ?? 0) : 0
        expect(copied).toEqual({
          ...header,
          // Each entry that these journals begin with is of a turn of its own.
          counts: { ...counts, entries: counts.entries - brought, turns: counts.turns - brought },
        })
      }),
    )
  })

  test.each<[string, RecordBody]>([
    ['a message', { type: 'message.accepted', turnId: 't1', taskId: 't1', input: LONG }],
    ['a step', { type: 'step.model', turnId: 't1', content: LONG, reasoning: LONG }],
    [
      'what a step calls tools with',
      {
        type: 'step.model',
        turnId: 't1',
        content: '',
        toolCalls: [{ toolCallId: 'c1', name: 'write', input: { content: LONG }, problem: LONG }],
      },
    ],
    [
      'what a tool is given',
      { type: 'tool.started', turnId: 't1', toolCallId: 'c1', name: 'write', input: { content: LONG } },
    ],
    [
      'what a tool gave',
      { type: 'tool.finished', turnId: 't1', toolCallId: 'c1', outcome: 'ok', content: LONG },
    ],
    ['a result', { type: 'turn.finished', turnId: 't1', status: 'completed', result: LONG }],
    ['a summary', { type: 'memory.compacted', turnId: 't1', summary: LONG, throughSeq: 1 }],
  ])('is short, however long %s is', (_, body) => {
    const [, record] = journalOf([body])
    if (record === undefined) throw new Error('no record')
    expect(JSON.stringify(summarizeRecord(record)).length).toBeLessThan(1_000)
  })

  test('leaves out the conversation that a fork begins with', () => {
    const memory = [{ seq: 1, at: '', turnId: 'a', role: 'user' as const, content: LONG }]
    const [created] = journalOf([], { memory })
    if (created === undefined) throw new Error('no record')
    expect(summarizeRecord(created)).toEqual({ ...created, memory: [] })
  })
})
