/** The list of agents: who is there, what each does, who needs the user. Pure. */
import type { AgentInfo, AgentState } from '../../api.ts'
import { ageText, sizeText } from '../../core/figures.ts'
import { sparkline } from './activity.ts'
import { attentionOf } from './attention.ts'
import { fuzzyFilter } from './fuzzy.ts'
import type { Line, Tone } from './line.ts'
import { askingAgents } from './questions.ts'
import { spentBy, spentCell } from './spending.ts'
import type { DashboardState } from './state.ts'
import { type Cell, inTone, scrolledTo, tableRow } from './table-lines.ts'
import { queueDepthOf } from './team.ts'

/** A glyph says without colours what the colour says. */
const AGENT_LOOKS: Readonly<Record<AgentState, AgentLook>> = {
  working: { glyph: '●', tone: 'good' },
  waiting: { glyph: '…', tone: 'warn' },
  idle: { glyph: '○', tone: 'plain' },
  hibernated: { glyph: '·', tone: 'dim' },
  starting: { glyph: '◌', tone: 'warn' },
  restarting: { glyph: '↻', tone: 'warn' },
  failed: { glyph: '✗', tone: 'bad' },
  stopped: { glyph: '■', tone: 'grey' },
}

interface AgentLook {
  readonly glyph: string
  readonly tone: Tone
  /** Where the state's own name does not say it. */
  readonly word?: string
}

const ASKS: AgentLook = { glyph: '?', tone: 'ask', word: 'asks you' }
/** In these states a question is what goes on with it; a question of a failed agent waits for its start. */
const MAY_ASK: ReadonlySet<AgentState> = new Set(['working', 'waiting', 'idle', 'hibernated'])

function lookOf({ id, state }: AgentInfo, asking: ReadonlySet<string>): AgentLook {
  return asking.has(id) && MAY_ASK.has(state) ? ASKS : AGENT_LOOKS[state]
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
  const asking = askingAgents(state)
  const columns = wide ? wideColumns(state, agents, width) : []
  const head = wide ? [tableRow(headCells(columns), width)] : []
  const rows = height - head.length
  const chosen = agents.findIndex(({ id }) => id === state.agentId)
  const top = scrolledTo(chosen, chosen - Math.floor(rows / 2), agents.length, rows)
  const needed = new Map(attentionOf(state).map(({ agentId, tone }) => [agentId, tone]))
  const lines = agents.slice(top, top + Math.max(0, rows)).map((agent) => {
    const shown: Shown = { agent, look: lookOf(agent, asking), attention: needed.get(agent.id) }
    const line = tableRow(wide ? wideCells(state, shown, columns) : narrowCells(state, shown), width)
    if (agent.id !== state.agentId) return line
    return inTone(line, state.focus === 'agents' ? 'selected' : 'chosen')
  })
  return [...head, ...lines]
}

/** An agent, and what its row says of it first. */
interface Shown {
  readonly agent: AgentInfo
  readonly look: AgentLook
  readonly attention: Tone | undefined
}

const WIDE = 56
const BADGE = 1
const STATE_WIDTH = 10

interface Column extends Required<Pick<Cell, 'width'>>, Pick<Cell, 'align' | 'tone'> {
  readonly title: string
  readonly text: (state: DashboardState, agent: AgentInfo) => string
}

const QUEUE: Column = {
  title: 'Q',
  tone: 'warn',
  width: 3,
  align: 'right',
  text: (state, agent) => String(queueDepthOf(state, agent) || ''),
}
const CPU: Column = {
  title: 'CPU',
  width: 4,
  align: 'right',
  text: (state, agent) => {
    const { share } = state.cpu.get(agent.id) ?? {}
    return share === undefined || usageOf(agent) === undefined ? '' : `${Math.round(share * 100)}%`
  },
}
const HEAP: Column = {
  title: 'HEAP',
  width: 6,
  align: 'right',
  text: (_, agent) => {
    const usage = usageOf(agent)
    return usage === undefined ? '' : sizeText(usage.heapBytes).replace(' ', '')
  },
}
const SPENT: Column = {
  title: 'SPENT',
  width: 13,
  align: 'right',
  text: (state, agent) => spentCell(spentBy(state, agent)),
}
const LAST: Column = {
  title: 'LAST',
  tone: 'dim',
  width: 4,
  align: 'right',
  text: ({ nowMs }, { lastActivityAt }) =>
    lastActivityAt === undefined ? '' : ageText(lastActivityAt, nowMs),
}
const ACTIVITY: Column = {
  title: 'ACTIVITY',
  tone: 'good',
  width: 12,
  text: (state, { id }) => sparkline(state.activity.get(id), 12),
}

