/** What becomes of a turn that takes its thread down. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Team } from '../../src/api.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

async function startsOf(team: Team, sessionId: string, turnId: string): Promise<number> {
  const records = await Array.fromAsync(team.records(sessionId))
  return records.filter((record) => record.type === 'turn.started' && record.turnId === turnId).length
}

test('a resumable turn that crashes three times ends as poison, is never run again, and the queue behind it goes on', async () => {
  const team = await openTeam()
  const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('resumable') })
  const poison = await agent.post('exit')
  const behind = await agent.post('behind').catch(() => undefined) // the thread may be down already
  await until('the poison is known', async () => (await team.task(poison.turnId))?.status === 'failed')
  expect(await team.task(poison.turnId)).toMatchObject({ error: { code: 'poison_turn' } })
  expect(await agent.send('exit', { taskId: poison.turnId })).toMatchObject({
    error: { code: 'poison_turn' },
  })
  expect(await agent.send('next')).toMatchObject({ status: 'completed', result: 'next, attempt 1' })
  if (behind) expect(await team.task(behind.turnId)).toMatchObject({ status: 'completed' })
  await agent.restart()
  await agent.send('again')
  expect(await startsOf(team, poison.sessionId, poison.turnId)).toBe(3)
  expect(agent.info().restarts).toBe(3)
})

test('a resumable turn that crashes twice is finished by its third attempt, once for all who ask', async () => {
  const team = await openTeam()
  const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('resumable') })
  const { turnId, sessionId } = await agent.post('exit until 3', { taskId: 't' })
  const outcome = await until('the turn is finished', async () => {
    const known = await team.task('t')
    return known?.status === 'completed' && known
  })
  expect(outcome).toMatchObject({ turnId, result: 'exit until 3, attempt 3' })
  expect(await startsOf(team, sessionId, turnId)).toBe(3)
})

test('another turn that crashes ends interrupted; what was posted behind it runs', async () => {
  const team = await openTeam()
  const agent = await team.spawn({ id: 'a', behavior: fakeBehavior('waiting') })
  const gate = join(temporaryDirectory(), 'gate')
  const lost = agent.send(`crash ${gate}`, { taskId: 'lost' })
  lost.catch(() => undefined)
  await until('it runs', () => agent.info().state === 'working')
  const behind = await agent.post('behind')
  writeFileSync(gate, '')
  await expect(lost).rejects.toMatchObject({ code: 'agent_crashed' })
  const outcome = await until('it has run', async () => {
    const known = await team.task(behind.turnId)
    return known?.status === 'completed' && known
  })
  expect(outcome).toMatchObject({ result: 'behind' })
  expect(await agent.send('again', { taskId: 'lost' })).toMatchObject({ status: 'interrupted' })
})
