import { pack } from 'msgpackr'
import { describe, expect, test } from 'vitest'
import { readDocument } from '../../scripts/openapi-types.ts'
import type { AgentInfo, ApprovalInfo, SessionInfo } from '../../src/api.ts'
import { rootPathOf } from '../../src/gateway/root-paths.ts'
import { fakeBehavior } from '../fakes/open-team.ts'
import { until } from '../fakes/until.ts'
import { type Answered, Contract, type Document } from './contract.ts'
import { createGateway } from './harness.ts'

const NOBODY = '0199c0de-0000-7000-8000-000000000000'
const STREAM = { accept: 'text/event-stream' }
const ASKS = { id: 'asks', behavior: fakeBehavior('relay') }
const LATER = { prefer: 'respond-async' }
const SESSION = {
  name: 'work',
  description: 'of a test',
  prompt: 'be short',
  vars: { KEY: 'value' },
  metadata: { nested: { list: [1, null, 'x'] } },
}

type Form = 'application/json' | 'application/msgpack'

interface Scene {
  /** Where the agent is: its path, or nothing for the root. */
  at: string
  /** The path of its session, which is current and has one turn. */
  session: string
  /** Asks, and holds the answer to the document. Throws where the status is another. */
  ask: <T = unknown>(status: number, method: string, path: string, options?: AskOptions) => Promise<T>
}

interface AskOptions {
  body?: unknown
  headers?: Record<string, string>
}

type Check = (scene: Scene) => Promise<unknown>

const LLM = {
  id: 'coder',
  behavior: 'llm',
  model: 'ollama/some-model',
  fallbacks: ['lmstudio/other-model'],
  tools: ['read', 'shell'],
  permissions: { read: 'allow', shell: { allow: ['git status'], default: 'ask' } },
  temperature: 0.5,
  approvalMs: 60_000,
  limits: { maxSteps: 5, maxTokens: 1_000, maxCostUsd: 0.5, sessionTokens: 5_000, sessionCostUsd: 2 },
}

/** A question that the agent `asks` has, as the list gives it. */
async function openQuestion({ ask }: Scene): Promise<ApprovalInfo> {
  const input = JSON.stringify({ approve: { file: '/dev/null', line: 'x' } })
  await ask(202, 'POST', '/agents/asks/message', { body: { input }, headers: LATER })
  return until('the question', async () => {
    const { approvals } = await ask<{ approvals: ApprovalInfo[] }>(200, 'GET', '/approvals')
    return approvals[0]
  })
}