/** With this many columns there is room for what agents cost beside what they use of the machine. */
const ROOM_FOR_ALL = 72

/** Where models were asked, what that took stands before what the machine gives; without, nothing of it shows. */
function wideColumns(state: DashboardState, agents: readonly AgentInfo[], width: number): readonly Column[] {
  const spend = agents.some((agent) => spentBy(state, agent).steps > 0)
  if (!spend) return [QUEUE, CPU, HEAP, LAST, ACTIVITY]
  return width >= ROOM_FOR_ALL ? [QUEUE, CPU, HEAP, SPENT, LAST, ACTIVITY] : [QUEUE, SPENT, LAST, ACTIVITY]
}

function usageOf({ state, usage }: AgentInfo): AgentInfo['usage'] {
  return state === 'hibernated' || state === 'stopped' ? undefined : usage
}

function headCells(columns: readonly Column[]): readonly Cell[] {
  return [
    { text: '', width: 1 },
    { text: 'AGENT', tone: 'dim' },
    { text: '', width: BADGE },
    { text: 'STATE', tone: 'dim', width: STATE_WIDTH },
    ...columns.map(({ title, width, align }): Cell => ({
      text: title,
      tone: 'dim',
      width,
      ...(align && { align }),
    })),
  ]
}

function firstCells(state: DashboardState, { agent, look, attention }: Shown): readonly Cell[] {
  return [
    { text: look.glyph, tone: look.tone, width: 1 },
    { text: agent.id, tone: attention ?? 'accent' },
    badge(state, agent, attention),
  ]
}

function wideCells(state: DashboardState, shown: Shown, columns: readonly Column[]): readonly Cell[] {
  const { agent, look } = shown
  return [
    ...firstCells(state, shown),
    { text: look.word ?? agent.state, tone: look.tone, width: STATE_WIDTH },
    ...columns.map(({ width, align, tone, text }): Cell => ({
      text: text(state, agent),
      width,
      ...(align && { align }),
      ...(tone && { tone }),
    })),
  ]
}

/** The word for what it does, where that is not said by its glyph; else what it has spent, or what it did. */
function narrowCells(state: DashboardState, shown: Shown): readonly Cell[] {
  const { agent, look } = shown
  const queued = queueDepthOf(state, agent)
  const spent = spentCell(spentBy(state, agent))
  const quiet = look.word === undefined && QUIET.has(agent.state)
  return [
    ...firstCells(state, shown),
    ...(queued > 0 ? [{ text: `${queued}q`, tone: 'warn', width: 3, align: 'right' } as const] : []),
    !quiet
      ? { text: look.word ?? agent.state, tone: look.tone, width: STATE_WIDTH }
      : spent === ''
        ? { text: sparkline(state.activity.get(agent.id), 8), tone: 'good', width: 8 }
        : { text: spent, tone: 'dim', width: Math.min(13, spent.length), align: 'right' },
  ]
}

const QUIET: ReadonlySet<AgentState> = new Set(['idle', 'working', 'hibernated'])

/** `!` needs the user, `*` has news that were not looked at. */
function badge(state: DashboardState, agent: AgentInfo, attention: Tone | undefined): Cell {
  if (attention !== undefined) return { text: '!', tone: attention, width: BADGE }
  return { text: state.unseen.has(agent.id) ? '*' : '', tone: 'good', width: BADGE }
}
