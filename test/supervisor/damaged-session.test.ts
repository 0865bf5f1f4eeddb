import { readFileSync, truncateSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Agent, Team } from '../../src/api.ts'
import { openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

/** A team whose agent `a` had the current session `work` when its journal was cut behind what the snapshot covers. */
async function withCutJournal(): Promise<{ data: string; team: Team; agent: Agent; sessionId: string }> {
  const data = temporaryDirectory()
  const first = await openTeam({ data })
  const before = await first.spawn({ id: 'a', behavior: 'echo' })
  const { id: sessionId } = await before.createSession({ name: 'work' })
  await before.send('one')
  await first.close()
  const journal = join(data, `${sessionId}.journal.jsonl`)
  truncateSync(journal, readFileSync(journal).length - 20)
  const team = await openTeam({ data })
  const agent = team.agent('a')
  if (agent === undefined) throw new Error('expected the agent to be registered')
  return { data, team, agent, sessionId }
}

describe('an agent whose current session is damaged', () => {
  it('takes no message elsewhere by itself, and says why', async () => {
    const { team, agent, sessionId } = await withCutJournal()
    await expect(agent.send('two')).rejects.toMatchObject({
      code: 'journal_truncated',
      message: expect.stringContaining('the current session of agent a cannot be opened') as string,
    })
    expect(team.sessions()).toHaveLength(1)
    expect(team.session(sessionId)).toMatchObject({ name: 'work', problem: { kind: 'journal-truncated' } })
    expect(team.health().status).toBe('degraded')
  })

  it('is found by name, and its own error is what a load of it says', async () => {
    const { team, agent } = await withCutJournal()
    const { id } = team.findSession('work')
    await expect(agent.loadSession(id)).rejects.toMatchObject({ code: 'journal_truncated' })
  })

  it('works on in a session that somebody chooses', async () => {
    const { agent } = await withCutJournal()
    await agent.createSession({ name: 'another' })
    expect(await agent.send('two')).toMatchObject({ status: 'completed', result: 'two' })
    expect(agent.currentSession()?.name).toBe('another')
  })

  it('begins a new one where the files of the old one were taken away', async () => {
    const { data, team, agent, sessionId } = await withCutJournal()
    unlinkSync(join(data, `${sessionId}.journal.jsonl`))
    unlinkSync(join(data, `${sessionId}.json`))
    expect(await agent.send('two')).toMatchObject({ status: 'completed' })
    expect(team.sessions().some(({ name }) => name === 'default')).toBe(true)
  })
})
