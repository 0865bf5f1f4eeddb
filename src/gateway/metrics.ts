/**
 * The figures of a team for Prometheus. Totals are counted from the team's events; states are read at each scrape.
 * Labels are names of agents, routes as patterns, statuses and codes: nothing that a client can make up.
 */
import type { AgentInfo, Team, TeamEvent, TeamHealth } from '../api.ts'
import type { SessionNote } from '../store/session-store.ts'
import type { AnsweredRequest } from './app.ts'
import { createCounter, createGauge, createHistogram, expositionOf, type Family } from './prometheus.ts'

export interface Metrics {
  /** In the text format of Prometheus. */
  text(): string
  answered(request: AnsweredRequest): void
}

/** In seconds: an echo takes a millisecond, a build minutes. */
const TURN_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 20, 60, 300, 1_200]
const REQUEST_BUCKETS = [0.001, 0.005, 0.02, 0.1, 0.5, 1, 5, 20, 60]

const STORE_ERRORS: ReadonlyMap<SessionNote['kind'], string> = new Map([
  ['append-failed', 'append'],
  ['sync-failed', 'sync'],
  ['snapshot-failed', 'snapshot'],
])

export function createMetrics(
  team: Pick<Team, 'agents' | 'health' | 'events'>,
  options: { signal: AbortSignal; onFault: (error: unknown) => void },
): Metrics {
  const turns = createCounter({
    name: 'agentry_turns_total',
    help: 'Finished turns, by how they ended.',
  })
  const turnErrors = createCounter({
    name: 'agentry_turn_errors_total',
    help: 'Turns that ended with an error, by its code: storage_full and storage_failed are those of the disk.',
  })
  const turnSeconds = createHistogram({
    name: 'agentry_turn_duration_seconds',
    help: 'From the start of a turn to its end.',
    bounds: TURN_BUCKETS,
  })
  const storeErrors = createCounter({
    name: 'agentry_store_errors_total',
    help: 'Writes of sessions that failed: append and sync were not acknowledged, a snapshot is only a cache.',
  })
  for (const kind of STORE_ERRORS.values()) storeErrors.add({ kind }, 0)
  const notes = createCounter({
    name: 'agentry_notes_total',
    help: 'What was found wrong or mended, by kind.',
  })
  const requests = createHistogram({
    name: 'agentry_http_request_duration_seconds',
    help: 'Requests until their answer begins, by route and status.',
    bounds: REQUEST_BUCKETS,
  })
  const families: Family[] = [turns, turnErrors, turnSeconds, storeErrors, notes, requests]
  families.push(...agentGauges(team), ...teamGauges(team))

  /** An agent runs one turn at a time. */
  const started = new Map<string, { turnId: string; atMs: number }>()
  const count = (event: TeamEvent): void => {
    if (event.type === 'note') {
      notes.add({ kind: event.note.kind })
      const failed = STORE_ERRORS.get(event.note.kind)
      if (failed !== undefined) storeErrors.add({ kind: failed })
    }
    if (event.type === 'agent-removed') started.delete(event.agentId)
    if (event.type !== 'turn') return
    const { agentId: agent, event: step } = event
    if (step.type === 'turn-started') started.set(agent, { turnId: step.turnId, atMs: performance.now() })
    if (step.type !== 'turn-finished') return
    const { status, error, turnId } = step.outcome
    turns.add({ agent, status })
    if (error !== undefined) turnErrors.add({ code: error.code })
    const start = started.get(agent)
    if (start?.turnId === turnId) turnSeconds.observe({ agent }, (performance.now() - start.atMs) / 1_000)
    started.delete(agent)
  }
  follow(team.events({ signal: options.signal }), count).catch(options.onFault)

  return {
    text: () => expositionOf(families),
    answered({ method, route, status, durationMs }) {
      requests.observe({ method, route, status }, durationMs / 1_000)
    },
  }
}

async function follow(events: AsyncIterable<TeamEvent>, count: (event: TeamEvent) => void): Promise<void> {
  for await (const event of events) count(event)
}

function agentGauges(team: Pick<Team, 'agents'>): Family[] {
  const perAgent = (name: string, help: string, valueOf: (agent: AgentInfo) => number | undefined): Family =>
    createGauge({ name, help }, () =>
      team.agents().flatMap((agent) => {
        const value = valueOf(agent)
        return value === undefined ? [] : [[{ agent: agent.id }, value] as const]
      }),
    )
  return [
    perAgent('agentry_agent_queue_depth', 'Accepted messages that wait.', (agent) => agent.queueDepth),
    perAgent('agentry_agent_restarts', 'Restarts after crashes, since the start.', (agent) => agent.restarts),
    perAgent('agentry_agent_failed', '1 for an agent that crashed too often.', ({ state }) =>
      state === 'failed' ? 1 : 0,
    ),
    perAgent('agentry_agent_working', '1 for an agent that runs a turn.', ({ state }) =>
      state === 'working' ? 1 : 0,
    ),
    perAgent(
      'agentry_agent_cpu_seconds',
      'CPU time of the present stay.',
      ({ usage }) => usage && usage.cpuMs / 1_000,
    ),
    perAgent('agentry_agent_heap_bytes', 'Used heap of its thread.', ({ usage }) => usage?.heapBytes),
    perAgent('agentry_agent_external_bytes', 'Buffers of its thread.', ({ usage }) => usage?.externalBytes),
  ]
}

function teamGauges(team: Pick<Team, 'health'>): Family[] {
  const ofTeam = (name: string, help: string, valueOf: (health: TeamHealth) => number): Family =>
    createGauge({ name, help }, () => [[{}, valueOf(team.health())]])
  return [
    ofTeam('agentry_degraded', '1 where an agent has failed or a session cannot be read.', ({ status }) =>
      status === 'degraded' ? 1 : 0,
    ),
    ofTeam('agentry_sessions', 'Sessions, the trash not counted.', ({ sessions }) => sessions),
    ofTeam('agentry_disk_bytes', 'Journals and snapshots on disk.', ({ diskBytes }) => diskBytes),
    ofTeam(
      'agentry_resident_memory_bytes',
      'Of the process with all its threads.',
      ({ rssBytes }) => rssBytes,
    ),
  ]
}
