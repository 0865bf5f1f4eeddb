/** Messages through a whole team: taskIds, acknowledged messages over crashes and restarts, refusals, waiting and cancelling. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Team, TurnEvent } from '../../src/index.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

/** How often turns of a taskId were started, over all sessions. */
async function startsOf(team: Team, taskId: string): Promise<number> {
  let starts = 0
  for (const { id } of team.sessions()) {
    const turns = new Set<string>()
    for await (const record of team.records(id)) {
      if (record.type === 'message.accepted' && record.taskId === taskId) turns.add(record.turnId)
      if (record.type === 'turn.started' && turns.has(record.turnId)) starts += 1
    }
  }
  return starts
}

describe('a taskId', () => {
  test('sent a hundred times at once is one turn: to a new agent, a hibernating one, and over a session switch', async () => {
    const team = await openTeam({ limits: { hibernateAfterMs: 5 } })
    const agent = await team.spawn({ id: 'a', behavior: 'echo' })
    for (const taskId of ['first', 'second']) {
      const outcomes = await Promise.all(Array.from({ length: 100 }, () => agent.send('x', { taskId })))
      expect(new Set(outcomes.map(({ turnId }) => turnId)).size).toBe(1)
      await until('it hibernates', () => agent.info().state === 'hibernated')
      await agent.createSession({ name: 'another' })
      expect(await agent.send('x', { taskId })).toEqual(outcomes[0])
      await until('it hibernates again: a recorded answer does not keep it awake', () => {
        return agent.info().state === 'hibernated'
      })
      expect(await startsOf(team, taskId)).toBe(1)
    }
  })

  test('answers its recorded outcome after a restart of the team, a failed turn too, on its own agent only', async () => {
    const data = temporaryDirectory()
    const before = await openTeam({ data })
    const throwing = await before.spawn({ id: 'throwing', behavior: fakeBehavior('throwing') })
    await before.spawn({ id: 'other', behavior: 'echo' })
    const done = await throwing.send('x', { taskId: 'done' })
    const failed = await throwing.send('throw', { taskId: 'failed' })
    expect(failed).toMatchObject({ status: 'failed' })
    await throwing.createSession({ name: 'another' })
    await before.close()

    const team = await openTeam({ data })
    const agent = team.agent('throwing')
    expect(await agent?.send('x', { taskId: 'done' })).toEqual(done)
    expect(await agent?.send('throw', { taskId: 'failed' })).toEqual(failed)
    expect(await agent?.post('x', { taskId: 'done' })).toEqual(done)
    expect(await team.task('done')).toEqual(done)
    expect(await team.task('never-sent')).toBeUndefined()
    await expect(team.agent('other')?.send('x', { taskId: 'done' })).rejects.toMatchObject({
      code: 'task_conflict',
    })
    expect([await startsOf(team, 'done'), await startsOf(team, 'failed')]).toEqual([1, 1])
  })

  test('belongs to the agent it was sent to first, from the moment it was sent', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const a = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const b = await team.spawn({ id: 'b', behavior: 'echo' })
    const sent = a.send(`wait ${gate}`, { taskId: 't' })
    await expect(b.send('x', { taskId: 't' })).rejects.toMatchObject({ code: 'task_conflict' })
    await until('it runs', async () => (await team.task('t'))?.status === 'running')
    await expect(b.post('x', { taskId: 't' })).rejects.toMatchObject({ code: 'task_conflict' })
    writeFileSync(gate, '')
    await sent
    await expect(b.send('x', { taskId: 't' })).rejects.toMatchObject({ code: 'task_conflict' })
  })

  test('stays with its agent when its sender has stopped waiting before it was accepted', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const a = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const b = await team.spawn({ id: 'b', behavior: 'echo' })
    const long = a.send(`wait ${gate}`)
    await until('it runs', () => a.info().state === 'working')
    const switched = a.createSession({ name: 'next' })
    const waiting = new AbortController()
    const given = a.send('x', { taskId: 't', signal: waiting.signal })
    waiting.abort()
    await expect(given).rejects.toMatchObject({ code: 'cancelled' })
    await expect(b.send('x', { taskId: 't' })).rejects.toMatchObject({ code: 'task_conflict' })
    writeFileSync(gate, '')
    await Promise.all([long, switched])
    expect(await a.send('x', { taskId: 't' })).toMatchObject({ status: 'completed', result: 'x' })
    expect(await startsOf(team, 't')).toBe(1)
  })

  test('repeated while the first waits behind a session switch joins it', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const long = agent.send(`wait ${gate}`)
    await until('it runs', () => agent.info().state === 'working')
    const switched = agent.createSession({ name: 'next' })
    const both = [agent.send('x', { taskId: 't' }), agent.send('x', { taskId: 't' })]
    writeFileSync(gate, '')
    await long
    const { id } = await switched
    const [first, second] = await Promise.all(both)
    expect(first).toMatchObject({ status: 'completed', sessionId: id })
    expect(second).toEqual(first)
    expect(await startsOf(team, 't')).toBe(1)
  })
})

