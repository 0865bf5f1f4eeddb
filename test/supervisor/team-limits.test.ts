/** What a team has used, counted over the life of its supervisor. */
import { expect, onTestFinished, test } from 'vitest'
import type { Agent } from '../../src/api.ts'
import { startModelServer } from '../fakes/model-server.ts'
import { openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

test('counts for its limits whatever becomes of sessions, and not what earlier runs have used', async () => {
  const server = await startModelServer({ reply: () => ['done', { usage: { input: 90, output: 10 } }] })
  onTestFinished(() => server.close())
  const setup = {
    data: temporaryDirectory(),
    host: 'in-process',
    providers: { fake: { type: 'openai-compatible', baseURL: server.openaiURL } },
    agents: ['a', 'b'].map((id) => ({ id, behavior: 'llm', model: 'fake/m' })),
    limits: { teamTokens: 150 },
  } as const
  const earlier = await openTeam(setup)
  await earlier.agent('a')?.send('begin')
  await earlier.agent('a')?.send('more')
  const old = earlier.agent('a')?.currentSession()?.id ?? ''
  await earlier.agent('a')?.deleteSession(old)
  await earlier.close()

  const team = await openTeam(setup)
  const said = async (agent: Agent | undefined): Promise<string | undefined> => {
    const { result, error } = (await agent?.send('go on')) ?? {}
    return error?.message ?? result
  }
  const [a, b] = [team.agent('a'), team.agent('b')]
  await a?.restoreSession(old)
  expect(await said(b)).toBe('done')
  await b?.deleteSession(b.currentSession()?.id ?? '')
  expect(await said(b)).toBe('done')
  await b?.deleteSession(b.currentSession()?.id ?? '')
  expect(b?.info().spent.steps).toBe(0)
  expect(await said(b)).toContain('the team has used 200 tokens')
  expect(await said(a)).toContain('the team has used 200 tokens')
})
