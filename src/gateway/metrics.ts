/**
 * The figures of a team for Prometheus. Totals are counted from the team's events; states are read at each scrape.
 * Labels are names of agents, routes as patterns, statuses and codes: nothing that a client can make up.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { AgentInfo, Team, TeamEvent } from '../api.ts'
import type { ErrorCode } from '../errors.ts'
import type { SessionNote } from '../store/session-store.ts'
import type { AnsweredRequest } from './app.ts'

export interface Metrics {
  /** In the text format of Prometheus, version 0.0.4. */
  text(): Promise<string>
  readonly contentType: string
  answered(request: AnsweredRequest): void
  /** An event of the team, and when it came on the monotonic clock, ms. */
  happened(event: TeamEvent, atMs: number): void
}

/** In seconds: an echo takes a millisecond, a build minutes. */
const TURN_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 20, 60, 300, 1_200]
const REQUEST_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 20, 60]

const STORE_ERRORS: ReadonlyMap<SessionNote['kind'], string> = new Map([
  ['append-failed', 'append'],
  ['sync-failed', 'sync'],
  ['snapshot-failed', 'snapshot'],
])

const MODEL_ERRORS: ReadonlySet<ErrorCode> = new Set(['model_failed', 'model_unavailable'])

interface OpenTurn {
  agentId: string
  /** On the monotonic clock, ms; undefined for a message that another turn took in: it ends with that one, and is none of its own. */
  startedMs: number | undefined
}

/** Turns of which nobody tells that they ended (their session was terminated while nothing ran) are forgotten from the oldest on. */
const MAX_OPEN = 10_000

export function createMetrics(team: Pick<Team, 'agents' | 'approvals' | 'health'>): Metrics {
  const register = new Registry()
  const registers = [register]
  const turns = new Counter({
    name: 'agentry_turns_total',
    help: 'Finished turns, by how they ended.',
    labelNames: ['agent', 'status'],
    registers,
  })
  const turnErrors = new Counter({
    name: 'agentry_turn_errors_total',
    help: 'Turns that ended with an error, by its code: storage_full and storage_failed are those of the disk.',
    labelNames: ['code'],
    registers,
  })
  const turnSeconds = new Histogram({
    name: 'agentry_turn_duration_seconds',
    help: 'From the first start of a turn to its end, with the time in which it waited.',
    labelNames: ['agent'],
    buckets: TURN_BUCKETS,
    registers,
  })
  const storeErrors = new Counter({
    name: 'agentry_store_errors_total',
    help: 'Writes of sessions that failed: append and sync were not acknowledged, a snapshot is only a cache.',
    labelNames: ['kind'],
    registers,
  })
  for (const kind of STORE_ERRORS.values()) storeErrors.inc({ kind }, 0)
  const notes = new Counter({
    name: 'agentry_notes_total',
    help: 'What was found wrong or mended, by kind.',
    labelNames: ['kind'],
    registers,
  })
  const requests = new Histogram({
    name: 'agentry_http_request_duration_seconds',
    help: 'Requests until their answer begins, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: REQUEST_BUCKETS,
    registers,
  })
  const tokens = new Counter({
    name: 'agentry_model_tokens_total',
    help: 'Tokens of requests to models, as providers report them.',
    labelNames: ['agent', 'direction'],
    registers,
  })
  const cost = new Counter({
    name: 'agentry_model_cost_usd_total',
    help: 'US dollars of requests to models whose price is known.',
    labelNames: ['agent'],
    registers,
  })
  const retries = new Counter({
    name: 'agentry_model_retries_total',
    help: 'Requests to models that failed and were tried again.',
    labelNames: ['agent'],
    registers,
  })
  const failures = new Counter({
    name: 'agentry_model_failures_total',
    help: 'Turns that ended because no model could be brought to answer.',
    labelNames: ['agent'],
    registers,
  })
  addAgentGauges(team, registers)
  addTeamGauges(team, registers)

  /** By turnId, from its first start on, whatever rests and crashes come until its end. */
  const open = new Map<string, OpenTurn>()
  const opened = (turnId: string, turn: OpenTurn): void => {
    if (open.has(turnId)) return
    open.set(turnId, turn)
    const [oldest] = open.keys()
    if (open.size > MAX_OPEN && oldest !== undefined) open.delete(oldest)
  }
  const happened = (event: TeamEvent, atMs: number): void => {
    if (event.type === 'note') {
      notes.inc({ kind: event.note.kind })
      const failed = STORE_ERRORS.get(event.note.kind)
      if (failed !== undefined) storeErrors.inc({ kind: failed })
    }
    if (event.type === 'agent-removed') {
      for (const [turnId, turn] of open) if (turn.agentId === event.agentId) open.delete(turnId)
    }
    if (event.type !== 'turn') return
    const { agentId: agent, event: step } = event
    if (step.type === 'turn-started') opened(step.turnId, { agentId: agent, startedMs: atMs })
    if (step.type === 'steered') opened(step.turnId, { agentId: agent, startedMs: undefined })
    if (step.type === 'retry') retries.inc({ agent })
    if ((step.type === 'step-finished' || step.type === 'compacted') && step.usage) {
      const { inputTokens, outputTokens, costUsd } = step.usage
      tokens.inc({ agent, direction: 'in' }, inputTokens)
      tokens.inc({ agent, direction: 'out' }, outputTokens)
      if (costUsd !== undefined) cost.inc({ agent }, costUsd)
    }
    if (step.type !== 'turn-finished') return
    const { status, error, turnId } = step.outcome
    const turn = open.get(turnId)
    open.delete(turnId)
    if (turn !== undefined) {
      if (turn.startedMs === undefined) return
      turnSeconds.observe({ agent }, (atMs - turn.startedMs) / 1_000)
    }
    turns.inc({ agent, status })
    if (error !== undefined) turnErrors.inc({ code: error.code })
    if (error !== undefined && MODEL_ERRORS.has(error.code)) failures.inc({ agent })
  }
  return {
    contentType: register.contentType,
    text: async () => register.metrics(),
    answered({ method, route, status, durationMs }) {
      requests.observe({ method, route, status }, durationMs / 1_000)
    },
    happened,
  }
}

