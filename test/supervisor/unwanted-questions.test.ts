/** What becomes of questions between agents when one of the two stops, goes, or ends its turn otherwise; and of full mailboxes. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Agent, Team } from '../../src/api.ts'
import { createId } from '../../src/core/ids.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

const behavior = fakeBehavior('relay')
const approve = { file: '/dev/null', line: 'x' }

interface Asked {
  team: Team
  a: Agent
  b: Agent
  data: string
  taskId: string
}

async function open(options: Parameters<typeof openTeam>[0] = {}): Promise<Asked> {
  const data = options.data ?? temporaryDirectory()
  const agents = ['a', 'b'].map((id) => ({ id, behavior }))
  const team = await openTeam({ host: 'in-process', agents, ...options, data })
  const [a, b] = [team.agent('a'), team.agent('b')]
  if (!a || !b) throw new Error('expected two agents')
  return { team, a, b, data, taskId: createId() }
}

/** Agent a has asked b, which asks a person. */
async function asked(options?: Parameters<typeof openTeam>[0]): Promise<Asked> {
  const team = await open(options)
  await team.a.post(JSON.stringify({ ask: [{ agent: 'b', relay: { approve } }] }), { taskId: team.taskId })
  await until('b asks a person', () => team.team.approvals().length === 1)
  await until('a waits', () => team.a.info().state === 'waiting')
  return team
}

/** No turn of b is open, queued or running. */
async function untilNothingIsLeft({ team }: Asked): Promise<void> {
  await until('b has nothing left', () =>
    team.sessions({ agentId: 'b' }).every(({ turn, queue, approvals }) => {
      return turn === null && queue.length === 0 && approvals.length === 0
    }),
  )
}

async function recordsOf({ team }: Asked, agentId: string): Promise<string[]> {
  const session = team.sessions({ agentId })[0]
  const { memory } = await team.readSession(session?.id ?? '')
  return memory.filter(({ role }) => role === 'tool').map(({ content }) => content)
}

describe('a team that closes while one agent waits for another', () => {
  test('records no answer; after the restart the person is asked the same, and the answer comes through', async () => {
    const before = await asked()
    const [question] = before.team.approvals()
    await before.team.close()
    const after = await open({ data: before.data })
    expect(after.team.approvals()).toMatchObject([{ approvalId: question?.approvalId }])
    await after.team.answerApproval(question?.approvalId ?? '', { decision: 'deny' })
    const outcome = await until('the end', async () => {
      const found = await after.team.task(before.taskId)
      return found?.status === 'completed' && found
    })
    expect(outcome.result).toBe('a b refused: no')
    expect(await recordsOf(after, 'a')).toEqual(['b refused: no'])
  })

  test('leaves a question in the queue of a busy agent where it is', async () => {
    const before = await asked()
    const busy = before.b
    const second = createId()
    await before.team.spawn({ id: 'c', behavior })
    await before.team
      .agent('c')
      ?.post(JSON.stringify({ ask: [{ agent: 'b', relay: {} }] }), { taskId: second })
    await until('it has asked', () => before.team.agent('c')?.info().state === 'waiting')
    await busy.post('{}') // its acceptance makes the question before it durable too
    expect(busy.currentSession()?.queue).toMatchObject([{ from: 'c' }, {}])
    await before.team.close()
    const after = await open({ data: before.data })
    await after.team.answerApproval(after.team.approvals()[0]?.approvalId ?? '', { decision: 'deny' })
    const outcome = await until('the end', async () => {
      const found = await after.team.task(second)
      return found?.status === 'completed' && found
    })
    expect(outcome.result).toBe('c b')
  })
})

describe('the asked agent', () => {
  test('that is stopped leaves no turn behind which would go on for nobody', async () => {
    const team = await asked()
    await team.b.stop()
    await untilNothingIsLeft(team)
    const outcome = await team.a.send('', { taskId: team.taskId })
    expect(outcome.result).toMatch(/agent b (is|was) stopped/)
    await team.b.start()
    expect(team.team.approvals()).toEqual([])
  })

  test('that is removed does so too', async () => {
    const team = await asked()
    await team.team.removeAgent('b')
    await untilNothingIsLeft(team)
    expect((await team.a.send('', { taskId: team.taskId })).status).toBe('completed')
  })
})

