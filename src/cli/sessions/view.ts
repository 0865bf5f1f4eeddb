/** Sessions as people read them. Pure; everything that comes from a session is made plain text. */
import { styleText } from 'node:util'
import type { SessionInfo } from '../../api.ts'
import { ageText, costText, shortIdLength, sizeText, tokensText } from '../../core/figures.ts'
import type {
  MemoryEntry,
  SessionState,
  SessionStatus,
  TaskEntry,
  ToolCall,
} from '../../core/session-state.ts'
import { tokensOf } from '../../core/usage.ts'
import { usageText } from '../activity.ts'
import { questionLine } from '../approvals/view.ts'
import { table } from '../table.ts'
import { plainLine, plainText, verbatimLine } from '../../core/terminal-text.ts'

const HEAD = ['ID', 'NAME', 'AGENT', 'STATUS', 'TURNS', 'AGE', 'SIZE']
const STATUS_COLUMN = HEAD.indexOf('STATUS')

/** One line for each session; a star marks the current one of its agent. `allIds`: ids that the short ones must differ from. */
export function sessionTable(
  sessions: readonly SessionInfo[],
  allIds: readonly string[],
  nowMs: number,
  color: boolean,
): string {
  if (sessions.length === 0) return 'no sessions'
  const idLength = shortIdLength(allIds)
  const isCosting = sessions.some(({ counts }) => counts.steps > 0)
  const head = isCosting ? [...HEAD, 'TOKENS', 'COST'] : HEAD
  const rows = sessions.map((session) => [
    session.id.slice(0, idLength),
    session.name,
    session.agentId,
    session.current ? `${session.status} *` : session.status,
    String(session.counts.turns),
    ageText(session.lastAccessedAt, nowMs),
    sizeText(session.diskBytes),
    ...(isCosting ? [tokensText(tokensOf(session.counts)), costText(session.counts)] : []),
  ])
  return table(head, rows, (cell, row, column) => {
    const session = sessions[row]
    return column === STATUS_COLUMN && session !== undefined ? painted(cell, session.status, color) : cell
  })
}

/** The session's fields and its whole conversation, with how its turns ended as far as it remembers. */
export function sessionText(state: SessionState, color: boolean): string {
  const fields: [string, string][] = [
    ['session', state.id],
    ['name', plainLine(state.name)],
    ['description', plainLine(state.description)],
    ['agent', state.agentId],
    ['status', painted(state.status, state.status, color)],
    ['created', state.createdAt],
    ['last accessed', state.lastAccessedAt],
    ['turns', String(state.counts.turns)],
    ['used', state.counts.steps === 0 ? '' : usageText(state.counts)],
    ['directory', plainLine(state.workingDir, 1000)],
    ['prompt', plainLine(state.prompt)],
    ...Object.entries(state.vars).map(([name, value]): [string, string] => [
      'var',
      `${plainLine(name)}=${plainLine(value)}`,
    ]),
    ['metadata', Object.keys(state.metadata).length === 0 ? '' : plainLine(JSON.stringify(state.metadata))],
    ['unfinished', state.turn === null ? '' : plainLine(state.turn.input)],
    ...state.approvals.map((approval): [string, string] => [
      'asks',
      `${questionLine(approval)} (${approval.approvalId})`,
    ]),
    ...state.queue.map((message): [string, string] => ['queued', plainLine(message.input)]),
  ]
  const head = fields
    .filter(([, value]) => value !== '')
    .map(([name, value]) => `${name.padEnd(14)}${value}`)
    .join('\n')
  return [head, ...conversation(state)].join('\n\n')
}

/** One line about what was done: `suspended session work (0199…) of ops`. */
export function doneText(verb: string, session: Pick<SessionInfo, 'id' | 'name' | 'agentId'>): string {
  return `${verb} session ${plainLine(session.name)} (${session.id}) of ${session.agentId}`
}

/** The entries, results with the call that they are of; behind the last one of a turn that went otherwise than well, how it ended. */
function conversation({ memory, tasks }: SessionState): string[] {
  const endings = new Map(tasks.map((task) => [task.turnId, endingText(task)]))
  // By turn and id: models use ids again, and a result is of the last call before it.
  const calls = new Map<string, NamedCall>()
  return memory.flatMap((entry, index) => {
    const { turnId, toolCalls = [] } = entry
    for (const call of toolCalls)
      calls.set(`${turnId} ${call.toolCallId}`, { ...call, alone: toolCalls.length === 1 })
    const text = entryText(entry, calls.get(`${turnId} ${entry.toolCallId}`))
    const ending = memory[index + 1]?.turnId === entry.turnId ? undefined : endings.get(entry.turnId)
    return ending === undefined ? [text] : [text, ending]
  })
}

/** Undefined for a turn that completed with exit code 0, or without one. */
function endingText({ status, error, exitCode = 0 }: TaskEntry): string | undefined {
  if (status === 'completed') return exitCode === 0 ? undefined : `turn completed with exit code ${exitCode}`
  return error === undefined
    ? `turn ${status}`
    : `turn ${status}: ${plainLine(error.message, 1000)} (${error.code})`
}

type NamedCall = ToolCall & { /** The only one of its step. */ readonly alone: boolean }

/** `call`: the one that the entry is the result of, as far as the conversation has it. */
function entryText(entry: MemoryEntry, call: NamedCall | undefined): string {
  const calls = (entry.toolCalls ?? []).map((one) => callText('→', one, 1000))
  const text = plainText(entry.content)
  return [
    `${entry.at} ${entry.role}`,
    ...resultHead(entry, call),
    ...calls,
    ...(text === '' ? [] : [text.trimEnd()]),
  ].join('\n')
}

/** `← ok: shell`; where a step had several calls also what this one was given: two can be of one tool. */
function resultHead({ role, outcome }: MemoryEntry, call: NamedCall | undefined): string[] {
  if (role !== 'tool') return []
  const mark = outcome === undefined ? '←' : `← ${outcome}:`
  if (call === undefined) return [`${mark} a call`]
  return [call.alone ? `${mark} ${plainLine(call.name)}` : callText(mark, call, 200)]
}

function callText(mark: string, { name, input }: ToolCall, maxLength: number): string {
  return `${mark} ${plainLine(name)} ${verbatimLine(JSON.stringify(input), maxLength)}`
}

const COLOR = { active: 'green', suspended: 'yellow', terminated: 'gray' } as const

/** In the status's colour where there are colours; the word says it either way. */
function painted(text: string, status: SessionStatus, color: boolean): string {
  return color ? styleText(COLOR[status], text, { validateStream: false }) : text
}
