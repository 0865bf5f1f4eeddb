/** The list of agents: who is there, what each does, who needs the user. Pure. */
import type { AgentInfo, AgentState } from '../../api.ts'
import { ageText, sizeText } from '../../core/figures.ts'
import { sparkline } from './activity.ts'
import { attentionOf } from './attention.ts'
import { fuzzyFilter } from './fuzzy.ts'
import type { Line, Tone } from './line.ts'
import type { DashboardState } from './state.ts'
import { type Cell, inTone, scrolledTo, tableRow } from './table-lines.ts'
import { queueDepthOf } from './team.ts'

/** A glyph says without colours what the colour says. */
const AGENT_LOOKS: Readonly<Record<AgentState, { glyph: string; tone: Tone }>> = {
  working: { glyph: '●', tone: 'good' },
  waiting: { glyph: '?', tone: 'warn' },
  idle: { glyph: '○', tone: 'plain' },
  hibernated: { glyph: '·', tone: 'dim' },
  starting: { glyph: '◌', tone: 'warn' },
  restarting: { glyph: '↻', tone: 'warn' },
  failed: { glyph: '✗', tone: 'bad' },
  stopped: { glyph: '■', tone: 'grey' },
}

/** The agents that the list shows, in the order of the team. */
export function visibleAgents(state: DashboardState): readonly AgentInfo[] {
  const { filter, agents } = state
  if (filter?.pane !== 'agents' || filter.text === '') return agents
  const found = new Set(fuzzyFilter(agents, filter.text, ({ id }) => id).map(({ item }) => item.id))
  return agents.filter(({ id }) => found.has(id))
}

/** The head and the agents, as many as fit around the chosen one. */
export function agentLines(state: DashboardState, width: number, height: number): readonly Line[] {
  const agents = visibleAgents(state)
  const wide = width >= WIDE
  const head = wide ? [tableRow(WIDE_HEAD, width)] : []
  const rows = height - head.length
  const chosen = agents.findIndex(({ id }) => id === state.agentId)
  const top = scrolledTo(chosen, chosen - Math.floor(rows / 2), agents.length, rows)
  const needed = new Map(attentionOf(state).map(({ agentId, tone }) => [agentId, tone]))
  const lines = agents.slice(top, top + Math.max(0, rows)).map((agent) => {
    const attention = needed.get(agent.id)
    const line = tableRow((wide ? wideCells : narrowCells)(state, agent, attention), width)
    if (agent.id !== state.agentId) return line
    return inTone(line, state.focus === 'agents' ? 'selected' : 'chosen')
  })
  return [...head, ...lines]
}

const WIDE = 56
const BADGE = 1
const WIDE_HEAD: readonly Cell[] = [
  { text: '', width: 1 },
  { text: 'AGENT', tone: 'dim' },
  { text: '', width: BADGE },
  { text: 'STATE', tone: 'dim', width: 10 },
  { text: 'Q', tone: 'dim', width: 3, align: 'right' },
  { text: 'CPU', tone: 'dim', width: 4, align: 'right' },
  { text: 'HEAP', tone: 'dim', width: 6, align: 'right' },
  { text: 'LAST', tone: 'dim', width: 4, align: 'right' },
  { text: 'ACTIVITY', tone: 'dim', width: 12 },
]

function wideCells(state: DashboardState, agent: AgentInfo, attention: Tone | undefined): readonly Cell[] {
  const { glyph, tone } = AGENT_LOOKS[agent.state]
  const queued = queueDepthOf(state, agent)
  const { share } = state.cpu.get(agent.id) ?? {}
  const usage = agent.state === 'hibernated' || agent.state === 'stopped' ? undefined : agent.usage
  return [
    { text: glyph, tone, width: 1 },
    { text: agent.id, tone: attention ?? 'accent' },
    badge(state, agent, attention),
    { text: agent.state, tone, width: 10 },
    { text: queued === 0 ? '' : String(queued), tone: 'warn', width: 3, align: 'right' },
    {
      text: usage !== undefined && share !== undefined ? `${Math.round(share * 100)}%` : '',
      width: 4,
      align: 'right',
    },
    { text: usage === undefined ? '' : sizeText(usage.heapBytes).replace(' ', ''), width: 6, align: 'right' },
    {
      text: agent.lastActivityAt === undefined ? '' : ageText(agent.lastActivityAt, state.nowMs),
      tone: 'dim',
      width: 4,
      align: 'right',
    },
    { text: sparkline(state.activity.get(agent.id), 12), tone: 'good', width: 12 },
  ]
}

function narrowCells(state: DashboardState, agent: AgentInfo, attention: Tone | undefined): readonly Cell[] {
  const { glyph, tone } = AGENT_LOOKS[agent.state]
  const queued = queueDepthOf(state, agent)
  return [
    { text: glyph, tone, width: 1 },
    { text: agent.id, tone: attention ?? 'accent' },
    badge(state, agent, attention),
    ...(queued > 0 ? [{ text: `${queued}q`, tone: 'warn', width: 3, align: 'right' } as const] : []),
    agent.state === 'idle' || agent.state === 'working' || agent.state === 'hibernated'
      ? { text: sparkline(state.activity.get(agent.id), 8), tone: 'good', width: 8 }
      : { text: agent.state, tone, width: 10 },
  ]
}

/** `!` needs the user, `*` has news that were not looked at. */
function badge(state: DashboardState, agent: AgentInfo, attention: Tone | undefined): Cell {
  if (attention !== undefined) return { text: '!', tone: attention, width: BADGE }
  return { text: state.unseen.has(agent.id) ? '*' : '', tone: 'good', width: BADGE }
}
