/** Everything that can be asked of a team, at once and in random order, while agents crash, stop and hibernate; then: does it add up? */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Agent, ErrorCode, Outcome, SessionInfo, Team } from '../../src/index.ts'
import { toAgentryError } from '../../src/errors.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { SeededRandom } from '../fakes/kill-random.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

/** What a caller may meet when others stop agents and terminate sessions under its hands. Anything else is a fault. */
const EXPECTED_CODES: ReadonlySet<ErrorCode> = new Set([
  'agent_crashed',
  'agent_stopped',
  'agent_unresponsive',
  'mailbox_full',
  'no_current_session',
  'session_not_found',
  'session_terminated',
  // Its task waits in a session that another has switched away from.
  'task_conflict',
])

interface Chaos {
  team: Team
  random: SeededRandom
  agents: Agent[]
  /** By taskId: what was acknowledged, and how often. */
  acknowledged: Map<string, Outcome[]>
  faults: string[]
}

type Operation = (chaos: Chaos, agent: Agent) => Promise<unknown>

const OPERATIONS: [weight: number, name: string, operation: Operation][] = [
  [30, 'send', (chaos, agent) => message(chaos, agent, 'send')],
  [20, 'post', (chaos, agent) => message(chaos, agent, 'post')],
  [6, 'create', ({ random }, agent) => agent.createSession({ name: `session ${random.between(1, 1_000)}` })],
  [6, 'load', (chaos, agent) => agent.loadSession(anySession(chaos, agent))],
  [4, 'suspend', (chaos, agent) => agent.suspendSession(anySession(chaos, agent))],
  [2, 'terminate', (chaos, agent) => agent.terminateSession(anySession(chaos, agent))],
  [
    4,
    'update',
    (chaos, agent) =>
      agent.updateSession(anySession(chaos, agent), { vars: { N: String(chaos.random.between(1, 9)) } }),
  ],
  [2, 'fork', (chaos, agent) => agent.forkSession(anySession(chaos, agent))],
  [2, 'delete', (chaos, agent) => agent.deleteSession(anySession(chaos, agent))],
  [2, 'save', (_chaos, agent) => agent.saveSession()],
  [3, 'cancel', (_chaos, agent) => agent.cancel()],
  [2, 'load, cancelling', (chaos, agent) => agent.loadSession(anySession(chaos, agent), { cancel: true })],
  [3, 'stop and start', async (_chaos, agent) => Promise.all([agent.stop({ graceMs: 0 }), agent.start()])],
  [2, 'start', (_chaos, agent) => agent.start()],
]

async function message({ random, acknowledged }: Chaos, agent: Agent, way: 'send' | 'post'): Promise<void> {
  const taskId = `${agent.id}-${random.between(1, 2) === 1 ? `shared-${random.between(1, 40)}` : random.between(1, 1e9)}`
  const input = agent.id === 'crashing' && random.between(1, 12) === 1 ? 'exit until 2' : `message ${taskId}`
  const outcome = await agent[way](input, { taskId })
  acknowledged.set(taskId, [...(acknowledged.get(taskId) ?? []), outcome])
}

function anySession({ random, agents }: Chaos, agent: Agent): string {
  const others = agents.filter(({ id }) => id !== agent.id)
  const owner = random.between(1, 20) === 1 ? (random.pick(others) ?? agent) : agent
  return random.pick(owner.sessions())?.id ?? '01a20fcf-7936-741d-8671-c166ed565be3'
}

