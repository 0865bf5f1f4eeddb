import { describe, expect, test } from 'vitest'
import {
  entryTokens,
  estimateTokens,
  shownEntries,
  toConversation,
} from '../../../../src/runtime/behaviors/llm/conversation.ts'
import { assistant, callOf, memoryOf, result, user } from './memory.ts'

const memory = memoryOf([user('a'), assistant('', ['c1']), result('c1', 'x'), assistant('b'), user('c')])

describe('what a model is given of a session', () => {
  test('is the whole conversation where there is no summary, without what only people are shown', () => {
    const thinking = memoryOf([
      user('a'),
      {
        ...assistant('b', ['c1']),
        reasoning: 'hm',
        model: 'p/m',
        usage: { inputTokens: 1, outputTokens: 1 },
      },
      { ...result('c1', 'failed'), outcome: 'error' },
    ])
    expect(toConversation(thinking, undefined)).toEqual([
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b', toolCalls: [callOf('c1')] },
      { role: 'tool', toolCallId: 'c1', content: 'failed', outcome: 'error' },
    ])
  })

  test('begins with the summary, and goes on behind what it stands for', () => {
    const shown = toConversation(memory, { text: 'they talked', throughSeq: 3 })
    expect(shown[0]?.role).toBe('user')
    expect(shown[0]?.content).toMatch(/summary[^]*\n\nthey talked$/)
    expect(shown.slice(1)).toEqual([
      { role: 'assistant', content: 'b' },
      { role: 'user', content: 'c' },
    ])
  })

  test('is the summary alone where it stands for everything', () => {
    expect(shownEntries(memory, { text: 's', throughSeq: 5 })).toEqual([])
    expect(toConversation(memory, { text: 's', throughSeq: 5 })).toHaveLength(1)
  })

  test('is never changed in the session by it', () => {
    const before = structuredClone(memory)
    toConversation(memory, { text: 's', throughSeq: 3 })
    expect(memory).toEqual(before)
  })
})

describe('the estimate of its tokens', () => {
  test('grows with text and with what calls are given', () => {
    expect(entryTokens({ role: 'user', content: 'x'.repeat(400) })).toBe(108)
    const call = callOf('c1', 'write', { text: 'x'.repeat(4_000) })
    expect(entryTokens({ role: 'assistant', content: '', toolCalls: [call] })).toBeGreaterThan(1_000)
  })

  test('takes a character of another script for a token', () => {
    expect(entryTokens({ role: 'user', content: '你好'.repeat(100) })).toBe(208)
  })

  test('is the sum of its entries', () => {
    const conversation = toConversation(memory, undefined)
    const sum = conversation.map(entryTokens).reduce((a, b) => a + b)
    expect(estimateTokens(conversation)).toBe(sum)
  })
})
