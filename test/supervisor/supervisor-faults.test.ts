import { readdirSync, renameSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Agent, Team } from '../../src/api.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

const ECHO = { id: 'a', behavior: 'echo' }

async function spawnEcho(team: Team): Promise<Agent> {
  return team.spawn(ECHO)
}

describe('a team', () => {
  it('takes in a session whose files appear while it runs', async () => {
    const data = temporaryDirectory()
    const elsewhere = temporaryDirectory()
    const first = await openTeam({ data })
    const agent = await spawnEcho(first)
    const { sessionId } = await agent.send('one')
    await agent.createSession({ name: 'two' })
    await first.close()
    const files = readdirSync(data).filter((name) => name.startsWith(sessionId))
    for (const name of files) renameSync(join(data, name), join(elsewhere, name))

    const team = await openTeam({ data })
    for (const name of files) renameSync(join(elsewhere, name), join(data, name))
    const loaded = await team.agent('a')?.loadSession(sessionId)
    expect(loaded).toMatchObject({ id: sessionId, status: 'active', counts: { turns: 1 } })
    expect((await team.agent('a')?.send('three'))?.sessionId).toBe(sessionId)
    await until('the second turn', () => team.session(sessionId)?.counts.turns === 2)
  })

  it('refuses more calls than the mailbox takes, however busy the thread is', async () => {
    const team = await openTeam({ limits: { mailboxMessages: 5 } })
    const agent = await team.spawn({
      id: 'busy',
      behavior: fakeBehavior('rogue'),
      restart: { type: 'temporary' },
    })
    const answers = Array.from({ length: 20 }, async () => agent.send('loop'))
    const codes = await Promise.all(
      answers.slice(5).map((answer) => answer.catch((error: { code: string }) => error.code)),
    )
    expect(new Set(codes)).toEqual(new Set(['mailbox_full']))
    void Promise.allSettled(answers)
  })

  it('does not say of a task that waits in another session that it is done', async () => {
    const data = temporaryDirectory()
    const first = await openTeam({ data })
    const agent = await first.spawn({ id: 'held', behavior: fakeBehavior('waiting') })
    const running = agent.send(`wait ${data}/never`)
    await agent.post('later', { taskId: 'T1' })
    await first.close({ graceMs: 0 })
    await running

    const team = await openTeam({ data, resume: false })
    await team.agent('held')?.createSession({ name: 'another' })
    expect(await team.task('T1')).toMatchObject({ status: 'accepted' })
    await expect(team.agent('held')?.send('later', { taskId: 'T1' })).rejects.toMatchObject({
      code: 'task_conflict',
    })
  })

  it('cleans up around a session that cannot be moved, and says so', async () => {
    const data = temporaryDirectory()
    const team = await openTeam({ data })
    const agent = await spawnEcho(team)
    const ids: string[] = []
    for (const name of ['one', 'two', 'three']) {
      const { id } = await agent.createSession({ name })
      await agent.send(name)
      await agent.terminateSession(id)
      ids.push(id)
    }
    const bad = ids[1] ?? ''
    truncateSync(join(data, `${bad}.journal.jsonl`), 10)

    const taken = await team.cleanup({ maxCount: 0 })
    expect(taken.map(({ id }) => id).sort()).toEqual(ids.filter((id) => id !== bad).sort())
    expect(team.health().notes.some(({ sessionId }) => sessionId === bad)).toBe(true)
  })

  it('waits with a stop until the agent is spawned', async () => {
    const team = await openTeam()
    const spawning = team.spawn(ECHO)
    await team.agent('a')?.stop()
    await spawning
    expect(team.agent('a')?.info().state).toBe('stopped')
  })
})
