import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { MemoryEntry, SessionState } from '../../../../src/core/session-state.ts'
import { AgentryError } from '../../../../src/errors.ts'
import { isNearlyFull, summarize, throughSeqOf } from '../../../../src/runtime/behaviors/llm/compaction.ts'
import { estimateTokens, shownEntries } from '../../../../src/runtime/behaviors/llm/conversation.ts'
import { errorWith } from '../../../error-with.ts'
import { assistant, memoryOf, result, user } from './memory.ts'

const text = (tokens: number): string => 'x'.repeat(tokens * 4)

describe('a conversation is nearly full', () => {
  const counted = (inputTokens: number) =>
    memoryOf([user('a'), user('b'), assistant('c', [], { inputTokens, outputTokens: 10 })])

  test('by what the provider counted last, from four fifths of the window on', () => {
    expect(isNearlyFull(counted(790), undefined, 1_000)).toBe(false)
    expect(isNearlyFull(counted(791), undefined, 1_000)).toBe(true)
  })

  test('by what came since as well', () => {
    const memory = [...counted(700), ...memoryOf([user(text(200))])]
    expect(isNearlyFull(memory, undefined, 1_000)).toBe(true)
  })

  test('by the newest count, whatever was counted before it', () => {
    const memory = memoryOf([
      user('a'),
      assistant('b', [], { inputTokens: 5_000, outputTokens: 1 }),
      assistant('c', [], { inputTokens: 10, outputTokens: 1 }),
    ])
    expect(isNearlyFull(memory, undefined, 1_000)).toBe(false)
  })

  test('by an estimate where no provider counted', () => {
    expect(isNearlyFull(memoryOf([user(text(700))]), undefined, 1_000)).toBe(false)
    expect(isNearlyFull(memoryOf([user(text(900))]), undefined, 1_000)).toBe(true)
    const shown = memoryOf([user(text(900)), user('b')])
    expect(isNearlyFull(shown, { text: 'short', throughSeq: 1 }, 1_000)).toBe(false)
  })

  test('by an estimate until a step behind the summary is counted, and by that count then', () => {
    const before = memoryOf([
      user(text(900)),
      user('b'),
      assistant('c', [], { inputTokens: 900, outputTokens: 1 }),
    ])
    const summary = { text: 'short', throughSeq: 1, seq: 4 }
    expect(isNearlyFull(before, undefined, 1_000)).toBe(true)
    expect(isNearlyFull(before, summary, 1_000)).toBe(false)
    // The step after it fails, or its provider counts nothing.
    const uncounted = [...before, ...memoryOf([{ ...assistant('d'), seq: 5 }])]
    expect(isNearlyFull(uncounted, summary, 1_000)).toBe(false)
    const long = [...uncounted, ...memoryOf([{ ...user(text(900)), seq: 6 }])]
    expect(isNearlyFull(long, summary, 1_000)).toBe(true)
    const usage = { inputTokens: 900, outputTokens: 1 }
    const counted = [...uncounted, ...memoryOf([{ ...assistant('e', [], usage), seq: 6 }])]
    expect(isNearlyFull(counted, summary, 1_000)).toBe(true)
  })

  test('by what was counted behind the last entry that it stands for, where an older version wrote the summary', () => {
    const memory = memoryOf([
      user(text(900)),
      user('b'),
      assistant('c', [], { inputTokens: 900, outputTokens: 1 }),
    ])
    expect(isNearlyFull(memory, { text: 'short', throughSeq: 1 }, 1_000)).toBe(true)
    expect(isNearlyFull(memory, { text: 'short', throughSeq: 3 }, 1_000)).toBe(false)
  })

  test('by an estimate where the counts are those of the session that it was forked from', () => {
    const forked = memoryOf([user(text(900)), assistant('b', [], { inputTokens: 10, outputTokens: 1 })]).map(
      (entry) => ({ ...entry, seq: 1 }),
    )
    expect(isNearlyFull(forked, undefined, 1_000)).toBe(true)
    expect(isNearlyFull(forked, { text: 'short', throughSeq: 0 }, 1_000)).toBe(true)
  })
})

