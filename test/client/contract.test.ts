import { expect, test } from 'vitest'
import { readDocument } from '../../scripts/openapi-types.ts'
import { createClient } from '../../src/client/client.ts'
import type { RemoteAgent, RemoteTeam } from '../../src/client/remote-team.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'
import { Contract, type Document } from '../gateway/contract.ts'
import { createGateway, HOST, TOKEN } from '../gateway/harness.ts'

const RELAY = { id: 'relay', behavior: fakeBehavior('relay') }

/** A call for each method. */
type Calls<T> = Record<Exclude<keyof T, 'id' | 'url' | 'close'>, () => Promise<unknown>>

/** The first of what comes; then the reader goes away. */
async function firstOf(iterable: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of iterable) return
}

test('the client asks and reads nothing that the document does not have', async () => {
  const gateway = await createGateway({ team: { agents: [{ id: 'echo', behavior: 'echo' }, RELAY] } })
  const contract = new Contract(JSON.parse((await readDocument()).text) as Document)
  const asked: string[] = []
  const client = createClient({
    url: `http://${HOST}`,
    token: TOKEN,
    fetch: async (url, init) => {
      const method = init.method ?? 'GET'
      asked.push(contract.checkRequest(method, url, init))
      const response = await gateway.fetch(url, init)
      await contract.checkAnswer(method, url, response)
      return response
    },
  })
  const agent = await client.agent('echo')
  if (agent === undefined) throw new Error('no agent')
  const { id } = await agent.createSession({ name: 'work', vars: { KEY: 'x' } })
  const other = await agent.createSession({ name: 'other' })
  await agent.loadSession(id)

  const ofAgent: Calls<RemoteAgent> = {
    info: async () => agent.info(),
    send: async () => agent.send('x', { taskId: 't', from: 'me', metadata: { a: { b: 1 } } }),
    stream: async () => Array.fromAsync(agent.stream('x', { sessionId: id })),
    post: async () => agent.post('x', { mode: 'steer' }),
    cancel: async () => [await agent.cancel(), await agent.cancel(id)],
    currentSession: async () => agent.currentSession(),
    sessions: async () => agent.sessions({ status: 'active', search: 'o', trashed: true }),
    createSession: async () => agent.createSession({ name: 'x', prompt: 'p', metadata: { a: [1] } }),
    updateSession: async () => agent.updateSession(id, { name: 'y', vars: { KEY: null } }),
    saveSession: async () => agent.saveSession(id),
    suspendSession: async () => agent.suspendSession(id, { cancel: true }),
    resumeSession: async () => agent.resumeSession(id),
    loadSession: async () => agent.loadSession(id, { cancel: true }),
    forkSession: async () => [await agent.forkSession(id), await agent.forkSession(id, 'z')],
    importSession: async () => agent.importSession({ name: 'i', status: 'suspended', memory: [] }),
    terminateSession: async () => agent.terminateSession(other.id, { cancel: true }),
    deleteSession: async () => agent.deleteSession(other.id, { cancel: true }),
    restoreSession: async () => agent.restoreSession(other.id),
    stop: async () => agent.stop(),
    start: async () => agent.start(),
    restart: async () => agent.restart(),
  }
  const ofTeam: Calls<RemoteTeam> = {
    spawn: async () => client.spawn({ id: 'new', behavior: 'echo', restart: { type: 'temporary' } }),
    agent: async () => client.agent('new'),
    agents: async () => client.agents(),
    removeAgent: async () => client.removeAgent('new'),
    sessions: async () => [await client.sessions({ agentId: 'echo' }), await client.sessions()],
    session: async () => client.session(id),
    findSession: async () => client.findSession('y', 'echo'),
    readSession: async () => client.readSession(id),
    task: async () => client.task('t'),
    approvals: async () => client.approvals(),
    answerApproval: async () => {
      const asker = await client.agent('relay')
      await asker?.post(JSON.stringify({ approve: { file: '/dev/null', line: 'x' } }))
      const [question] = await until('the question', async () => {
        const open = await client.approvals()
        return open.length > 0 && open
      })
      await client.answerApproval(question?.approvalId ?? '', { decision: 'deny', reason: 'no' })
    },
    cleanup: async () => client.cleanup({ maxCount: 100 }, { dryRun: true }),
    health: async () => client.health(),
    watch: async () => firstOf(client.watch(id, { after: 1 })),
    follow: async () => firstOf(client.follow(id, { after: 1 })),
    events: async () => firstOf(client.events({ after: `${gateway.team.epoch}:0` })),
  }
  for (const [name, call] of [...Object.entries(ofAgent), ...Object.entries(ofTeam)]) {
    const before = asked.length
    await call()
    expect(asked.length, name).toBeGreaterThan(before)
  }
  await client.close()
})
