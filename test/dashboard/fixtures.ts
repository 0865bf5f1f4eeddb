/** Agents, sessions and states of the dashboard as the model gets them. */
import type { AgentInfo, SessionInfo, TeamEvent, TeamEventBody, TeamHealth } from '../../src/api.ts'
import { noUsage } from '../../src/core/usage.ts'
import type { Input } from '../../src/dashboard/model/input.ts'
import type { DashboardState } from '../../src/dashboard/model/state.ts'
import { initialState, update } from '../../src/dashboard/model/update.ts'
import { resolveAgentSpec } from '../../src/options.ts'

export const NOW_MS: number = Date.parse('2026-01-01T12:00:00.000Z')

export function agent(id: string, changes: Partial<AgentInfo> = {}): AgentInfo {
  return {
    id,
    role: '',
    behavior: 'shell',
    state: 'idle',
    queueDepth: 0,
    restarts: 0,
    spent: noUsage(),
    spec: resolveAgentSpec({ id, behavior: 'shell' }, '/'),
    ...changes,
  }
}

export function session(id: string, agentId: string, changes: Partial<SessionInfo> = {}): SessionInfo {
  const at = new Date(NOW_MS - 60_000).toISOString()
  return {
    formatVersion: 1,
    id,
    agentId,
    name: `session ${id}`,
    description: '',
    status: 'active',
    createdAt: at,
    lastAccessedAt: at,
    seq: 1,
    epoch: 1,
    journalOffset: 0,
    activation: 1,
    counts: { turns: 0, entries: 0, ...noUsage() },
    workingDir: '/',
    prompt: '',
    vars: {},
    metadata: {},
    grants: [],
    turn: null,
    queue: [],
    approvals: [],
    current: true,
    diskBytes: 1024,
    ...changes,
  }
}

export function health(changes: Partial<TeamHealth> = {}): TeamHealth {
  return {
    status: 'ok',
    agents: {
      starting: 0,
      idle: 0,
      working: 0,
      waiting: 0,
      restarting: 0,
      hibernated: 0,
      failed: 0,
      stopped: 0,
    },
    sessions: 0,
    diskBytes: 0,
    rssBytes: 0,
    notes: [],
    ...changes,
  }
}

let seq = 0
export function event(body: TeamEventBody, atMs: number = NOW_MS): Input {
  seq += 1
  const made: TeamEvent = { epoch: 1, seq, at: new Date(atMs).toISOString(), ...body }
  return { type: 'event', event: made }
}

export interface Given {
  agents?: AgentInfo[]
  sessions?: SessionInfo[]
  columns?: number
  rows?: number
  owned?: boolean
}

/** A dashboard that is connected to a team of these. */
export function connected({ agents = [agent('ops')], sessions = [], ...given }: Given = {}): DashboardState {
  const { columns = 80, rows = 24, owned = true } = given
  const start = initialState({
    columns,
    rows,
    nowMs: NOW_MS,
    place: { directory: '/data', owned },
  })
  return after(
    start,
    { type: 'lists', agents, sessions, health: health({ sessions: sessions.length }) },
    { type: 'connected', url: 'http://127.0.0.1:7420' },
  )
}

/** The state after these inputs. */
export function after(state: DashboardState, ...inputs: readonly Input[]): DashboardState {
  return inputs.reduce((before, input) => update(before, input).state, state)
}

/** Keys as inputs; a text of several characters in quotes is typed letter by letter. */
export function keys(...names: readonly string[]): Input[] {
  return names.flatMap((name): Input[] =>
    name.startsWith('"')
      ? Array.from(name.slice(1, -1), (letter): Input => ({
          type: 'key',
          key: letter === ' ' ? 'space' : letter,
        }))
      : [{ type: 'key', key: name }],
  )
}