/** A conversation whose calls have their results, now and then with a message of a person between the two. */
const conversations: fc.Arbitrary<MemoryEntry[]> = fc
  .array(
    fc.oneof(
      fc.record({ kind: fc.constant('user' as const), size: fc.nat(60) }),
      fc.record({ kind: fc.constant('answer' as const), size: fc.nat(60) }),
      fc.record({
        kind: fc.constant('calls' as const),
        size: fc.nat(60),
        results: fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }),
      }),
    ),
    { minLength: 1, maxLength: 25 },
  )
  .map((parts) =>
    memoryOf(
      parts.flatMap((part, index) => {
        if (part.kind === 'user') return [user(text(part.size))]
        if (part.kind === 'answer') return [assistant(text(part.size))]
        // Models use ids again.
        const ids = part.results.map((_, call) => `c${index % 3}-${call}`)
        const results = ids.flatMap((id, call) => [
          ...(part.results[call] ? [] : [user('meanwhile')]),
          result(id, text(part.size)),
        ])
        return [assistant('', ids), ...results]
      }),
    ),
  )

/** The calls without a result among these entries. */
function openCalls(entries: readonly MemoryEntry[]): Set<string> {
  const open = new Set<string>()
  for (const { toolCalls = [], toolCallId } of entries) {
    for (const call of toolCalls) open.add(call.toolCallId)
    if (toolCallId !== undefined && !open.delete(toolCallId))
      throw new Error(`a result without ${toolCallId}`)
  }
  return open
}

describe('what is summed up', () => {
  test('never ends between a call and its result (CP1), and leaves something as it was said (CP2)', () => {
    fc.assert(
      fc.property(
        conversations,
        fc.constantFrom(0, 0.1, 0.3),
        fc.integer({ min: 10, max: 500 }),
        (memory, share, window) => {
          let summary: SessionState['summary']
          for (;;) {
            const through = throughSeqOf(memory, summary, window, share)
            if (through === undefined) return
            expect(through).toBeGreaterThan(summary?.throughSeq ?? 0)
            expect(openCalls(memory.filter(({ seq }) => seq <= through))).toEqual(new Set())
            summary = { text: 's', throughSeq: through }
            expect(shownEntries(memory, summary)).not.toEqual([])
            expect(openCalls(shownEntries(memory, summary))).toEqual(new Set())
          }
        },
      ),
      { numRuns: 500 },
    )
  })

  test('is everything but the newest part, as large as the share that stays', () => {
    const memory = memoryOf(Array.from({ length: 20 }, () => user(text(92)))) // 100 tokens each
    expect(throughSeqOf(memory, undefined, 2_000)).toBe(14)
    expect(throughSeqOf(memory, undefined, 2_000, 0.1)).toBe(18)
    expect(throughSeqOf(memory, undefined, 2_000, 0)).toBe(19)
    expect(throughSeqOf(memory, { text: 's', throughSeq: 19 }, 2_000)).toBeUndefined()
  })

  test('is nothing where there is but one thing, or one call with its results', () => {
    expect(throughSeqOf(memoryOf([user(text(9_000))]), undefined, 1_000)).toBeUndefined()
    const call = memoryOf([assistant('', ['a', 'b']), result('a', text(900)), result('b', text(900))])
    expect(throughSeqOf(call, undefined, 1_000)).toBeUndefined()
  })

  test('ends before the last call where its results alone are too much', () => {
    const memory = memoryOf([
      user('a'),
      assistant('', ['a', 'b']),
      result('a', text(900)),
      result('b', text(900)),
    ])
    expect(throughSeqOf(memory, undefined, 1_000)).toBe(1)
  })

  test('is all of what a fork brought along, or nothing of it: its entries share one seq', () => {
    const brought = memoryOf(Array.from({ length: 20 }, () => user(text(92)))).map((entry) => ({
      ...entry,
      seq: 1,
    }))
    expect(throughSeqOf(brought, undefined, 1_000)).toBeUndefined()
    const goneOn = [...brought, ...memoryOf([{ ...user('on'), seq: 4 }])]
    expect(throughSeqOf(goneOn, undefined, 1_000)).toBe(1)
  })
})

