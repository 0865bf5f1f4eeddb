import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { unpack } from 'msgpackr'
import { describe, expect, test, vi } from 'vitest'
import type { ApprovalInfo, SessionInfo } from '../../src/api.ts'
import { packMsgpack } from '../../src/gateway/msgpack.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import { approvalOf } from '../fakes/approval.ts'
import type { Relay } from '../fakes/behaviors/relay.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'
import { createGateway, eventsOf, type Gateway, json, type ReceivedEvent } from './harness.ts'

interface Page {
  approvals: ApprovalInfo[]
  nextCursor?: string
}

const behavior = fakeBehavior('relay')

async function gatewayOf(...ids: string[]): Promise<{ gateway: Gateway; file: string }> {
  const gateway = await createGateway({ team: { agents: ids.map((id) => ({ id, behavior })) } })
  return { gateway, file: join(temporaryDirectory(), 'log') }
}

/** Sends a message that asks before it appends `line`; does not wait for the answer. */
async function post(gateway: Gateway, agent: string, relay: Relay): Promise<string> {
  const response = await gateway.fetch(`/agents/${agent}/message`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', prefer: 'respond-async' },
    body: JSON.stringify({ input: JSON.stringify(relay) }),
  })
  expect(response.status).toBe(202)
  return ((await response.json()) as Outcome).taskId
}

async function questions(gateway: Gateway, count: number): Promise<ApprovalInfo[]> {
  return until(`${count} questions`, async () => {
    const { approvals } = (await gateway.get<Page>('/approvals')).body
    return approvals.length === count && approvals
  })
}

async function finished(gateway: Gateway, taskId: string): Promise<Outcome> {
  return until('the end of the turn', async () => {
    const { body } = await gateway.get<Outcome>(`/tasks/${taskId}`)
    return body.status === 'completed' && body
  })
}

describe('the open questions over HTTP', () => {
  test('are listed, answered once, and what was allowed is done', async () => {
    const { gateway, file } = await gatewayOf('a')
    expect((await gateway.get<Page>('/approvals')).body).toEqual({ approvals: [] })
    const taskId = await post(gateway, 'a', { approve: { file, line: 'npm publish' } })
    const [asked] = await questions(gateway, 1)
    expect(asked).toMatchObject({ agentId: 'a', tool: 'append', subject: 'npm publish', reason: 'it writes' })
    expect((await gateway.get('/agents/a')).body).toMatchObject({ state: 'waiting' })
    expect(existsSync(file)).toBe(false)

    const path = `/approvals/${asked?.approvalId}`
    expect((await gateway.send('POST', path, { decision: 'once' })).body).toEqual(asked)
    expect(await finished(gateway, taskId)).toMatchObject({ result: 'a appended' })
    expect(readFileSync(file, 'utf8')).toBe('npm publish\n')
    expect((await gateway.get<Page>('/approvals')).body.approvals).toEqual([])
    expect(await gateway.fail(404, 'POST', path, json({ decision: 'once' }))).toMatchObject({
      code: 'approval_not_found',
    })
    expect(gateway.faults).toEqual([])
  })

  test('are answered once where many answer at the same time', async () => {
    const { gateway, file } = await gatewayOf('a')
    const taskId = await post(gateway, 'a', { approve: { file, line: 'x' } })
    const [asked] = await questions(gateway, 1)
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () =>
        gateway.fetch(`/approvals/${asked?.approvalId}`, { method: 'POST', ...json({ decision: 'once' }) }),
      ),
    )
    const statuses = answers.map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 404)).toHaveLength(19)
    await finished(gateway, taskId)
    expect(readFileSync(file, 'utf8')).toBe('x\n')
  })

  test('take a no with its reason, and a yes for the session, which shows there', async () => {
    const { gateway, file } = await gatewayOf('a')
    const refused = await post(gateway, 'a', { approve: { file, line: 'x' } })
    const [first] = await questions(gateway, 1)
    const no = { decision: 'deny', reason: 'not on a Friday' }
    await gateway.send('POST', `/approvals/${first?.approvalId}`, no)
    expect((await finished(gateway, refused)).result).toBe('a refused: not on a Friday')
    const allowed = await post(gateway, 'a', { approve: { file, line: 'y' } })
    const [second] = await questions(gateway, 1)
    await gateway.send('POST', `/approvals/${second?.approvalId}`, { decision: 'session' })
    await finished(gateway, allowed)
    expect(readFileSync(file, 'utf8')).toBe('y\n')
    const { body } = await gateway.get<SessionInfo>('/sessions/current')
    expect(body).toMatchObject({ grants: [{ tool: 'append' }], approvals: [] })
  })

  test('are those of one agent where it is named, and say who was asked for whom', async () => {
    const { gateway, file } = await gatewayOf('a', 'b')
    await post(gateway, 'a', {
      ask: [{ agent: 'b', relay: { approve: { file, line: 'for a' } } }],
    })
    const [asked] = await questions(gateway, 1)
    expect(asked).toMatchObject({ agentId: 'b', askedBy: { agentId: 'a', depth: 1 } })
    expect((await gateway.get<Page>('/approvals?agent=a')).body.approvals).toEqual([])
    expect((await gateway.get<Page>('/approvals?agent=b')).body.approvals).toEqual([asked])
    expect(await gateway.fail(404, 'GET', '/approvals?agent=nobody')).toMatchObject({
      code: 'agent_not_found',
    })
    expect((await gateway.fail(400, 'GET', '/approvals?agent=../x')).detail).toContain('agent id')
  })

  test('come in pages, from which a question that is answered meanwhile makes none go', async () => {
    const { gateway } = await gatewayOf('a')
    let open = Array.from({ length: 5 }, () => approvalOf({ agentId: 'a' }))
    const all = open.map(({ approvalId }) => approvalId)
    vi.spyOn(gateway.team, 'approvals').mockImplementation(() => open)
    const idsOf = ({ approvals }: Page): string[] => approvals.map(({ approvalId }) => approvalId)
    const first = (await gateway.get<Page>('/approvals?limit=2')).body
    expect(idsOf(first)).toEqual(all.slice(0, 2))
    open = open.slice(1)
    const second = (await gateway.get<Page>(`/approvals?limit=2&cursor=${first.nextCursor}`)).body
    expect(idsOf(second)).toEqual(all.slice(2, 4))
    const third = (await gateway.get<Page>(`/approvals?limit=2&cursor=${second.nextCursor}`)).body
    expect(idsOf(third)).toEqual(all.slice(4))
    expect(third).not.toHaveProperty('nextCursor')
    await gateway.fail(400, 'GET', '/approvals?cursor=made-up')
  })

  test('are answered in msgpack too', async () => {
    const { gateway, file } = await gatewayOf('a')
    await post(gateway, 'a', { approve: { file, line: 'x' } })
    const [asked] = await questions(gateway, 1)
    const response = await gateway.fetch(`/approvals/${asked?.approvalId}`, {
      method: 'POST',
      headers: { 'content-type': 'application/msgpack', accept: 'application/msgpack' },
      body: packMsgpack({ decision: 'deny' }),
    })
    expect(response.headers.get('content-type')).toBe('application/msgpack')
    expect(unpack(Buffer.from(await response.arrayBuffer()))).toEqual(asked)
  })

  test.each([
    ['no decision', {}, 'decision'],
    ['another decision', { decision: 'always' }, /once.*session.*deny/],
    ['a reason that is no text', { decision: 'deny', reason: 1 }, 'reason'],
    ['a key that nobody knows', { decision: 'once', forever: true }, 'forever'],
  ])('are not answered with %s: 400 says what was expected', async (_, answer, says) => {
    const { gateway, file } = await gatewayOf('a')
    await post(gateway, 'a', { approve: { file, line: 'x' } })
    const [asked] = await questions(gateway, 1)
    const { code, detail } = await gateway.fail(400, 'POST', `/approvals/${asked?.approvalId}`, json(answer))
    expect(code).toBe('invalid_input')
    expect(detail).toMatch(says)
    expect(await questions(gateway, 1)).toEqual([asked])
  })

  test.each(['x', '..%2f..%2fx', '%00', 'A'.repeat(10_000)])('have no id like %.20s', async (id) => {
    const { gateway } = await gatewayOf('a')
    const problem = await gateway.fail(400, 'POST', `/approvals/${id}`, json({ decision: 'once' }))
    expect(problem).toMatchObject({ code: 'invalid_id' })
    expect(problem.detail).toContain('approvalId')
  })
})

