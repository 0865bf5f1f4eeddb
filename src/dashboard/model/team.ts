/**
 * What the dashboard knows of agents and sessions, and how events change it. Pure.
 *
 * Lists are read after every connecting and every `reset`; between them events are enough, and one that tells of something unknown
 * has it read.
 */
import type { AgentInfo, SessionInfo, TeamEvent } from '../../api.ts'
import { byLastAccess } from '../../core/session-order.ts'
import { assertNever } from '../../errors.ts'
import type { TurnEvent } from '../../protocol/from-agent.ts'
import { active } from './activity.ts'
import { derived } from './derived.ts'
import type { Effect, Step } from './input.ts'
import type { CpuReading, DashboardState } from './state.ts'

/** The state after one event of the team. */
export function withTeamEvent(state: DashboardState, event: TeamEvent): Step<DashboardState> {
  switch (event.type) {
    case 'agent-state': {
      const { agentId, state: to, error } = event
      const known = agentOf(state, agentId)
      if (known === undefined) return { state, effects: [{ type: 'read-agent', agentId }] }
      // What came with the state (restarts, the error of a crash) is only in the whole.
      const effects: Effect[] = WITHOUT_NEWS.has(to) ? [] : [{ type: 'read-agent', agentId }]
      const agent = { ...known, state: to, ...(error && { lastError: error }) }
      return { state: withAgent(state, agent), effects }
    }
    case 'agent-removed':
      return {
        state: { ...state, agents: state.agents.filter(({ id }) => id !== event.agentId) },
        effects: [],
      }
    case 'session':
      return { state: withSession(state, event.session, event.gone), effects: [] }
    case 'turn':
      return { state: withTurnEvent(state, event.agentId, event.event, Date.parse(event.at)), effects: [] }
    case 'usage': {
      const { agentId, usage, queueDepth } = event
      const known = agentOf(state, agentId)
      if (known === undefined) return { state, effects: [] }
      const reading = nextReading(state.cpu.get(agentId), usage.cpuMs, Date.parse(event.at))
      return {
        state: {
          ...withAgent(state, { ...known, usage, queueDepth }),
          cpu: new Map(state.cpu).set(agentId, reading),
        },
        effects: [],
      }
    }
    case 'note':
    case 'log':
      return { state, effects: [] }
    case 'reset':
      return { state, effects: [{ type: 'read-lists' }] }
    default:
      return assertNever(event)
  }
}

/** A state that tells all that has changed with it. */
const WITHOUT_NEWS: ReadonlySet<AgentInfo['state']> = new Set(['working', 'waiting', 'idle'])

export function agentOf(state: DashboardState, agentId: string | undefined): AgentInfo | undefined {
  return state.agents.find(({ id }) => id === agentId)
}

/** The agent in the place of the one with its id, else behind the others. */
export function withAgent(state: DashboardState, agent: AgentInfo): DashboardState {
  const index = state.agents.findIndex(({ id }) => id === agent.id)
  return { ...state, agents: index === -1 ? [...state.agents, agent] : state.agents.with(index, agent) }
}

/** All sessions, last accessed first. */
export const lastAccessedFirst: (sessions: DashboardState['sessions']) => readonly SessionInfo[] = derived(
  (sessions) => [...sessions.values()].toSorted(byLastAccess),
)

/** By agent: of several that say so (one is about to be suspended) the one that was activated last. */
export const currentSessions: (sessions: DashboardState['sessions']) => ReadonlyMap<string, SessionInfo> =
  derived((sessions: DashboardState['sessions']) => {
    const current = new Map<string, SessionInfo>()
    for (const session of sessions.values()) {
      const other = current.get(session.agentId)
      if (session.current && (other === undefined || session.activation > other.activation)) {
        current.set(session.agentId, session)
      }
    }
    return current
  })

/** The current session of an agent. */
export function currentSessionOf(
  { sessions }: Pick<DashboardState, 'sessions'>,
  agentId: string | undefined,
): SessionInfo | undefined {
  return agentId === undefined ? undefined : currentSessions(sessions).get(agentId)
}

/** Accepted messages that wait: as the session has them, else as was last told. */
export function queueDepthOf(state: DashboardState, agent: AgentInfo): number {
  return currentSessionOf(state, agent.id)?.queue.length ?? agent.queueDepth
}

function withSession(state: DashboardState, session: SessionInfo, gone: boolean): DashboardState {
  const sessions = new Map(state.sessions)
  if (gone) sessions.delete(session.id)
  else sessions.set(session.id, session)
  return { ...state, sessions }
}

function withTurnEvent(
  state: DashboardState,
  agentId: string,
  event: TurnEvent,
  atMs: number,
): DashboardState {
  const activity = new Map(state.activity).set(agentId, active(state.activity.get(agentId), atMs, 1))
  const known = agentOf(state, agentId)
  if (event.type !== 'turn-finished' || known === undefined) return { ...state, activity }
  const agents = withAgent(state, { ...known, lastActivityAt: new Date(atMs).toISOString() }).agents
  const { status } = event.outcome
  // What the user cancelled is no news; what is on the screen has been seen.
  if (status === 'cancelled' || agentId === state.agentId) return { ...state, activity, agents }
  const unseen = new Map(state.unseen).set(agentId, status === 'completed' ? 'completed' : 'failed')
  return { ...state, activity, agents, unseen }
}

function nextReading(before: CpuReading | undefined, cpuMs: number, atMs: number): CpuReading {
  // A smaller figure is that of another stay.
  if (before === undefined || cpuMs < before.cpuMs || atMs <= before.atMs) return { cpuMs, atMs }
  return { cpuMs, atMs, share: (cpuMs - before.cpuMs) / (atMs - before.atMs) }
}