function addAgentGauges(team: Pick<Team, 'agents'>, registers: Registry[]): void {
  const perAgent = (name: string, help: string, valueOf: (agent: AgentInfo) => number | undefined): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['agent'],
      registers,
      collect() {
        this.reset() // An agent that is gone has no figure.
        for (const info of team.agents()) {
          const value = valueOf(info)
          if (value !== undefined) this.set({ agent: info.id }, value)
        }
      },
    })
  perAgent('agentry_agent_queue_depth', 'Accepted messages that wait.', (agent) => agent.queueDepth)
  perAgent('agentry_agent_restarts', 'Restarts after crashes, since the start.', (agent) => agent.restarts)
  perAgent('agentry_agent_failed', '1 for an agent that crashed too often.', ({ state }) =>
    state === 'failed' ? 1 : 0,
  )
  perAgent('agentry_agent_working', '1 for an agent that runs a turn.', ({ state }) =>
    state === 'working' ? 1 : 0,
  )
  perAgent(
    'agentry_agent_waiting',
    '1 for an agent whose turn waits for a person or an agent.',
    ({ state }) => (state === 'waiting' ? 1 : 0),
  )
  perAgent(
    'agentry_agent_cpu_seconds',
    'CPU time of the present stay.',
    ({ usage }) => usage && usage.cpuMs / 1_000,
  )
  perAgent('agentry_agent_heap_bytes', 'Used heap of its thread.', ({ usage }) => usage?.heapBytes)
  perAgent('agentry_agent_external_bytes', 'Buffers of its thread.', ({ usage }) => usage?.externalBytes)
}

function addTeamGauges(team: Pick<Team, 'approvals' | 'health'>, registers: Registry[]): void {
  const ofTeam = (name: string, help: string, value: () => number): Gauge =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  ofTeam('agentry_degraded', '1 where an agent has failed or a session cannot be read.', () =>
    team.health().status === 'degraded' ? 1 : 0,
  )
  ofTeam('agentry_approvals', 'Questions that wait for a person.', () => team.approvals().length)
  ofTeam('agentry_sessions', 'Sessions, the trash not counted.', () => team.health().sessions)
  ofTeam('agentry_disk_bytes', 'Journals and snapshots on disk.', () => team.health().diskBytes)
  ofTeam(
    'agentry_resident_memory_bytes',
    'Of the process with all its threads.',
    () => team.health().rssBytes,
  )
}
