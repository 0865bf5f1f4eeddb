/**
 * The lines that were entered before, and where the user is among them. Pure.
 *
 * H1  what was being typed when the user went back (the draft) is there again when they come forward to the end.
 * H2  no line stands twice in a row, and MAX_HISTORY lines are kept at most, the newest.
 */

export interface LineHistory {
  /** Oldest first. */
  readonly lines: readonly string[]
  /** How many lines back the user is; 0 at the draft. Lines that come meanwhile leave it in range: it is bounded where it is used. */
  readonly back: number
  readonly draft: string
}

/** Where the user is now, and the line to show. */
export interface HistoryStep {
  readonly history: LineHistory
  readonly text: string
}

export const MAX_HISTORY = 1_000

export const emptyHistory: LineHistory = { lines: [], back: 0, draft: '' }

/** The line before; undefined at the oldest one. `current`: what stands in the input line, kept as the draft. */
export function previousLine(history: LineHistory, current: string): HistoryStep | undefined {
  const { lines, back } = history
  if (back >= lines.length) return undefined
  return stepTo(back === 0 ? { ...history, draft: current } : history, back + 1)
}

/** The line after, and behind the newest one the draft; undefined there. */
export function nextLine(history: LineHistory): HistoryStep | undefined {
  const { lines, back } = history
  return back === 0 ? undefined : stepTo(history, Math.min(back, lines.length) - 1)
}

/** The history with an entered line more, the user at its end. The same value where it is the last line again, or blank. */
export function rememberLine(history: LineHistory, line: string): LineHistory {
  const lines = appended(history.lines, line)
  return lines === history.lines && history.back === 0 ? history : { lines, back: 0, draft: '' }
}

/** The lines of a history file, oldest first. What is no line of one, as after a crash in the middle of a write, is passed over. */
export function parseHistory(text: string): string[] {
  const lines: string[] = []
  for (const row of text.split('\n')) {
    const line = parseRow(row)
    if (line !== undefined && line.trim() !== '' && line !== lines.at(-1)) lines.push(line)
  }
  return lines.slice(-MAX_HISTORY)
}

/** One line of the file, without its newline: JSON, so that newlines survive. */
export function formatHistoryLine(line: string): string {
  return JSON.stringify(line)
}

function stepTo(history: LineHistory, back: number): HistoryStep {
  return { history: { ...history, back }, text: back === 0 ? history.draft : (history.lines.at(-back) ?? '') }
}

function appended(lines: readonly string[], line: string): readonly string[] {
  return line.trim() === '' || line === lines.at(-1) ? lines : [...lines, line].slice(-MAX_HISTORY)
}

function parseRow(row: string): string | undefined {
  if (row === '') return undefined
  try {
    const value: unknown = JSON.parse(row)
    return typeof value === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
