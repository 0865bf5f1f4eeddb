/** How turns are counted and timed, from events and times that the test makes up. */
import { describe, expect, test } from 'vitest'
import type { TeamEventBody } from '../../src/api.ts'
import { createMetrics } from '../../src/gateway/metrics.ts'
import type { Outcome, TurnEvent } from '../../src/protocol/from-agent.ts'
import { openTeam } from '../fakes/open-team.ts'

interface Figures {
  happened: (body: TeamEventBody, atMs?: number) => void
  turn: (event: TurnEvent, atMs?: number) => void
  started: (turnId: string, atMs: number, attempt?: number) => void
  finished: (turnId: string, atMs: number, ending?: Partial<Outcome>) => void
  /** The figures whose name begins so and has the labels of agent `a`. */
  of: (name: string) => Promise<string[]>
}

async function createFigures(): Promise<Figures> {
  const metrics = createMetrics(await openTeam({ host: 'in-process' }))
  let seq = 0
  const happened: Figures['happened'] = (body, atMs = 0) => {
    metrics.happened({ epoch: 1, seq: ++seq, at: '2026-01-01T00:00:00.000Z', ...body }, atMs)
  }
  const turn: Figures['turn'] = (event, atMs) =>
    happened({ type: 'turn', agentId: 'a', sessionId: 's', event }, atMs)
  return {
    happened,
    turn,
    started: (turnId, atMs, attempt = 1) =>
      turn({ type: 'turn-started', turnId, sessionId: 's', attempt }, atMs),
    finished(turnId, atMs, ending) {
      const ids = { turnId, taskId: turnId, agentId: 'a', sessionId: 's' }
      turn({ type: 'turn-finished', outcome: { status: 'completed', result: '', ...ids, ...ending } }, atMs)
    },
    of: async (name) => (await metrics.text()).split('\n').filter((line) => line.startsWith(`${name}{`)),
  }
}

const TURNS = 'agentry_turns_total'
const SUM = 'agentry_turn_duration_seconds_sum'
const COUNT = 'agentry_turn_duration_seconds_count'

describe('the duration of a turn', () => {
  test('is not lost where a message in the queue is cancelled meanwhile', async () => {
    const { started, finished, of } = await createFigures()
    started('t1', 1_000)
    finished('t2', 2_000, { status: 'cancelled' })
    finished('t1', 4_000)
    expect(await of(SUM)).toEqual([`${SUM}{agent="a"} 3`])
    expect(await of(COUNT)).toEqual([`${COUNT}{agent="a"} 1`])
    expect(await of(TURNS)).toEqual([
      `${TURNS}{agent="a",status="cancelled"} 1`,
      `${TURNS}{agent="a",status="completed"} 1`,
    ])
  })

  test('is from its first start on, whatever rests and turns of other sessions come between', async () => {
    const { started, finished, of } = await createFigures()
    started('t1', 1_000)
    started('t2', 5_000)
    finished('t2', 6_000)
    started('t1', 60_000)
    finished('t1', 61_000)
    expect(await of(SUM)).toEqual([`${SUM}{agent="a"} 61`])
    expect(await of(COUNT)).toEqual([`${COUNT}{agent="a"} 2`])
  })

  test('is not known of a turn that started before, or whose agent was removed', async () => {
    const { happened, started, finished, of } = await createFigures()
    finished('t0', 1_000)
    started('t1', 1_000)
    happened({ type: 'agent-removed', agentId: 'b' })
    happened({ type: 'agent-removed', agentId: 'a' })
    finished('t1', 2_000)
    expect(await of(COUNT)).toEqual([])
    expect(await of(TURNS)).toEqual([`${TURNS}{agent="a",status="completed"} 2`])
  })
})

test('messages that a turn took in are no turns: what it came to is counted once', async () => {
  const { turn, started, finished, of } = await createFigures()
  const error = { code: 'model_failed', message: 'nobody answered' } as const
  started('t1', 0)
  turn({ type: 'steered', turnId: 't2', input: 'and this' })
  turn({ type: 'steered', turnId: 't3', input: 'and that' })
  for (const turnId of ['t1', 't2', 't3']) finished(turnId, 500, { status: 'failed', error })
  expect(await of(TURNS)).toEqual([`${TURNS}{agent="a",status="failed"} 1`])
  expect(await of(COUNT)).toEqual([`${COUNT}{agent="a"} 1`])
  expect(await of('agentry_model_failures_total')).toEqual(['agentry_model_failures_total{agent="a"} 1'])
  expect(await of('agentry_turn_errors_total')).toEqual(['agentry_turn_errors_total{code="model_failed"} 1'])
})
