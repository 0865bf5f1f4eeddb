/** The pane of the session that is shown. Pure. */
import { sizeText } from '../../core/figures.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { conversationLines } from './conversation-lines.ts'
import type { Pane } from './frame.ts'
import { type Line, span } from './line.ts'
import { SESSION_LOOKS } from './session-lines.ts'
import { spentText } from './spending.ts'
import type { DashboardState } from './state.ts'
import { cutSpans, cutToWidth, wrapToWidth } from './text.ts'

export function conversationPane(state: DashboardState, width: number, height: number): Pane {
  const { conversation, nowMs, focus } = state
  const room = Math.max(1, height - 1)
  const sending = sendingLines(state, width, Math.min(room, 3))
  const lines =
    conversation === undefined
      ? emptyLines(state, width)
      : conversationLines(conversation, { width, height: Math.max(1, room - sending.length), nowMs }).lines
  return {
    title: titleOf(state, width),
    lines: [...lines, ...sending],
    width,
    height,
    focused: focus === 'conversation',
  }
}

function titleOf(state: DashboardState, width: number): Line {
  const tone = state.focus === 'conversation' ? 'accent' : 'strong'
  const session = state.sessions.get(state.conversation?.sessionId ?? '')
  if (session === undefined) return cutSpans([span('Conversation', tone)], width)
  const { glyph, tone: statusTone } = SESSION_LOOKS[session.status]
  const { counts } = session
  const spent = spentText(counts)
  const facts = [
    `${counts.turns} turn${counts.turns === 1 ? '' : 's'}`,
    ...(spent === '' ? [] : [spent]),
    sizeText(session.diskBytes),
    plainLine(session.workingDir),
  ].join(' · ')
  return cutSpans(
    [
      span(plainLine(session.name), tone),
      span(` ${glyph} ${session.status}${session.current ? '' : ' (not current)'}`, statusTone),
      span(` · ${facts}`, 'dim'),
    ],
    width,
  )
}

function emptyLines(state: DashboardState, width: number): readonly Line[] {
  const { agentId, connection } = state
  if (connection.phase === 'connecting') return []
  const text =
    agentId === undefined
      ? 'No agents yet: /spawn <id> adds one.'
      : `${agentId} has no current session: the first message begins one.`
  return wrapToWidth(text, width).map((line) => [span(line, 'dim')])
}

/** Messages that the team has not taken yet. */
function sendingLines(state: DashboardState, width: number, rows: number): readonly Line[] {
  return state.sending
    .filter(({ agentId }) => agentId === state.agentId)
    .slice(-rows)
    .map(({ text }) => [span(cutToWidth(`❯ ${plainLine(text)} (sending…)`, width), 'dim')])
}