describe('the asking agent', () => {
  test('whose session is terminated while it is stopped waits no more', async () => {
    const team = await asked()
    await team.a.stop()
    expect(team.team.approvals()).toHaveLength(1)
    await team.a.terminateSession(team.a.currentSession()?.id ?? '')
    await untilNothingIsLeft(team)
    await team.a.start()
    const ring = JSON.stringify({ ask: [{ agent: 'a', relay: {} }] })
    expect((await team.b.send(ring)).result).toBe('b a')
  })

  test('that is removed waits no more', async () => {
    const team = await asked()
    await team.team.removeAgent('a')
    await untilNothingIsLeft(team)
    expect(team.team.approvals()).toEqual([])
  })

  test('that is cancelled after a restart, before it has asked again, takes its question back', async () => {
    const before = await asked()
    await before.a.stop()
    await before.team.close()
    const after = await open({ data: before.data })
    expect(after.team.approvals()).toHaveLength(1)
    await after.a.terminateSession(after.a.currentSession()?.id ?? '')
    await untilNothingIsLeft(after)
  })

  test('that is cancelled before its question is in the journal of the other has nothing run there', async () => {
    const team = await open()
    const gate = join(temporaryDirectory(), 'gate')
    const busy = await team.team.spawn({ id: 'busy', behavior: fakeBehavior('waiting') })
    const long = busy.send(`wait ${gate}`)
    await until('it runs', () => busy.info().state === 'working')
    const switched = busy.createSession({ name: 'next' }) // what comes behind it is accepted by the next session
    const turn = team.a.send(JSON.stringify({ ask: [{ agent: 'busy', relay: {} }] }))
    await until('a waits', () => team.a.info().state === 'waiting')
    await busy.cancel(createId()) // behind the question: it has come by now
    await team.a.cancel()
    expect((await turn).status).toBe('cancelled')
    await busy.cancel(createId()) // behind its withdrawal
    writeFileSync(gate, '')
    await Promise.all([long, switched])
    await busy.send('last')
    expect(busy.currentSession()).toMatchObject({ name: 'next', counts: { turns: 1 } })
  })
})

describe('an agent whose mailbox is full', () => {
  test('takes the answer that lets it go on', async () => {
    const team = await open({ limits: { mailboxMessages: 2 } })
    const turn = team.a.send(JSON.stringify({ approve }))
    const [question] = await until(
      'a question',
      () => team.team.approvals().length > 0 && team.team.approvals(),
    )
    const behind = team.a.send(JSON.stringify({ say: 'behind' }))
    await expect(team.a.send('{}')).rejects.toMatchObject({ code: 'mailbox_full' })
    await team.team.answerApproval(question?.approvalId ?? '', { decision: 'deny' })
    expect((await turn).result).toBe('a refused: no')
    expect((await behind).result).toBe('behind')
  })

  test('has it full of those who wait: who has gone away does not count', async () => {
    const team = await open({ limits: { mailboxMessages: 3 } })
    const { taskId } = team
    await team.a.post(JSON.stringify({ approve }), { taskId })
    await until('it waits', () => team.a.info().state === 'waiting')
    for (let client = 0; client < 10; client++) {
      const { signal, abort } = abortable()
      const sent = team.a.send('', { taskId, signal })
      abort()
      await expect(sent).rejects.toMatchObject({ code: 'cancelled' })
      await team.a.cancel(createId()) // behind the message: by now it has joined
    }
    const behind = team.a.send(JSON.stringify({ say: 'behind' }))
    await team.team.answerApproval(team.team.approvals()[0]?.approvalId ?? '', { decision: 'deny' })
    expect((await behind).result).toBe('behind')
  })
})

function abortable(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