describe('a posted message', () => {
  test('runs exactly once, although its agent is stopped and the team restarted before', async () => {
    const data = temporaryDirectory()
    const gate = join(data, 'gate')
    const before = await openTeam({ data })
    const agent = await before.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const running = agent.send(`wait ${gate}`)
    await until('it runs', () => agent.info().state === 'working')
    const posted = await agent.post('posted', { taskId: 'posted' })
    const sent = agent.send('sent')
    expect(posted).toMatchObject({ status: 'accepted', result: '' })
    expect(agent.info().queueDepth).toBeGreaterThan(0)
    await agent.stop({ graceMs: 0 })
    expect(await running).toMatchObject({ status: 'interrupted' })
    expect(await sent).toMatchObject({ status: 'cancelled', error: { code: 'agent_stopped' } })
    expect(await before.task('posted')).toMatchObject({ status: 'accepted' })
    await before.close()

    const stopped = await openTeam({ data })
    expect(stopped.agent('a')?.info()).toMatchObject({ state: 'stopped', queueDepth: 1 })
    await stopped.agent('a')?.start()
    await until('it has run', async () => (await stopped.task('posted'))?.status === 'completed')
    await stopped.close()

    const after = await openTeam({ data })
    expect(await after.task('posted')).toMatchObject({ status: 'completed', result: 'posted' })
    expect(await startsOf(after, 'posted')).toBe(1)
  })

  test('is taken up by itself after a restart of the team, unless that is not wanted', async () => {
    const data = temporaryDirectory()
    const gate = join(data, 'gate')
    const before = await openTeam({ data })
    const agent = await before.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    void agent.send(`wait ${gate}`)
    await until('it runs', () => agent.info().state === 'working')
    await agent.post('posted', { taskId: 'posted' })
    await before.close({ graceMs: 0 })

    const left = await openTeam({ data, resume: false })
    await left.agent('a')?.updateSession(left.agent('a')?.currentSession()?.id ?? '', { name: 'touched' })
    expect(await left.task('posted')).toMatchObject({ status: 'accepted' })
    await left.close()

    const after = await openTeam({ data })
    await until('it has run', async () => (await after.task('posted'))?.status === 'completed')
    expect(await startsOf(after, 'posted')).toBe(1)
  })
})