/** Runs `operations` random operations from `seed`, `atOnce` of them at a time. */
export async function chaos(options: { seed: number; operations: number; atOnce: number }): Promise<void> {
  const data = temporaryDirectory()
  const team = await openTeam({ data, limits: { hibernateAfterMs: 3, threads: 3 } })
  const restart = { maxRestarts: 1_000, withinMs: 1_000 }
  const agents = [
    await team.spawn({ id: 'one', behavior: 'echo', restart }),
    await team.spawn({ id: 'two', behavior: 'echo', restart }),
    await team.spawn({ id: 'crashing', behavior: fakeBehavior('resumable'), restart }),
  ]
  const state: Chaos = {
    team,
    random: new SeededRandom(options.seed),
    agents,
    acknowledged: new Map(),
    faults: [],
  }
  let left = options.operations
  await Promise.all(
    Array.from({ length: options.atOnce }, async () => {
      while (left-- > 0) await step(state)
    }),
  )
  expect(state.faults, `seed ${options.seed}`).toEqual([])

  for (const agent of agents) await agent.start()
  await until('all work is done', () => agents.every((agent) => isAtRest(agent.currentSession())), 30_000)
  await expectAcknowledged(state)
  const before = await expectCatalogLikeDisk(team)
  const current = agents.map((agent) => agent.currentSession()?.id)
  await team.close()

  const again = await openTeam({ data, resume: false })
  expect(again.agents().map(({ currentSessionId }) => currentSessionId)).toEqual(current)
  expect(await expectCatalogLikeDisk(again)).toEqual(before)
  for (const { id } of agents) {
    expect(again.sessions({ agentId: id, status: 'active' }).length).toBeLessThanOrEqual(1)
  }
}

async function step(chaos: Chaos): Promise<void> {
  const { random, agents, faults } = chaos
  const agent = random.pick(agents)
  const [name, operation] = pick(random)
  if (agent === undefined) return
  const code = await codeOf(name, operation(chaos, agent), faults)
  if (code === 'agent_stopped') await codeOf('start', agent.start(), faults)
  if (random.between(1, 4) === 1) await sleep(random.between(1, 8))
}

/** The code that an operation failed with, if it did; an unexpected one is a fault. */
async function codeOf(
  name: string,
  operation: Promise<unknown>,
  faults: string[],
): Promise<ErrorCode | undefined> {
  try {
    await operation
    return undefined
  } catch (error) {
    const { code, message } = toAgentryError(error)
    if (!EXPECTED_CODES.has(code)) faults.push(`${name}: ${code}: ${message}`)
    return code
  }
}

function pick(random: SeededRandom): [string, Operation] {
  const total = OPERATIONS.reduce((sum, [weight]) => sum + weight, 0)
  let drawn = random.between(0, total - 1)
  for (const [weight, name, operation] of OPERATIONS) {
    drawn -= weight
    if (drawn < 0) return [name, operation]
  }
  throw new Error('expected an operation')
}

function isAtRest(session: SessionInfo | undefined): boolean {
  return session === undefined || (session.turn === null && session.queue.length === 0)
}

/** Every acknowledged task is there once, with the outcome that was told, unless its session is in the trash. */
async function expectAcknowledged({ team, acknowledged }: Chaos): Promise<void> {
  const trashed = new Set(team.sessions({ trashed: true }).map(({ id }) => id))
  const accepted = new Map<string, number>()
  const statuses = new Map<string, string>()
  for (const { id } of team.sessions()) {
    for await (const record of team.records(id)) {
      if (record.type === 'message.accepted')
        accepted.set(record.taskId, (accepted.get(record.taskId) ?? 0) + 1)
      if (record.type === 'turn.finished') statuses.set(record.turnId, record.status)
    }
  }
  for (const [taskId, outcomes] of acknowledged) {
    const kept = outcomes.filter(({ sessionId }) => !trashed.has(sessionId))
    if (kept.length === 0) continue
    expect([taskId, accepted.get(taskId)]).toEqual([taskId, 1])
    for (const { turnId, status } of kept) {
      const now = statuses.get(turnId)
      if (status !== 'accepted') expect([taskId, now]).toEqual([taskId, status])
    }
  }
}

/** What the team says of its sessions is what is on disk. Gives it, by id. */
async function expectCatalogLikeDisk(team: Team): Promise<Map<string, unknown>> {
  const headers = new Map<string, unknown>()
  for (const { current: _current, diskBytes: _bytes, ...header } of team.sessions()) {
    const { memory, tasks: _tasks, ...onDisk } = await team.readSession(header.id)
    expect(summarized(header)).toEqual(summarized(onDisk))
    expect(memory.length).toBe(header.counts.entries)
    headers.set(header.id, summarized(header))
  }
  return new Map([...headers].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Without `undefined`s. */
function summarized(header: object): unknown {
  return JSON.parse(JSON.stringify(header))
}
