/** Messages that become a part of the running turn: who sent one is answered as for any other. */
import { expect, test } from 'vitest'
import type { Behavior, BehaviorContext } from '../../src/behavior.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { MAX_STEERED } from '../../src/core/session-state.ts'
import type { TurnContext } from '../../src/runtime/turn-context.ts'
import { type LoopProbe, startLoop } from '../fakes/loop-probe.ts'

/** Says what it was told, when `go` is called. */
function createListener(): { behavior: Behavior; go: () => void } {
  const gate = Promise.withResolvers<void>()
  const run = async (message: string, base: BehaviorContext): Promise<string> => {
    // What the runtime gives is wider than what it promises to every behavior.
    const context = base as TurnContext
    if (message !== 'first') return `alone: ${message}`
    await gate.promise
    const steered = await context.takeSteering()
    await context.recordStep({
      content: [message, ...steered.map(({ input }) => input)].join(', '),
      usage: { inputTokens: 7, outputTokens: 5 },
    })
    return context.session.memory.at(-1)?.content ?? ''
  }
  return { behavior: { name: 'listener', resumable: true, run }, go: gate.resolve }
}

async function outcomesOf(probe: LoopProbe, count: number): Promise<Promise<Outcome>[]> {
  const steered = Array.from({ length: count }, (_, index) =>
    probe.send(`more ${index}`, { taskId: `steered-${index}`, mode: 'steer' }),
  )
  await probe.settle()
  return steered
}

test('a steered message has its own ids, and the result and usage of the turn that took it in; repeated, the same', async () => {
  const { behavior, go } = createListener()
  const probe = await startLoop({ behavior })
  const first = probe.send('first', { taskId: 'task-1' })
  await probe.settle()
  const seen: string[] = []
  const steered = probe.send('and this', {
    taskId: 'task-2',
    mode: 'steer',
    onEvent: ({ type }) => seen.push(type),
  })
  await probe.settle()
  const repeated = probe.send('and this', { taskId: 'task-2', mode: 'steer' })
  await probe.settle()
  go()
  const usage = { inputTokens: 7, outputTokens: 5 }
  const { turnId } = await first
  expect(await first).toMatchObject({ taskId: 'task-1', result: 'first, and this', usage })
  const outcome = await steered
  expect(outcome).toMatchObject({ status: 'completed', taskId: 'task-2', result: 'first, and this', usage })
  expect(outcome.turnId).not.toBe(turnId)
  expect(await repeated).toEqual(outcome)
  expect(await probe.send('and this', { taskId: 'task-2' })).toEqual(outcome)
  expect(seen).toEqual(expect.arrayContaining(['steered', 'step-finished']))
  expect(seen.filter((type) => type === 'turn-finished')).toHaveLength(1)
  await probe.stop()
})

test(`a turn takes in ${MAX_STEERED} messages; the others are turns of their own, and all are answered`, async () => {
  const { behavior, go } = createListener()
  const probe = await startLoop({ behavior, mailboxMessages: 1_000 })
  const first = probe.send('first')
  await probe.settle()
  const steered = await outcomesOf(probe, MAX_STEERED + 120)
  go()
  expect(await first).toMatchObject({ status: 'completed' })
  const results = (await Promise.all(steered)).map(({ result }) => result)
  for (const result of results.slice(0, MAX_STEERED)) expect(result).toMatch(/^first, more 0, more 1, /)
  const alone = Array.from({ length: 120 }, (_, index) => `alone: more ${MAX_STEERED + index}`)
  expect(results.slice(MAX_STEERED)).toEqual(alone)
  await probe.stop()
})