describe('a sender', () => {
  test('who aborts stops waiting; the turn goes on', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const waiting = new AbortController()
    const sent = agent.send(`wait ${gate}`, { taskId: 't', signal: waiting.signal })
    await until('it runs', () => agent.info().state === 'working')
    waiting.abort()
    await expect(sent).rejects.toMatchObject({ code: 'cancelled' })
    writeFileSync(gate, '')
    expect(await agent.send('again', { taskId: 't' })).toMatchObject({
      status: 'completed',
      result: `waited for ${gate}`,
    })
  })

  test('who cancels ends the turn, and only that', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    expect(await agent.cancel()).toBe(false)
    const sent = agent.send(`wait ${gate}`)
    const queued = agent.send('queued')
    await until('it runs', () => agent.info().state === 'working')
    expect(await agent.cancel()).toBe(true)
    expect(await sent).toMatchObject({ status: 'cancelled' })
    expect(await queued).toMatchObject({ status: 'completed' })
    expect(agent.info().restarts).toBe(0)
  })

  test('who streams sees the turn from its start to its end, tools and text in between', async () => {
    const team = await openTeam()
    const agent = await team.spawn({ id: 'a', behavior: 'shell' })
    const events: TurnEvent[] = []
    for await (const event of agent.stream('echo one; exit 3')) events.push(event)
    expect(events.map(({ type }) => type)).toEqual(
      expect.arrayContaining(['turn-started', 'tool-started', 'text', 'tool-finished', 'turn-finished']),
    )
    expect(events[0]).toMatchObject({ type: 'turn-started', attempt: 1 })
    expect(events.at(-1)).toMatchObject({
      type: 'turn-finished',
      outcome: { status: 'completed', exitCode: 3 },
    })
  })

  test('is refused by name for what cannot be sent, and nothing is changed', async () => {
    const team = await openTeam({ limits: { messageBytes: 10, mailboxMessages: 2 } })
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const other = await team.spawn({ id: 'b', behavior: 'echo' })
    const { id: foreign } = await other.createSession({ name: 'of b' })
    const { id: first } = await agent.createSession({ name: 'first' })
    const { id: current } = await agent.createSession({ name: 'current' })
    const { seq } = await team.readSession(current)
    await expect(agent.send('12345678901')).rejects.toMatchObject({
      code: 'message_too_large',
      data: { limit: 10, received: 11 },
    })
    await expect(agent.send(undefined as unknown as string)).rejects.toMatchObject({ code: 'invalid_input' })
    await expect(agent.send('x', { taskId: 'a b' })).rejects.toMatchObject({ code: 'invalid_id' })
    await expect(agent.send('x', { sessionId: 'nonsense' })).rejects.toMatchObject({ code: 'invalid_id' })
    await expect(agent.send('x', { sessionId: first })).rejects.toMatchObject({ code: 'session_not_found' })
    await expect(agent.send('x', { sessionId: foreign })).rejects.toMatchObject({ code: 'session_not_found' })
    await expect(agent.loadSession(foreign)).rejects.toMatchObject({ code: 'session_not_found' })
    await expect(agent.updateSession(foreign, { name: 'mine' })).rejects.toMatchObject({
      code: 'session_not_found',
    })
    await expect(agent.forkSession(foreign)).rejects.toMatchObject({ code: 'session_not_found' })
    expect((await team.readSession(current)).seq).toBe(seq)
    expect(await agent.send('x', { sessionId: current })).toMatchObject({ sessionId: current })
    await agent.terminateSession(first)
    await expect(agent.loadSession(first)).rejects.toMatchObject({ code: 'session_terminated' })
    expect(team.agent('nobody')).toBeUndefined()
  })

  test('is told that the mailbox is full, and heard again when it is not', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam({ limits: { mailboxMessages: 3 } })
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
    const taken = [agent.send(`wait ${gate}`), agent.send('1'), agent.send('2')]
    await expect(agent.send('too many')).rejects.toMatchObject({ code: 'mailbox_full' })
    writeFileSync(gate, '')
    expect((await Promise.all(taken)).map(({ status }) => status)).toEqual(Array(3).fill('completed'))
    expect(await agent.send('again')).toMatchObject({ status: 'completed' })
  })

  test('is refused before its bytes are more than the memory of the agent bears, and the agent stays up', async () => {
    const gate = join(temporaryDirectory(), 'gate')
    const team = await openTeam()
    const limits = { memoryMb: 128 }
    const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting'), limits })
    const running = agent.send(`wait ${gate}`)
    const input = 'x'.repeat(1024 * 1024 - 200)
    const posts = await Promise.allSettled(Array.from({ length: 1_000 }, () => agent.post(input)))
    const taken = posts.filter(({ status }) => status === 'fulfilled').length
    expect(taken).toBe(8)
    expect(posts.at(-1)).toMatchObject({
      reason: { code: 'mailbox_full', data: { maxBytes: 8 * 1024 * 1024 } },
    })
    // Those that were answered as accepted still wait, and count.
    await expect(agent.post(input)).rejects.toMatchObject({ code: 'mailbox_full' })
    writeFileSync(gate, '')
    await running
    await until('all turns to be over', () => {
      const session = team.sessions()[0]
      return session?.turn === null && session.counts.turns === taken + 1
    })
    expect(agent.info()).toMatchObject({ restarts: 0 })
    expect(await agent.send(input)).toMatchObject({ status: 'completed' })
  })
})
