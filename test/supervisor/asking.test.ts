/** Agents that ask each other and people, on real threads. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Team } from '../../src/api.ts'
import type { Relay } from '../fakes/behaviors/relay.ts'
import { errorWith } from '../error-with.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

const behavior = fakeBehavior('relay')

async function teamOf(ids: readonly string[], options: Parameters<typeof openTeam>[0] = {}): Promise<Team> {
  return openTeam({ agents: ids.map((id) => ({ id, behavior })), ...options })
}

async function say(team: Team, agentId: string, relay: Relay): Promise<string> {
  const agent = team.agent(agentId)
  if (agent === undefined) throw new Error(`no agent ${agentId}`)
  const { status, result, error } = await agent.send(JSON.stringify(relay))
  return status === 'completed' ? result : `${status}: ${error?.message}`
}

const stateOf = (team: Team, id: string): string | undefined => team.agent(id)?.info().state

describe('an agent that asks another', () => {
  test('gets its answer, and both conversations have it', async () => {
    const team = await teamOf(['a', 'b'])
    expect(await say(team, 'a', { ask: [{ agent: 'b', relay: { say: 'hello' } }] })).toBe('a hello')
    const asker = await team.readSession(team.agent('a')?.currentSession()?.id ?? '')
    expect(asker.memory.map(({ role, content }) => [role, content]).slice(1)).toEqual([
      ['assistant', ''],
      ['tool', 'hello'],
      ['assistant', 'a hello'],
    ])
    const asked = await team.readSession(team.agent('b')?.currentSession()?.id ?? '')
    expect(asked.memory[0]).toMatchObject({ role: 'user', content: '{"say":"hello"}' })
  })

  test('is refused by name where the wait could never end', async () => {
    const team = await teamOf(['a', 'b', 'c'])
    expect(await say(team, 'a', { ask: [{ agent: 'a', relay: {} }] })).toContain(
      'a cannot ask a: an agent cannot wait for itself',
    )
    const ring = {
      ask: [{ agent: 'b', relay: { ask: [{ agent: 'c', relay: { ask: [{ agent: 'a', relay: {} }] } }] } }],
    }
    expect(await say(team, 'a', ring)).toBe(
      'a b c agent c cannot ask a: a waits for b waits for c: nobody could go on',
    )
  })

  test('is refused where more questions hang on one another than are allowed', async () => {
    const ids = Array.from({ length: 11 }, (_, index) => `a${index}`)
    const team = await teamOf(ids)
    const chain = ids.slice(1).reduceRight<Relay>((relay, agent) => ({ ask: [{ agent, relay }] }), {})
    // The innermost is answered, whichever agents the questions went through.
    expect(await say(team, 'a0', chain)).toContain('at most 8 questions may hang on one another')
  })

  test('is told where there is no such agent', async () => {
    const team = await teamOf(['a', 'b'])
    expect(await say(team, 'a', { ask: [{ agent: 'nobody', relay: {} }] })).toContain('no agent "nobody"')
  })
})

describe('more agents than threads', () => {
  test('that wait for each other in a row, on one thread, all get their answers', async () => {
    const team = await teamOf(['a', 'b', 'c', 'd'], { limits: { threads: 1 } })
    const chain = {
      ask: [{ agent: 'b', relay: { ask: [{ agent: 'c', relay: { ask: [{ agent: 'd', relay: {} }] } }] } }],
    }
    expect(await say(team, 'a', chain)).toBe('a b c d')
  })

  test('of which each asks two others, on two threads, all get their answers', async () => {
    const ids = Array.from({ length: 12 }, (_, index) => `a${index}`)
    const team = await teamOf(ids, { limits: { threads: 2 } })
    const ask = (index: number): Relay => ({
      ask: [2 * index + 1, 2 * index + 2]
        .filter((child) => child < ids.length)
        .map((child) => ({ agent: `a${child}`, relay: ask(child) })),
    })
    expect(new Set((await say(team, 'a0', ask(0))).split(' '))).toEqual(new Set(ids))
  })
})

describe('a question to a person', () => {
  test('holds up its turn until it is answered, and what was approved runs once', async () => {
    const team = await teamOf(['a'])
    const file = join(temporaryDirectory(), 'log')
    const turn = say(team, 'a', { approve: { file, line: 'rm everything' } })
    const [approval] = await until('a question', () => team.approvals().length > 0 && team.approvals())
    expect(approval).toMatchObject({
      agentId: 'a',
      tool: 'append',
      subject: 'rm everything',
      reason: 'it writes',
    })
    await until('the state', () => stateOf(team, 'a') === 'waiting')
    expect(existsSync(file)).toBe(false)
    await team.answerApproval(approval?.approvalId ?? '', { decision: 'once' })
    expect(await turn).toBe('a appended')
    expect(readFileSync(file, 'utf8')).toBe('rm everything\n')
    expect(team.approvals()).toEqual([])
  })

  test('that is denied tells why', async () => {
    const team = await teamOf(['a'])
    const turn = say(team, 'a', { approve: { file: '/dev/null', line: 'x' } })
    const [approval] = await until('a question', () => team.approvals().length > 0 && team.approvals())
    await team.answerApproval(approval?.approvalId ?? '', { decision: 'deny', reason: 'too risky' })
    expect(await turn).toBe('a refused: too risky')
  })

  test('that nobody answers in time is denied, also while the agent has no thread', async () => {
    const team = await teamOf(['a'], { limits: { hibernateAfterMs: 50 } })
    const turn = say(team, 'a', { approve: { file: '/dev/null', line: 'x', timeoutMs: 1_500 } })
    await until(
      'the thread is given back',
      () => team.agent('a')?.info().usage === undefined && stateOf(team, 'a') === 'waiting',
    )
    expect(await turn).toBe('a refused: nobody answered')
  })

  test('of an agent that was asked is in the same inbox, and says for whom it works', async () => {
    const team = await teamOf(['a', 'b'])
    const file = join(temporaryDirectory(), 'log')
    const turn = say(team, 'a', { ask: [{ agent: 'b', relay: { approve: { file, line: 'x' } } }] })
    const [approval] = await until('a question', () => team.approvals().length > 0 && team.approvals())
    expect(approval).toMatchObject({ agentId: 'b', askedBy: { agentId: 'a', depth: 1 } })
    await team.answerApproval(approval?.approvalId ?? '', { decision: 'once' })
    expect(await turn).toBe('a b appended')
  })

  test('wakes the agent that gave its thread back; whoever waits for the turn gets its end', async () => {
    const team = await teamOf(['a', 'b'], { limits: { threads: 1 } })
    const file = join(temporaryDirectory(), 'log')
    const turn = say(team, 'a', { approve: { file, line: 'x' } })
    await until('it waits', () => stateOf(team, 'a') === 'waiting')
    expect(await say(team, 'b', { say: 'mine' })).toBe('mine')
    expect(stateOf(team, 'a')).toBe('waiting')
    await team.answerApproval(team.approvals()[0]?.approvalId ?? '', { decision: 'once' })
    expect(await turn).toBe('a appended')
    expect(readFileSync(file, 'utf8')).toBe('x\n')
  })

  test('is there after a restart, is answered then, and the turn goes on', async () => {
    const data = temporaryDirectory()
    const file = join(data, 'log')
    const before = await teamOf(['a'], { data })
    const { taskId } = (await before.agent('a')?.post(JSON.stringify({ approve: { file, line: 'x' } }))) ?? {}
    const [asked] = await until('a question', () => before.approvals().length > 0 && before.approvals())
    await before.close()
    const team = await teamOf(['a'], { data })
    expect(team.approvals()).toEqual([asked])
    await team.answerApproval(asked?.approvalId ?? '', { decision: 'once' })
    const outcome = await until('the end', async () => {
      const found = await team.task(taskId ?? '')
      return found?.status === 'completed' && found
    })
    expect(outcome.result).toBe('a appended')
    expect(readFileSync(file, 'utf8')).toBe('x\n')
  })

  test('can be answered while its agent is stopped: it goes on when it is started', async () => {
    const team = await teamOf(['a'])
    const file = join(temporaryDirectory(), 'log')
    await team.agent('a')?.post(JSON.stringify({ approve: { file, line: 'x' } }))
    const [asked] = await until('a question', () => team.approvals().length > 0 && team.approvals())
    await team.agent('a')?.stop()
    await team.answerApproval(asked?.approvalId ?? '', { decision: 'once' })
    expect(existsSync(file)).toBe(false)
    await team.agent('a')?.start()
    await until('it runs', () => existsSync(file))
  })

  test('that is not open, or was answered, is not found; an answer that is none is refused', async () => {
    const team = await teamOf(['a'])
    const id = '01890a5d-ac96-774b-bcce-b302099a8057'
    await expect(team.answerApproval(id, { decision: 'once' })).rejects.toThrow(
      errorWith('approval_not_found'),
    )
    await expect(team.answerApproval(id, { decision: 'yes' as 'once' })).rejects.toThrow(
      errorWith('invalid_input', 'expected one of once, session, deny, received "yes"'),
    )
  })
})

describe('a turn that is cancelled while it waits', () => {
  test('ends, and so does the turn that it waited for', async () => {
    const team = await teamOf(['a', 'b'])
    const turn = say(team, 'a', {
      ask: [{ agent: 'b', relay: { approve: { file: '/dev/null', line: 'x' } } }],
    })
    await until('a question', () => team.approvals().length > 0)
    expect(await team.agent('a')?.cancel()).toBe(true)
    expect(await turn).toContain('cancelled')
    await until('nobody is asked any more', () => team.approvals().length === 0)
    await until('b is idle', () => stateOf(team, 'b') === 'idle')
  })
})
