import { describe, expect, test } from 'vitest'
import { active, SPAN_MS, sparkline } from '../../src/dashboard/model/activity.ts'
import { attentionOf, nextAttention } from '../../src/dashboard/model/attention.ts'
import { agentOf, currentSessionOf, queueDepthOf } from '../../src/dashboard/model/team.ts'
import { update } from '../../src/dashboard/model/update.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { after, agent, connected, event, NOW_MS, session } from './fixtures.ts'

const OUTCOME: Outcome = {
  status: 'completed',
  result: '',
  turnId: 't',
  taskId: 't',
  agentId: 'ops',
  sessionId: 's1',
}

describe('what is known of the team', () => {
  test('follows the states of agents, and reads again what a state alone does not tell', () => {
    const state = connected({ agents: [agent('ops'), agent('coder')] })
    const working = update(state, event({ type: 'agent-state', agentId: 'coder', state: 'working' }))
    expect(agentOf(working.state, 'coder')?.state).toBe('working')
    expect(working.effects).toEqual([])
    const failed = update(working.state, event({ type: 'agent-state', agentId: 'coder', state: 'failed' }))
    expect(failed.effects).toEqual([{ type: 'read-agent', agentId: 'coder' }])
    const unknown = update(state, event({ type: 'agent-state', agentId: 'new', state: 'starting' }))
    expect(unknown.effects).toEqual([{ type: 'read-agent', agentId: 'new' }])
    expect(after(state, { type: 'agent', agent: agent('new') }).agents.map(({ id }) => id)).toEqual([
      'ops',
      'coder',
      'new',
    ])
  })

  test('chooses another agent when the chosen one was removed', () => {
    const state = connected({ agents: [agent('ops'), agent('coder')] })
    expect(state.agentId).toBe('ops')
    expect(after(state, event({ type: 'agent-removed', agentId: 'ops' })).agentId).toBe('coder')
  })

  test('reads the lists again after a reset', () => {
    expect(update(connected(), event({ type: 'reset' })).effects).toEqual([{ type: 'read-lists' }])
  })

  test('takes the session that was activated last for the current one', () => {
    const state = connected({
      sessions: [session('s1', 'ops', { activation: 4 }), session('s2', 'ops', { activation: 5 })],
    })
    expect(currentSessionOf(state, 'ops')?.id).toBe('s2')
    const none = after(
      state,
      event({ type: 'session', session: session('s2', 'ops', { current: false }), gone: false }),
      event({ type: 'session', session: session('s1', 'ops'), gone: true }),
    )
    expect(currentSessionOf(none, 'ops')).toBeUndefined()
  })

  test('counts what waits as the current session has it', () => {
    const queue = [{ turnId: 'a', taskId: 'a', input: 'x' }]
    const ops = agent('ops', { queueDepth: 9 })
    expect(queueDepthOf(connected({ agents: [ops] }), ops)).toBe(9)
    expect(queueDepthOf(connected({ agents: [ops], sessions: [session('s1', 'ops', { queue })] }), ops)).toBe(
      1,
    )
  })

  test('works out the share of a core from two readings of one stay', () => {
    const usage = (cpuMs: number) => ({
      type: 'usage' as const,
      agentId: 'ops',
      queueDepth: 0,
      usage: { heapBytes: 1, externalBytes: 0, cpuMs, loopUtilization: 0 },
    })
    const first = after(connected(), event(usage(100), NOW_MS))
    expect(first.cpu.get('ops')?.share).toBeUndefined()
    const second = after(first, event(usage(600), NOW_MS + 1_000))
    expect(second.cpu.get('ops')?.share).toBe(0.5)
    const restarted = after(second, event(usage(10), NOW_MS + 2_000))
    expect(restarted.cpu.get('ops')?.share).toBeUndefined()
  })

  test('says which agents have news until they are looked at', () => {
    const finished = (agentId: string, status: Outcome['status']) =>
      event({
        type: 'turn',
        agentId,
        sessionId: 's1',
        event: { type: 'turn-finished', outcome: { ...OUTCOME, agentId, status } },
      })
    const state = after(
      connected({ agents: [agent('ops'), agent('coder'), agent('notes')] }),
      finished('ops', 'failed'),
      finished('coder', 'failed'),
      finished('notes', 'completed'),
    )
    expect([...state.unseen]).toEqual([
      ['coder', 'failed'],
      ['notes', 'completed'],
    ])
    expect(after(state, { type: 'key', key: 'ctrl+n' }).agentId).toBe('coder')
    expect([...after(state, { type: 'key', key: 'ctrl+n' }).unseen.keys()]).toEqual(['notes'])
  })
})

describe('who needs the user', () => {
  test('the worst first, with what can be done about it', () => {
    const lastError = { code: 'agent_failed', message: 'crashed \u001b[31mtoo often' } as const
    const state = connected({
      agents: [agent('a', { state: 'restarting' }), agent('b'), agent('c', { state: 'failed', lastError })],
    })
    expect(attentionOf(state).map(({ agentId, tone, text }) => [agentId, tone, text])).toEqual([
      ['c', 'bad', 'failed: crashed too often - /restart c'],
      ['a', 'warn', 'restarting'],
    ])
  })

  test('one after the other, round the end of the list', () => {
    const state = connected({
      agents: [agent('a', { state: 'failed' }), agent('b'), agent('c', { state: 'failed' })],
    })
    expect(nextAttention(state, 'a')).toBe('c')
    expect(nextAttention(state, 'c')).toBe('a')
    expect(nextAttention(connected(), 'ops')).toBeUndefined()
  })
})

describe('the activity of an agent', () => {
  test('is counted in spans of time, of which old ones fall out', () => {
    let activity = active(undefined, 0, 1)
    activity = active(activity, 1, 3)
    activity = active(activity, SPAN_MS, 1)
    expect(activity.counts.slice(-3)).toEqual([0, 4, 1])
    expect(active(activity, SPAN_MS, 0)).toBe(activity)
    expect(active(activity, SPAN_MS * 100, 0).counts.every((count) => count === 0)).toBe(true)
    expect(active(activity, 0, 1).counts.slice(-2), 'a clock that went back').toEqual([4, 2])
  })

  test('shows one event, and a flood higher than that', () => {
    expect(sparkline(undefined, 3)).toBe('   ')
    expect(sparkline({ counts: [1, 0, 4, 10_000], span: 0 }, 3)).toBe(' ▃█')
  })
})
