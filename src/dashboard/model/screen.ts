/** The whole screen of a state. Pure. */
import { plainLine } from '../../core/terminal-text.ts'
import { agentLines } from './agent-lines.ts'
import { chromeOf } from './chrome.ts'
import { conversationPane } from './conversation-pane.ts'
import type { Frame, Pane } from './frame.ts'
import { layoutOf, MIN_COLUMNS, MIN_ROWS } from './layout.ts'
import { type Line, span } from './line.ts'
import { overlayBox } from './overlay.ts'
import { sessionLines, visibleSessions } from './session-lines.ts'
import type { DashboardState } from './state.ts'
import { statusLine } from './status-lines.ts'
import { tableRow } from './table-lines.ts'
import { cutToWidth, widthOf } from './text.ts'

export function frameOf(state: DashboardState): Frame {
  const { columns, rows } = state.size
  if (columns < MIN_COLUMNS || rows < MIN_ROWS) {
    const text = `${columns}x${rows} is too small: ${MIN_COLUMNS}x${MIN_ROWS} at least`
    return { kind: 'too-small', columns, rows, text: cutToWidth(text, columns) }
  }
  const layout = layoutOf(state)
  const { strip, notice, input, height } = chromeOf(state)
  const panes: Pane[] = []
  if (layout.left !== undefined) {
    panes.push(
      layout.left.sessions
        ? widened(agentsAndSessions(state, layout.left.width - 1, height))
        : widened(agentsPane(state, layout.left.width - 1, height)),
    )
  }
  const { width, inset, shows } = layout.main
  panes.push(insetBy(inset, paneOf(shows, state, width - inset, height)))
  const overlay = overlayBox(state, columns, height)
  return {
    kind: 'panes',
    columns,
    rows,
    panes,
    strip,
    notice,
    input,
    status: statusLine(state, columns),
    ...(overlay && { overlay }),
  }
}

function paneOf(
  shows: 'agents' | 'sessions' | 'conversation',
  state: DashboardState,
  width: number,
  height: number,
): Pane {
  if (shows === 'agents') return agentsPane(state, width, height)
  return shows === 'sessions' ? sessionsPane(state, width, height) : conversationPane(state, width, height)
}

/** The pane with a blank column at its right. */
function widened(pane: Pane): Pane {
  return { ...pane, width: pane.width + 1 }
}

/** The pane with a blank column at its left: text right beside a rule reads badly. */
function insetBy(columns: 0 | 1, pane: Pane): Pane {
  if (columns === 0) return pane
  return { ...pane, title: moved(pane.title), lines: pane.lines.map(moved), width: pane.width + columns }
}

const BLANK = span(' ')
function moved(line: Line): Line {
  return [BLANK, ...line]
}

function agentsPane(state: DashboardState, width: number, height: number): Pane {
  return {
    title: agentsTitle(state, width),
    lines: agentLines(state, width, height - 1),
    width,
    height,
    focused: state.focus === 'agents',
  }
}

function sessionsPane(state: DashboardState, width: number, height: number): Pane {
  return {
    title: sessionsTitle(state, width),
    lines: sessionLines(state, width, height - 1),
    width,
    height,
    focused: state.focus === 'sessions',
  }
}

/** The agents as high as they are, up to half of the pane, below them the sessions. */
function agentsAndSessions(state: DashboardState, width: number, height: number): Pane {
  const upper = Math.min(state.agents.length + 1, Math.max(2, Math.floor((height - 3) / 2)))
  const agents = agentLines(state, width, upper)
  const lower = height - 1 - upper - 2
  const lines: Line[] = [...agents, ...Array.from({ length: upper - agents.length }, () => [])]
  if (lower >= 2) {
    lines.push([], sessionsTitle(state, width), ...sessionLines(state, width, lower))
  }
  return {
    title: agentsTitle(state, width),
    lines,
    width,
    height,
    focused: state.focus === 'agents' || state.focus === 'sessions',
  }
}

function agentsTitle(state: DashboardState, width: number): Line {
  return paneTitle('Agents', String(state.agents.length), 'agents', state, width)
}

function sessionsTitle(state: DashboardState, width: number): Line {
  const whose = state.scope === 'team' ? 'of all agents' : `of ${state.agentId ?? 'no agent'}`
  return paneTitle(`Sessions ${whose}`, String(visibleSessions(state).length), 'sessions', state, width)
}

/** The name in the accent's tone where the pane has the focus; on the right a count, or the filter. */
function paneTitle(
  name: string,
  count: string,
  pane: 'agents' | 'sessions',
  { filter, focus }: DashboardState,
  width: number,
): Line {
  const filtered = filter?.pane === pane
  const right = filtered ? `${plainLine(filter.text)}${filter.typing ? '▏' : ''} (${count})` : count
  const rightWidth = Math.min(widthOf(right), Math.max(0, width - 8))
  return tableRow(
    [
      { text: name, tone: focus === pane ? 'accent' : 'strong' },
      {
        text: filtered ? `/${right}` : right,
        tone: filtered ? 'warn' : 'dim',
        width: rightWidth + (filtered ? 1 : 0),
        align: 'right',
      },
    ],
    width,
  )
}
