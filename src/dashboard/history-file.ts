/** The lines that were entered in earlier runs: a file of JSON lines, for its owner alone. A history that cannot be kept is no fault. */
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { formatHistoryLine, MAX_HISTORY, parseHistory } from './model/line-history.ts'

const MODE = 0o600

/**
 * Oldest first; none where the file cannot be read. A file that has grown to twice what is used is written anew, and one whose last line was
 * cut off: the next line would be joined to it.
 */
export function readHistory(file: string): readonly string[] {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  const lines = parseHistory(text)
  const isCutOff = text !== '' && !text.endsWith('\n')
  if (isCutOff || text.split('\n').length > 2 * MAX_HISTORY) rewrite(file, lines)
  return lines
}

/** Appends one line. Two dashboards of one team append to one file: each line is one write. */
export function rememberLine(file: string, line: string): void {
  try {
    appendFileSync(file, `${formatHistoryLine(line)}\n`, { mode: MODE })
  } catch {
    // Kept for this run only.
  }
}

function rewrite(file: string, lines: readonly string[]): void {
  try {
    writeFileSync(`${file}.new`, lines.map((line) => `${formatHistoryLine(line)}\n`).join(''), { mode: MODE })
    renameSync(`${file}.new`, file)
  } catch {
    // The long one stays.
  }
}
