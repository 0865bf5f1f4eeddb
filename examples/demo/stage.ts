/** What the parts of the story share: the narrator's voice, and the log that every command writes to. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'
import type { Outcome, SessionInfo } from '../../src/index.ts'

/** The repository that the team works on: this one. */
export const REPOSITORY: string = fileURLToPath(new URL('../..', import.meta.url))

/** Where it plays: the data directory of the team, and the log. The first two arguments of each program. */
export interface Stage {
  data: string
  /** Each command adds a line `{turnId} {pid} {what}` here before it does anything else. */
  log: string
}

export function stageOf([data = '', log = '']: readonly string[]): Stage {
  return { data, log }
}

/** What the first supervisor knew at its death: all of it was acknowledged, so all of it must be true afterwards. */
export interface Handover {
  sessions: SessionInfo[]
  outcomes: Outcome[]
  /** Messages that were accepted, and waited behind the long command. */
  queued: Outcome[]
  /** The taskId of the long command, and how many lines it had printed. */
  longTask: string
  printedLines: number
}

// --- the log

/** The command, made to leave its line in the log. The path comes from the session's variables. */
export function logged(command: string, what = 'command'): string {
  return `${logLine(what)}; ${command}`
}

export function logLine(what: string): string {
  return `echo "$AGENTRY_TURN $$ ${what}" >> "$DEMO_LOG"`
}

export interface LogLine {
  turnId: string
  pid: number
  what: string
}

export function readLog(stage: Stage): LogLine[] {
  const lines = readFileSync(stage.log, 'utf8').split('\n').slice(0, -1)
  return lines.map((line) => {
    const [turnId = '', pid, ...what] = line.split(' ')
    return { turnId, pid: Number(pid), what: what.join(' ') }
  })
}

// --- the narrator

const WIDTH = 100

export function heading(text: string): void {
  console.log(`\n${styleText('bold', text)}\n`)
}

export function say(text: string): void {
  console.log(`  ${text}`)
}

/** A command and what it printed. */
export function showCommand(agentId: string, command: string, output: string): void {
  console.log(`  ${styleText('cyan', agentId)} $ ${cut(command, WIDTH - agentId.length - 5)}`)
  showOutput(output)
}

export function showOutput(output: string): void {
  if (output === '') return
  for (const line of output.trimEnd().split('\n'))
    console.log(styleText('dim', `    │ ${cut(line, WIDTH - 6)}`))
}

export function showSessions(sessions: readonly SessionInfo[]): void {
  const rows = sessions.map(({ agentId, name, status, current, counts, workingDir, vars }) => {
    const own = Object.entries(vars).filter(
      ([key]) => key !== 'DEMO_LOG' && key !== 'GIT_CEILING_DIRECTORIES',
    )
    return [
      agentId,
      name,
      current ? `${status}, current` : status,
      `${counts.turns} turn${counts.turns === 1 ? '' : 's'}`,
      workingDir.replace(REPOSITORY.replace(/\/$/, ''), '.'),
      own.map(([key, value]) => `${key}=${value}`).join(' '),
    ]
  })
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  for (const row of rows) {
    const line = row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')
    console.log(styleText('dim', `    │ ${line.trimEnd()}`))
  }
}

/** Says something that must be true, and ends the story as failed where it is not. */
export function claim(text: string, holds: boolean): void {
  if (holds) {
    console.log(`  ${styleText('green', '✔')} ${text}`)
  } else {
    console.log(`  ${styleText('red', '✘')} ${text}: THIS DOES NOT HOLD`)
    process.exit(1)
  }
}

function cut(line: string, width: number): string {
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`
}