describe('a question on the streams', () => {
  /** The events of a stream as they come. */
  function collect(response: Response): ReceivedEvent[] {
    const events: ReceivedEvent[] = []
    void (async () => {
      for await (const event of eventsOf(response)) events.push(event)
    })()
    return events
  }

  test('is told live to who watches the team, the session and the turn, with all that an answer needs', async () => {
    const { gateway, file } = await gatewayOf('a')
    const { body } = await gateway.send<SessionInfo>('POST', '/sessions', { name: 'work' })
    const team = collect(await gateway.fetch('/events'))
    const session = collect(await gateway.fetch(`/sessions/${body.id}/events`))
    const turn = collect(
      await gateway.fetch('/message', {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
        body: JSON.stringify({ input: JSON.stringify({ approve: { file, line: 'x' } }) }),
      }),
    )
    const [asked] = await questions(gateway, 1)
    const approvalId = asked?.approvalId ?? ''
    const find = (events: ReceivedEvent[], part: object): Promise<ReceivedEvent> =>
      until(`an event with ${JSON.stringify(part)}`, () =>
        events.find((event) => {
          try {
            expect(event).toMatchObject(part)
            return true
          } catch {
            return false
          }
        }),
      )
    const question = { approvalId, subject: 'x', tool: 'append' }
    await find(turn, { event: 'approval-asked', data: { approval: question } })
    await find(team, {
      event: 'turn',
      data: { agentId: 'a', event: { type: 'approval-asked', approval: question } },
    })
    await find(team, { event: 'session', data: { session: { id: body.id, approvals: [question] } } })
    await find(team, { event: 'agent-state', data: { agentId: 'a', state: 'waiting' } })
    await find(session, { event: 'approval.asked', data: question })

    await gateway.send('POST', `/approvals/${approvalId}`, { decision: 'once' })
    const answer = { approvalId, decision: 'once', by: 'person' }
    await find(turn, { event: 'approval-answered', data: answer })
    await find(team, { event: 'turn', data: { event: { type: 'approval-answered', ...answer } } })
    await find(team, { event: 'session', data: { session: { id: body.id, approvals: [] } } })
    await find(session, { event: 'approval.answered', data: answer })
    await find(turn, { event: 'turn-finished', data: { outcome: { status: 'completed' } } })
  })
})
