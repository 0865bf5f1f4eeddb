import { describe, expect, test } from 'vitest'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { TaskMemory } from '../../src/runtime/task-memory.ts'

const outcomeOf = (taskId: string, result = ''): Outcome => ({
  status: 'completed',
  result,
  turnId: `turn of ${taskId}`,
  taskId,
  agentId: 'a',
  sessionId: 's',
})

describe('the memory of tasks', () => {
  test('knows a task from its acceptance on, and its outcome when it has one that is short', () => {
    const memory = new TaskMemory()
    memory.add({ taskId: 't', turnId: 'turn of t', input: '' }, 's')
    expect(memory.find('t')).toEqual({ turnId: 'turn of t', sessionId: 's', finished: false })
    memory.finish(outcomeOf('t', 'short'))
    expect(memory.find('t')).toMatchObject({ finished: true, outcome: { result: 'short' } })
    memory.finish(outcomeOf('long', 'x'.repeat(5_000)))
    expect(memory.find('long')).toEqual({ turnId: 'turn of long', sessionId: 's', finished: true })
    expect(memory.find('other')).toBeUndefined()
  })

  test('is bounded: the oldest finished tasks are forgotten, never one that is not finished', () => {
    const memory = new TaskMemory()
    memory.add({ taskId: 'open', turnId: 'open', input: '' }, 's')
    for (let task = 0; task < 2_000; task++) memory.finish(outcomeOf(`t${task}`))
    expect([memory.find('t0'), memory.find('t1499')]).toEqual([undefined, undefined])
    expect([memory.find('t1500'), memory.find('t1999'), memory.find('open')].every(Boolean)).toBe(true)
  })

  test('forgets what was not finished after a failed write, and that alone', () => {
    const memory = new TaskMemory()
    memory.add({ taskId: 'open', turnId: 'open', input: '' }, 's')
    memory.finish(outcomeOf('done'))
    memory.forgetUnfinished()
    expect(memory.find('open')).toBeUndefined()
    expect(memory.find('done')).toBeDefined()
  })
})