describe('summing up', () => {
  const memory = memoryOf([
    user('find it'),
    assistant('I look', ['c1']),
    result('c1', `${'a'.repeat(5_000)}${'z'.repeat(5_000)}`),
    assistant('found'),
    user('thanks'),
  ])

  test('shows the model who said what, calls with their input, and long results cut in the middle', async () => {
    const asked: string[] = []
    const made = await summarize(memory, undefined, 4, 100_000, async (said) => {
      asked.push(said)
      return { summary: 'they found it', usage: { inputTokens: 5, outputTokens: 1, costUsd: 0.5 } }
    })
    expect(made).toEqual({
      summary: 'they found it',
      usage: { inputTokens: 5, outputTokens: 1, costUsd: 0.5 },
    })
    expect(asked).toHaveLength(1)
    expect(asked[0]).toContain('[user]\nfind it')
    expect(asked[0]).toContain('[assistant]\nI look\n[calls read with {"path":"c1"}]')
    expect(asked[0]).toMatch(/\[tool]\na{2000}\n\[…]\nz{2000}\n/)
    expect(asked[0]).not.toContain('thanks')
  })

  test('takes several requests where it is long, each with the summary of what came before', async () => {
    const long = memoryOf(Array.from({ length: 6 }, (_, index) => user(`${index}${text(100)}`)))
    const asked: string[] = []
    const made = await summarize(long, { text: 'S0', throughSeq: 1 }, 5, 500, async (said) => {
      asked.push(said)
      return { summary: `S${asked.length}`, usage: { inputTokens: 5, outputTokens: 1, cachedInputTokens: 2 } }
    })
    expect(asked.map((said) => /Summary of what came before:\n(\S+)/.exec(said)?.[1])).toEqual(['S0', 'S1'])
    expect(asked.map((said) => said.match(/\[user]\n\d/g))).toEqual([
      ['[user]\n1', '[user]\n2'],
      ['[user]\n3', '[user]\n4'],
    ])
    expect(made).toEqual({ summary: 'S2', usage: { inputTokens: 10, outputTokens: 2, cachedInputTokens: 4 } })
  })

  test('asks for no more than the model can read, in any script, the summary before included', async () => {
    const letters = fc.constantFrom('a', '漢', 'я')
    const said = fc.array(fc.record({ letter: letters, size: fc.integer({ min: 1, max: 600 }) }), {
      minLength: 1,
      maxLength: 30,
    })
    await fc.assert(
      fc.asyncProperty(said, letters, async (parts, summaryLetter) => {
        const long = memoryOf(parts.map(({ letter, size }) => user(letter.repeat(size))))
        let shown = ''
        const sizes: number[] = []
        await summarize(long, undefined, parts.length, 2_000, async (request) => {
          sizes.push(estimateTokens([{ role: 'user', content: request }]))
          shown += request
          return { summary: summaryLetter.repeat(300) }
        })
        expect(Math.max(...sizes)).toBeLessThan(1_060) // half of the window, and the words around
        for (const { letter, size } of parts) expect(shown).toContain(letter.repeat(size))
      }),
    )
  })

  test('halves a request that the model finds too long, down to a single entry', async () => {
    const long = memoryOf(Array.from({ length: 8 }, (_, index) => user(`${index}`)))
    const tooLong = new AgentryError('model_failed', 'too long', { data: { contextTooLong: true } })
    const asked: string[] = []
    const ask = async (said: string, most: number) => {
      const shown = said.match(/\[user]\n\d/g) ?? []
      if (shown.length > most) throw tooLong
      asked.push(shown.map((piece) => piece.at(-1)).join(''))
      return { summary: 'S' }
    }
    await summarize(long, undefined, 8, 100_000, (said) => ask(said, 3))
    expect(asked).toEqual(['01', '23', '45', '67'])
    await expect(summarize(long, undefined, 8, 100_000, (said) => ask(said, 0))).rejects.toBe(tooLong)
  })

  test('has no price where one of its requests has none', async () => {
    const long = memoryOf([user(text(100)), user(text(100))])
    let asked = 0
    const made = await summarize(long, undefined, 2, 200, async () => ({
      summary: 's',
      usage: { inputTokens: 1, outputTokens: 1, ...(asked++ === 0 && { costUsd: 1 }) },
    }))
    expect(asked).toBe(2)
    expect(made.usage).toEqual({ inputTokens: 2, outputTokens: 2 })
  })

  test('fails where the model says nothing, and where it fails', async () => {
    const empty = summarize(memory, undefined, 4, 1_000, async () => ({ summary: ' \n' }))
    await expect(empty).rejects.toThrow(errorWith('model_failed', 'empty summary'))
    const failure = new AgentryError('model_failed', 'no')
    await expect(summarize(memory, undefined, 4, 1_000, () => Promise.reject(failure))).rejects.toBe(failure)
  })
})
