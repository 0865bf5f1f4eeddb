/** The table of sessions, of one agent or of all. Pure. */
import type { SessionInfo } from '../../api.ts'
import { ageText, sizeText } from '../../core/figures.ts'
import type { SessionStatus } from '../../core/session-state.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { fuzzyFilter } from './fuzzy.ts'
import type { Line, Tone } from './line.ts'
import { openApprovals } from './questions.ts'
import { spentCell } from './spending.ts'
import type { DashboardState } from './state.ts'
import { type Cell, inTone, scrolledTo, tableRow } from './table-lines.ts'
import { lastAccessedFirst } from './team.ts'

/** A glyph and a word say without colours what the colour says. */
export const SESSION_LOOKS: Readonly<Record<SessionStatus, { glyph: string; tone: Tone }>> = {
  active: { glyph: '●', tone: 'good' },
  suspended: { glyph: '‖', tone: 'warn' },
  terminated: { glyph: '■', tone: 'grey' },
}

/** The sorted and filtered list of the last state that was asked about: asked again in every frame, changed in few. */
let cached: { sessions: DashboardState['sessions']; key: string; list: readonly SessionInfo[] } | undefined

/** The sessions that the table lists, last accessed first, or as well as they match the filter. */
export function visibleSessions(state: DashboardState): readonly SessionInfo[] {
  const text = state.filter?.pane === 'sessions' ? state.filter.text : ''
  const agentId = state.scope === 'agent' ? state.agentId : undefined
  const key = JSON.stringify([agentId, text])
  if (cached?.sessions === state.sessions && cached.key === key) return cached.list
  const all = lastAccessedFirst(state.sessions).filter(
    (session) => agentId === undefined || session.agentId === agentId,
  )
  const list =
    text === ''
      ? all
      : fuzzyFilter(all, text, ({ name, id, status, agentId: of }) => `${name} ${of} ${status} ${id}`).map(
          ({ item }) => item,
        )
  cached = { sessions: state.sessions, key, list }
  return list
}

/** The row of the table that is chosen, 0 where the chosen session is not in it. */
export function chosenRow(state: DashboardState, list: readonly SessionInfo[]): number {
  return Math.max(
    0,
    list.findIndex(({ id }) => id === state.sessionId),
  )
}

/** The head and the sessions, as many as fit. */
export function sessionLines(state: DashboardState, width: number, height: number): readonly Line[] {
  const list = visibleSessions(state)
  const spend = list.some(({ counts }) => counts.steps > 0)
  const columns = columnsFor(width, state.scope === 'team', spend)
  const head = tableRow(
    columns.map(({ title, ...cell }) => ({ ...cell, text: title, tone: 'dim' })),
    width,
  )
  const rows = Math.max(0, height - 1)
  if (list.length === 0) return [[{ text: emptyText(state).slice(0, width), tone: 'dim' }]]
  const chosen = chosenRow(state, list)
  const top = scrolledTo(chosen, state.sessionsTop, list.length, rows)
  const lines = list.slice(top, top + rows).map((session, index) => {
    const line = tableRow(
      columns.map((column) => ({
        ...(column.width !== undefined && { width: column.width }),
        ...(column.align !== undefined && { align: column.align }),
        ...column.text(session, state),
      })),
      width,
    )
    if (state.focus !== 'sessions' || top + index !== chosen) return line
    return inTone(line, 'selected')
  })
  return [head, ...lines]
}

function emptyText(state: DashboardState): string {
  if (state.filter?.pane === 'sessions' && state.filter.text !== '') return 'no session matches'
  return state.scope === 'agent' && state.agentId !== undefined
    ? `${state.agentId} has no sessions yet: its first message begins one`
    : 'no sessions yet: the first message begins one'
}

interface Column extends Omit<Cell, 'text' | 'tone'> {
  title: string
  text: (session: SessionInfo, state: DashboardState) => { text: string; tone?: Tone }
}

const STATUS: Column = {
  title: 'STATUS',
  width: 13,
  text: ({ id, status, current, problem }, state) => {
    if (openApprovals(state).some(({ sessionId }) => sessionId === id))
      return { text: `? asks you${current ? ' *' : ''}`, tone: 'ask' }
    if (problem !== undefined) return { text: '✗ damaged', tone: 'bad' }
    const { glyph, tone } = SESSION_LOOKS[status]
    return { text: `${glyph} ${status}${current ? ' *' : ''}`, tone }
  },
}
const NAME: Column = { title: 'NAME', text: ({ name }) => ({ text: plainLine(name), tone: 'strong' }) }
const AGENT: Column = {
  title: 'AGENT',
  width: 12,
  text: ({ agentId }) => ({ text: agentId, tone: 'accent' }),
}
const TURNS: Column = {
  title: 'TURNS',
  width: 6,
  align: 'right',
  text: ({ counts }) => ({ text: String(counts.turns) }),
}
const AGE: Column = {
  title: 'AGE',
  width: 4,
  align: 'right',
  text: ({ lastAccessedAt }, { nowMs }) => ({ text: ageText(lastAccessedAt, nowMs), tone: 'dim' }),
}
const SPENT: Column = {
  title: 'SPENT',
  width: 13,
  align: 'right',
  text: ({ counts }) => ({ text: spentCell(counts) }),
}
const SIZE: Column = {
  title: 'SIZE',
  width: 8,
  align: 'right',
  text: ({ diskBytes }) => ({ text: sizeText(diskBytes), tone: 'dim' }),
}
const ID: Column = { title: 'ID', width: 18, text: ({ id }) => ({ text: id.slice(0, 18), tone: 'dim' }) }

/** Columns that a name has at least, before others stand beside it. */
const NAME_WIDTH = 16

/** What fits: the status and the name always, then what is asked for most. */
function columnsFor(width: number, withAgent: boolean, withSpent: boolean): readonly Column[] {
  const columns = [STATUS, NAME]
  let left = width - (STATUS.width ?? 0) - 1 - NAME_WIDTH
  for (const column of [...(withAgent ? [AGENT] : []), AGE, ...(withSpent ? [SPENT] : []), TURNS, SIZE, ID]) {
    left -= (column.width ?? 0) + 1
    if (left < 0) break
    columns.push(column)
  }
  return columns
}
