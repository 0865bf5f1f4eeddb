/** The lines round the input: what has just happened, and how the team is. Pure. */
import { sizeText } from '../../core/figures.ts'
import { plainLine, screenText } from '../../core/terminal-text.ts'
import { assertNever } from '../../errors.ts'
import { derived } from './derived.ts'
import { HINT_GAP, keyHints } from './keymap.ts'
import { type Line, type Span, span } from './line.ts'
import { openApprovals } from './questions.ts'
import { spentByTeam, spentText } from './spending.ts'
import type { DashboardState } from './state.ts'
import { cutToWidth, padToWidth, widthOf, wrapToWidth } from './text.ts'

/** The completion's candidates where there are some, else the connection's trouble, else the notice. */
export function noticeLines(state: DashboardState, columns: number, rows: number): readonly Line[] {
  const trouble = connectionText(state)
  const lines: Line[] = trouble === undefined ? [] : [[span(cutToWidth(trouble.text, columns), trouble.tone)]]
  const { candidates, notice } = state
  if (candidates !== undefined) {
    lines.push(...candidateLines(candidates, columns, rows - lines.length))
  } else if (notice !== undefined) {
    const tone = notice.kind === 'error' ? 'bad' : 'good'
    const glyph = notice.kind === 'error' ? '✗ ' : '✓ '
    const text = screenText(notice.text)
      .split('\n')
      .flatMap((line) => wrapToWidth(line, columns - 2))
    lines.push(...text.map((line, index) => [span(index === 0 ? glyph : '  ', tone), span(line)]))
  } else if (trouble === undefined && state.welcome) {
    lines.push(...WELCOME.map((line) => [span(cutToWidth(line, columns), 'dim')]))
  }
  return lines.slice(0, Math.max(0, rows))
}

/** Each fits 80 columns. */
const WELCOME = [
  'Type a message for the agent and press Enter: its work shows above, and is kept.',
  'Tab moves between the panes, ? shows all keys, / begins a command (/help).',
  '/spawn <id> adds an agent. /quit saves and leaves; the next start has it all.',
]

function candidateLines(
  candidates: NonNullable<DashboardState['candidates']>,
  columns: number,
  rows: number,
): Line[] {
  const widest = candidates.reduce((most, { text }) => Math.max(most, widthOf(text)), 0)
  const width = Math.min(40, widest, Math.max(1, columns - 2))
  const shown = candidates.length > rows ? candidates.slice(0, Math.max(0, rows - 1)) : candidates
  const lines: Line[] = shown.map(({ text, summary }) => [
    span(padToWidth(cutToWidth(text, width), width + 2), 'accent'),
    span(cutToWidth(plainLine(summary), Math.max(0, columns - width - 2)), 'dim'),
  ])
  if (shown.length < candidates.length)
    lines.push([span(`… ${candidates.length - shown.length} more`, 'dim')])
  return lines
}

function connectionText({
  connection,
  nowMs,
  place,
}: DashboardState): { text: string; tone: 'warn' | 'bad' } | undefined {
  switch (connection.phase) {
    case 'connecting':
      return { text: place.owned ? 'starting the supervisor…' : 'connecting…', tone: 'warn' }
    case 'connected':
      return undefined
    case 'lost': {
      const seconds = Math.max(0, Math.floor((nowMs - connection.sinceMs) / 1000))
      const what = place.owned ? 'it is started again' : 'trying again'
      return {
        text: `no supervisor for ${seconds} s (${plainLine(connection.reason)}): ${what}…`,
        tone: 'bad',
      }
    }
    case 'leaving':
      return {
        text:
          connection.how === 'quit' && place.owned
            ? 'saving: running turns finish first (Ctrl-C does not wait)…'
            : 'leaving: the supervisor goes on…',
        tone: 'warn',
      }
    default:
      return assertNever(connection)
  }
}

/** Of the status line, where there is more to say than fits. */
const HINTS_SHARE = 0.4

/** How the team is on the left, what keys do on the right, as much of both as fits. */
export function statusLine(state: DashboardState, columns: number): Line {
  const left: Span[] = [connectionSpan(state)]
  const hints = keyHints(state.overlay === undefined ? state.focus : 'overlay')
  const room = columns - Math.min(hints.length + 2, Math.floor(columns * HINTS_SHARE))
  let used = widthOf(left[0]?.text ?? '')
  for (const text of facts(state)) {
    const piece = ` · ${text}`
    if (used + widthOf(piece) > Math.max(room, 0)) continue
    left.push(span(piece, 'dim'))
    used += widthOf(piece)
  }
  const rest = columns - used
  if (rest < 6) return left
  const hint = wholeHints(hints, rest - 2)
  return [...left, span(' '.repeat(rest - widthOf(hint))), span(hint, 'dim')]
}

/** As many hints as fit: half a one helps nobody. */
function wholeHints(hints: string, width: number): string {
  let fitting = ''
  for (const hint of hints.split(HINT_GAP)) {
    const longer = fitting === '' ? hint : fitting + HINT_GAP + hint
    if (widthOf(longer) > width) break
    fitting = longer
  }
  return fitting
}

function connectionSpan({ connection }: DashboardState): Span {
  switch (connection.phase) {
    case 'connected':
      return span('● up', 'good')
    case 'connecting':
      return span('◌ starting', 'warn')
    case 'lost':
      return span('✗ down', 'bad')
    case 'leaving':
      return span('◌ leaving', 'warn')
    default:
      return assertNever(connection)
  }
}

/** The totals of the team, what matters most first. */
function facts(state: DashboardState): string[] {
  const working = state.agents.filter(({ state: is }) => is === 'working').length
  const asking = openApprovals(state).length
  const spent = spentText(spentByTeam(state))
  const { connection, place, health } = state
  return [
    `${counted(state.agents.length, 'agent')}${working > 0 ? `, ${working} working` : ''}`,
    ...(asking > 0 ? [counted(asking, 'question')] : []),
    counted(state.sessions.size, 'session'),
    ...(spent === '' ? [] : [spent]),
    ...(connection.phase === 'connected' ? [connection.url.replace(/^http:\/\//, '')] : []),
    ...(place.directory === undefined ? [] : [plainLine(place.directory)]),
    `${sizeText(bytesOf(state.sessions))} on disk`,
    ...(health === undefined ? [] : [`${sizeText(health.rssBytes)} memory`]),
  ]
}

const bytesOf = derived((sessions: DashboardState['sessions']) =>
  sessions.values().reduce((bytes, { diskBytes }) => bytes + diskBytes, 0),
)

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