/** What makes each operation answer in every way that the document has for it. `{at}` stands for `/agents/{agent}` and for the root. */
const CHECKS: Record<string, Check> = {
  'GET /health': async ({ ask }) => {
    await ask(200, 'GET', '/health')
    await ask(403, 'GET', '/health', { headers: { origin: 'http://elsewhere.example' } })
  },
  'GET /team': async ({ ask }) => {
    await ask(200, 'GET', '/team')
    await ask(401, 'GET', '/team', { headers: { authorization: 'Bearer other' } })
  },
  'POST /team/cleanup': async ({ ask, session }) => {
    await ask(200, 'DELETE', session)
    await ask(200, 'POST', '/team/cleanup', { body: { maxCount: 0, dryRun: true } })
    await ask(400, 'POST', '/team/cleanup', { body: { maxCount: -1 } })
  },
  'GET /agents': async ({ ask }) => {
    await ask(200, 'GET', '/agents')
    await ask(200, 'GET', '/agents?limit=1')
    await ask(400, 'GET', '/agents?limit=0')
  },
  'POST /agents': async ({ ask }) => {
    await ask(201, 'POST', '/agents', { body: { id: 'new', behavior: 'echo', limits: { turnMs: 1_000 } } })
    await ask(200, 'POST', '/agents', { body: { id: 'new', behavior: 'echo', limits: { turnMs: 1_000 } } })
    await ask(409, 'POST', '/agents', { body: { id: 'new', behavior: 'shell' } })
    await ask(400, 'POST', '/agents', { body: {} })
    const { spec } = await ask<AgentInfo>(201, 'POST', '/agents', { body: LLM })
    expect(spec.llm).toMatchObject({ model: LLM.model, permissions: LLM.permissions })
  },
  'GET /agents/{agent}': async ({ ask }) => {
    await ask(200, 'GET', '/agents/ops')
    await ask(404, 'GET', '/agents/nobody')
  },
  'DELETE /agents/{agent}': async ({ ask }) => {
    await ask(200, 'DELETE', '/agents/ops')
    await ask(200, 'DELETE', '/agents/ops?remove=true')
    await ask(404, 'DELETE', '/agents/ops')
  },
  'POST /agents/{agent}/restart': async ({ ask }) => {
    await ask(200, 'POST', '/agents/ops/restart')
    await ask(404, 'POST', '/agents/nobody/restart')
  },
  'POST {at}/message': async ({ ask, at }) => {
    const path = `${at}/message`
    await ask(200, 'POST', path, {
      body: { input: 'echo x', taskId: 't', from: 'test', metadata: { a: { b: 1 } }, mode: 'steer' },
    })
    await ask(200, 'POST', path, { body: { input: 'exit 3' } })
    await ask(200, 'POST', path, { body: { input: 'echo x' }, headers: STREAM })
    await ask(202, 'POST', path, { body: { input: 'echo x' }, headers: LATER })
    await ask(400, 'POST', path, { body: { input: 1 } })
    await ask(415, 'POST', path, { body: { input: 'x' }, headers: { 'content-type': 'text/xml' } })
    await ask(200, 'DELETE', '/agents/ops')
    await ask(409, 'POST', path, { body: { input: 'echo x' } })
  },
  'POST {at}/cancel': async ({ ask, at }) => {
    await ask(200, 'POST', `${at}/cancel`)
    await ask(200, 'POST', `${at}/cancel`, { body: { turnId: NOBODY } })
    await ask(400, 'POST', `${at}/cancel`, { body: { turnId: 1 } })
  },
  'GET /tasks/{taskId}': async ({ ask }) => {
    await ask(200, 'GET', '/tasks/first')
    await ask(404, 'GET', '/tasks/none')
  },
  'GET /approvals': async (scene) => {
    const { ask } = scene
    const { approvalId, sessionId } = await openQuestion(scene)
    await ask(200, 'GET', '/approvals?agent=asks&limit=1')
    await ask(404, 'GET', '/approvals?agent=nobody')
    // The session and its agent show it too.
    const { approvals, turn } = await ask<SessionInfo>(200, 'GET', `/agents/asks/sessions/${sessionId}`)
    expect([approvals, turn?.calls]).toMatchObject([[{ approvalId }], [{ state: 'announced' }]])
    await ask(200, 'GET', '/agents/asks')
  },
  'POST /approvals/{id}': async (scene) => {
    const { ask } = scene
    const { approvalId, sessionId } = await openQuestion(scene)
    await ask(400, 'POST', `/approvals/${approvalId}`, { body: { decision: 'perhaps' } })
    await ask(200, 'POST', `/approvals/${approvalId}`, { body: { decision: 'deny', reason: 'not today' } })
    await ask(404, 'POST', `/approvals/${approvalId}`, { body: { decision: 'deny' } })
    await ask(200, 'GET', `/agents/asks/sessions/${sessionId}/export`)
  },
  'GET {at}/sessions': async ({ ask, at }) => {
    await ask(201, 'POST', `${at}/sessions`, { body: { name: 'second' } })
    await ask(200, 'GET', `${at}/sessions?limit=1`)
    await ask(200, 'GET', `${at}/sessions?status=suspended&search=WORK`)
    await ask(400, 'GET', `${at}/sessions?status=odd`)
  },
  'POST {at}/sessions': async ({ ask, at }) => {
    await ask(201, 'POST', `${at}/sessions`, { body: SESSION })
    await ask(400, 'POST', `${at}/sessions`, { body: { name: 'x', other: 1 } })
  },
  'POST {at}/import': async ({ ask, at, session }) => {
    const { memory } = await ask<{ memory: unknown[] }>(200, 'GET', `${session}/export`)
    await ask(201, 'POST', `${at}/import`, { body: { ...SESSION, status: 'active', memory } })
    await ask(400, 'POST', `${at}/import`, { body: { ...SESSION, status: 'active' } })
  },
  'GET {at}/sessions/current': async ({ ask, at, session }) => {
    await ask(200, 'GET', `${at}/sessions/current`)
    await ask(200, 'DELETE', session)
    await ask(404, 'GET', `${at}/sessions/current`)
  },
  'GET {at}/sessions/{id}': async ({ ask, at, session }) => {
    await ask(202, 'POST', `${at}/message`, { body: { input: 'sleep 60' }, headers: LATER })
    await ask(202, 'POST', `${at}/message`, { body: { input: 'echo later' }, headers: LATER })
    const { turn, queue } = await ask<SessionInfo>(200, 'GET', session)
    expect([turn, queue]).toMatchObject([{ attempt: 1 }, [{ input: 'echo later' }]])
    await ask(200, 'DELETE', `${session}?cancel=true`)
    await ask(404, 'GET', `${at}/sessions/${NOBODY}`)
    await ask(400, 'GET', `${at}/sessions/not-an-id`)
  },
  'POST {at}/sessions/{id}': async ({ ask, session }) => {
    await ask(200, 'POST', `${session}/suspend`)
    await ask(200, 'POST', session)
    await ask(200, 'DELETE', session)
    await ask(409, 'POST', session)
  },
  'PATCH {at}/sessions/{id}': async ({ ask, session }) => {
    const body = { name: 'renamed', vars: { KEY: null, NEW: 'x' }, metadata: { nested: null, more: [1] } }
    await ask(200, 'PATCH', session, { body })
    await ask(400, 'PATCH', session, { body: { status: 'active' } })
  },
  'DELETE {at}/sessions/{id}': async ({ ask, session, at }) => {
    await ask(200, 'DELETE', session)
    await ask(200, 'DELETE', `${session}?purge=true`)
    await ask(404, 'DELETE', `${at}/sessions/${NOBODY}`)
  },
  'GET {at}/sessions/{id}/messages': async ({ ask, session }) => {
    const page = `${session}/messages?limit=1`
    const { nextCursor } = await ask<{ nextCursor: string }>(200, 'GET', page)
    await ask(200, 'GET', `${page}&cursor=${nextCursor}`)
    await ask(400, 'GET', `${page}&cursor=none`)
  },
  'GET {at}/sessions/{id}/export': async ({ ask, at, session }) => {
    await ask(200, 'GET', `${session}/export`)
    await ask(404, 'GET', `${at}/sessions/${NOBODY}/export`)
  },
  'GET {at}/sessions/{id}/events': async ({ ask, at, session }) => {
    await ask(200, 'GET', `${session}/events?after=2`, { headers: STREAM })
    await ask(404, 'GET', `${at}/sessions/${NOBODY}/events`)
  },
  'POST {at}/sessions/{id}/save': async ({ ask, at, session }) => {
    await ask(200, 'POST', `${session}/save`)
    await ask(404, 'POST', `${at}/sessions/${NOBODY}/save`)
  },
  'POST {at}/sessions/{id}/suspend': async ({ ask, at, session }) => {
    await ask(200, 'POST', `${session}/suspend`)
    await ask(404, 'POST', `${at}/sessions/${NOBODY}/suspend`)
  },
  'POST {at}/sessions/{id}/fork': async ({ ask, at, session }) => {
    await ask(201, 'POST', `${session}/fork`)
    await ask(201, 'POST', `${session}/fork`, { body: { name: 'again' } })
    await ask(404, 'POST', `${at}/sessions/${NOBODY}/fork`)
  },
  'POST {at}/sessions/{id}/restore': async ({ ask, at, session }) => {
    await ask(200, 'DELETE', `${session}?purge=true`)
    await ask(200, 'POST', `${session}/restore`)
    await ask(404, 'POST', `${at}/sessions/${NOBODY}/restore`)
  },
  'GET /events': async ({ ask }) => {
    await ask(200, 'GET', '/events', { headers: STREAM })
    await ask(400, 'GET', '/events', { headers: { 'last-event-id': 'x' } })
  },
  'GET /metrics': async ({ ask }) => {
    await ask(200, 'GET', '/metrics')
    await ask(401, 'GET', '/metrics', { headers: { authorization: 'Bearer other' } })
  },
}

/** The check of an operation, for which the agent is at `at`. */
function checkOf(operation: string): { check: Check | undefined; at: string } {
  const [method, path = ''] = operation.split(' ')
  const ofAgent = path.replace('/agents/{agent}', '{at}')
  if (rootPathOf(path) !== undefined) return { check: CHECKS[`${method} ${ofAgent}`], at: '/agents/ops' }
  return { check: CHECKS[operation] ?? CHECKS[`${method} {at}${path}`], at: '' }
}

const textOf = ({ operation, status, type }: Answered): string => `${operation} ${status} ${type}`

/** Runs a check on a team of its own. Resolves with all that was answered, and is in the document. */
async function runCheck(contract: Contract, check: Check, at: string, form: Form): Promise<string[]> {
  const gateway = await createGateway({ team: { agents: [{ id: 'ops', behavior: 'shell' }, ASKS] } })
  const { body: session } = await gateway.send<SessionInfo>('POST', '/sessions', SESSION)
  await gateway.send('POST', '/message', { input: 'echo first', taskId: 'first' })
  const answered: string[] = []
  await check({
    at,
    session: `${at}/sessions/${session.id}`,
    ask: async <T>(status: number, method: string, path: string, { body, headers }: AskOptions = {}) => {
      const response = await gateway.fetch(path, {
        method,
        headers: { accept: form, ...(body !== undefined && { 'content-type': form }), ...headers },
        ...(body !== undefined && { body: form === 'application/json' ? JSON.stringify(body) : pack(body) }),
      })
      if (response.status !== status) {
        throw new Error(
          `${method} ${path}: expected ${status}, received ${response.status}: ${await response.text()}`,
        )
      }
      const answer = await contract.checkAnswer(method, path, response)
      answered.push(textOf(answer))
      await response.body?.cancel()
      return answer.value as T
    },
  })
  expect(gateway.faults).toEqual([])
  return answered
}

const contract = new Contract(JSON.parse((await readDocument()).text) as Document)

describe('what the document says of', () => {
  test.each(contract.operations)('%s is what it answers', async (operation) => {
    const { check, at } = checkOf(operation)
    if (check === undefined) throw new Error(`${operation} has no check here`)
    const answered = [
      ...(await runCheck(contract, check, at, 'application/json')),
      ...(await runCheck(contract, check, at, 'application/msgpack')),
    ]
    const declared = contract.declared(operation).map(textOf)
    expect(declared.length).toBeGreaterThan(1)
    expect(declared.filter((answer) => !answered.includes(answer))).toEqual([])
  })

  test('no operation has a check that is not in the document', () => {
    const used = new Set(contract.operations.map((operation) => checkOf(operation).check))
    expect(Object.values(CHECKS).filter((check) => !used.has(check))).toEqual([])
  })
})
