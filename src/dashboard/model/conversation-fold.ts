/**
 * Records of a session as items. Pure.
 *
 * R1  any run of records can be folded, not only one from the beginning on: what its items miss is filled in by `joined`.
 * R2  the keys of items grow.
 */
import type { BodyOf, RecordBody, SessionRecord } from '../../core/record.ts'
import type { MemoryEntry, Usage } from '../../core/session-state.ts'
import { plainLine, verbatimLine } from '../../core/terminal-text.ts'
import {
  inputLine,
  keptText,
  type MessageItem,
  type NoteItem,
  type Question,
  type ReasoningItem,
  type RecordedItem,
  type TextItem,
  type ToolItem,
} from './conversation-items.ts'
import { stepText } from './spending.ts'

export interface Folded {
  readonly items: readonly RecordedItem[]
  /** In the order in which they were accepted. */
  readonly queued: readonly MessageItem[]
}

/** Of a conversation that a fork or an import started with, the last entries are shown. */
const MAX_INHERITED = 5_000
/** Keys of the items of one record differ by this: 2^20 of them stay below the next seq. */
const KEY_STEP = 2 ** -20

/** The items with those of `records`, which come directly behind them. */
export function foldRecords(before: Folded, records: readonly SessionRecord[], sessionId: string): Folded {
  const items = [...before.items]
  let queued = before.queued
  const text = (value: string): string => keptText(value, sessionId)

  for (const record of records) {
    let key = record.seq
    const push = (item: RecordedItem): void => {
      items.push({ ...item, key })
      key += KEY_STEP
    }
    const note = (tone: NoteItem['tone'], value: string, turnId?: string): void =>
      push({
        type: 'note',
        key,
        tone,
        text: plainLine(value, NOTE_CHARS),
        ...(turnId !== undefined && { turnId }),
      })
    const begin = (turnId: string): void => {
      const message = queued.find((one) => one.turnId === turnId)
      queued = queued.filter((one) => one !== message)
      // One that was to be steered and found no turn has one of its own.
      const { steered: _, ...own } = message ?? { type: 'message' as const, key, turnId, at: record.at }
      push({ ...own, queued: false })
    }
    /** Fields of a call; it gets an item here where its beginning was not read. */
    const setCall = (turnId: string, toolCallId: string, change: Partial<ToolItem>): void => {
      const index = openCall(items, turnId, toolCallId)
      const known = items[index]
      if (known?.type === 'tool') items[index] = { ...known, ...change }
      else push({ type: 'tool', key, turnId, toolCallId, input: '', state: 'running', ...change })
    }

    switch (record.type) {
      case 'session.created': {
        const { memory = [] } = record
        if (memory.length > MAX_INHERITED) {
          note(
            'dim',
            `${memory.length - MAX_INHERITED} entries before these: agentry sessions show ${sessionId}`,
          )
        }
        for (const entry of memory.slice(-MAX_INHERITED)) pushInherited(entry, push, setCall, text)
        note('dim', createdText(record))
        break
      }
      case 'session.changed':
        for (const change of changeTexts(record)) note('dim', change)
        break
      case 'session.trashed':
        note('dim', 'moved to the trash')
        break
      case 'session.restored':
        note('dim', 'restored from the trash')
        break
      case 'message.accepted': {
        const { turnId, input, mode, from = record.askedBy?.agentId } = record
        const sender = from === undefined ? {} : { from: plainLine(from, FROM_CHARS) }
        const steered = mode === 'steer' ? ({ steered: true } as const) : {}
        queued = [
          ...queued,
          {
            type: 'message',
            key,
            turnId,
            at: record.at,
            text: text(input),
            queued: true,
            ...sender,
            ...steered,
          },
        ]
        break
      }
      case 'turn.started':
        if (record.attempt === 1) begin(record.turnId)
        else note('warn', `cut off by a crash, started again: attempt ${record.attempt}`, record.turnId)
        break
      case 'step.model': {
        const { turnId, toolCalls = [] } = record
        for (const item of stepItems(record, text)) push({ ...item, key, turnId })
        for (const { toolCallId, name, input } of toolCalls) {
          push({
            type: 'tool',
            key,
            turnId,
            toolCallId,
            name: plainLine(name),
            input: inputLine(input),
            state: 'announced',
          })
        }
        break
      }
      case 'tool.started': {
        const { turnId, toolCallId, name, input } = record
        setCall(turnId, toolCallId, {
          name: plainLine(name),
          input: inputLine(input),
          state: 'running',
          startedAt: record.at,
        })
        break
      }
      case 'tool.finished': {
        const { turnId, toolCallId, outcome, content, exitCode } = record
        const code = exitCode === undefined ? {} : { exitCode }
        setCall(turnId, toolCallId, { state: outcome, result: text(content), ...code })
        break
      }
      case 'message.steered': {
        const { messageTurnId: turnId } = record
        const message = queued.find((one) => one.turnId === turnId)
        queued = queued.filter((one) => one !== message)
        push({
          ...(message ?? { type: 'message', key, turnId, at: record.at }),
          queued: false,
          steered: true,
        })
        break
      }
      case 'agent.asked':
        setCall(record.turnId, record.toolCallId, { asks: plainLine(record.agentId) })
        break
      case 'approval.asked': {
        const { turnId, toolCallId, approvalId } = record
        const known = items[openCall(items, turnId, toolCallId)]
        const before = known?.type === 'tool' ? (known.questions ?? []) : []
        const questions = [...before, { approvalId, text: askText(record) }]
        setCall(turnId, toolCallId, { state: 'announced', questions })
        break
      }
      case 'approval.answered': {
        const { turnId, approvalId } = record
        const text = answerText(record)
        if (!setAnswer(items, approvalId, text))
          push({ type: 'note', key, turnId, tone: 'dim', text, approvalId })
        break
      }
      case 'memory.compacted': {
        const { throughSeq, usage } = record
        const cost = usage === undefined ? '' : ` · ${stepText({ usage })}`
        note('dim', `summed up for the model: all up to record ${throughSeq}${cost}`, record.turnId)
        break
      }
      case 'turn.finished': {
        const { turnId, status, result, error, exitCode } = record
        if (queued.some((message) => message.turnId === turnId)) begin(turnId)
        if (result !== undefined && result !== error?.message)
          push({ type: 'text', key, turnId, text: text(result) })
        if (status !== 'completed') note(status === 'failed' ? 'bad' : 'warn', endText(record), turnId)
        else if (exitCode !== undefined && exitCode !== 0 && lastCall(items, turnId)?.exitCode !== exitCode) {
          push({ type: 'note', key, turnId, tone: 'warn', text: `exit code ${exitCode}`, exitCode })
        }
        break
      }
      default:
        // A record of a newer version says nothing here.
        record satisfies never
    }
  }
  return { items, queued }
}

/** What a model gave in one step, its calls left out: what it thought, what it said, and what that took. */
function stepItems(
  step: { content: string; reasoning?: string; model?: string; usage?: Usage },
  text: (value: string) => string,
): (Pick<TextItem | ReasoningItem, 'type' | 'text'> | Omit<NoteItem, 'key' | 'turnId'>)[] {
  const { content, reasoning = '' } = step
  const footer = stepText(step)
  return [
    ...(reasoning.trim() === '' ? [] : [{ type: 'reasoning' as const, text: text(reasoning) }]),
    ...(content === '' ? [] : [{ type: 'text' as const, text: text(content) }]),
    ...(footer === '' ? [] : [{ type: 'note' as const, tone: 'dim' as const, text: footer }]),
  ]
}

function askText({ tool, subject, reason }: BodyOf<'approval.asked'>): string {
  const what = subject === '' ? plainLine(tool) : `${plainLine(tool)}: ${verbatimLine(subject, NOTE_CHARS)}`
  return `may it run? ${what}${reason === '' ? '' : ` - ${plainLine(reason)}`}`
}

function answerText({ decision, reason, by }: BodyOf<'approval.answered'>): string {
  if (by === 'timeout') return 'nobody answered in time: not allowed'
  if (decision === 'deny') return reason === undefined ? 'not allowed' : `not allowed: ${plainLine(reason)}`
  return decision === 'session' ? 'allowed for this session' : 'allowed once'
}

const NOTE_CHARS = 1_000
const FROM_CHARS = 40

/** Two runs, the first directly before the second: what began in the first and ended in the second is one item. */
export function joined(earlier: Folded, later: Folded): Folded {
  const items = [...earlier.items]
  const waiting = new Map(earlier.queued.map((message) => [message.turnId, message]))
  for (const item of later.items) {
    const message =
      item.type === 'message' || item.type === 'note' ? waiting.get(item.turnId ?? '') : undefined
    if (message !== undefined) {
      waiting.delete(message.turnId)
      // A message that was ended in the queue has nothing but the note of that; the key is one that no item has.
      const key = item.type === 'message' ? item.key : item.key - KEY_STEP / 2
      items.push({ ...message, key, queued: false })
      if (item.type === 'message') continue
    }
    if (item.type === 'tool') {
      // Of one id only one call is open at a time: this is the rest of it.
      const index = openCall(items, item.turnId, item.toolCallId)
      const begun = items[index]
      if (begun?.type === 'tool') {
        items[index] = continued(begun, item)
        continue
      }
    }
    if (item.type === 'note' && item.approvalId !== undefined) {
      if (setAnswer(items, item.approvalId, item.text)) continue
    }
    const told = item.type === 'note' && item.exitCode !== undefined && item.turnId !== undefined
    if (told && lastCall(items, item.turnId)?.exitCode === item.exitCode) continue
    items.push(item)
  }
  // Of messages whose records left the window and came back there are two.
  return {
    items,
    queued: [...waiting.values(), ...later.queued.filter(({ turnId }) => !waiting.has(turnId))],
  }
}

/** A call whose beginning was read with one run and its rest with the next. */
function continued(begun: ToolItem, rest: ToolItem): ToolItem {
  const questions = [...(begun.questions ?? []), ...(rest.questions ?? [])]
  return {
    ...begun,
    ...rest,
    key: begun.key,
    input: rest.name === undefined ? begun.input : rest.input,
    ...(questions.length > 0 && { questions }),
  }
}

/** Puts the answer to its question; false if that was not read. */
function setAnswer(items: RecordedItem[], approvalId: string, answer: string): boolean {
  const isAsked = (question: Question): boolean => question.approvalId === approvalId
  const index = items.findLastIndex((item) => item.type === 'tool' && item.questions?.some(isAsked))
  const asked = items[index]
  if (asked?.type !== 'tool') return false
  const questions = asked.questions?.map((one) => (isAsked(one) ? { ...one, answer } : one)) ?? []
  items[index] = { ...asked, questions }
  return true
}

/** Where the call of that id is that has not ended; -1 if it was not read. Models use ids again. */
function openCall(items: readonly RecordedItem[], turnId: string, toolCallId: string): number {
  for (let index = items.length - 1; index >= 0; index -= 1) {
    const item = items[index]
    if (item === undefined || (item.type === 'message' && item.turnId === turnId)) return -1
    if (item.type !== 'tool' || item.turnId !== turnId || item.toolCallId !== toolCallId) continue
    return item.result === undefined ? index : -1
  }
  return -1
}

/** The last call of a turn, as far as it was read. */
function lastCall(items: readonly RecordedItem[], turnId: string): ToolItem | undefined {
  const last = items.findLast(
    (item): item is ToolItem | MessageItem =>
      (item.type === 'tool' || item.type === 'message') && item.turnId === turnId,
  )
  return last?.type === 'tool' ? last : undefined
}

function pushInherited(
  entry: MemoryEntry,
  push: (item: RecordedItem) => void,
  setCall: (turnId: string, toolCallId: string, change: Partial<ToolItem>) => void,
  text: (value: string) => string,
): void {
  const { role, turnId, at, content, toolCalls = [], toolCallId, outcome = 'ok' } = entry
  if (role === 'user') push({ type: 'message', key: 0, turnId, at, text: text(content), queued: false })
  else if (role === 'tool') setCall(turnId, toolCallId ?? '', { state: outcome, result: text(content) })
  else for (const item of stepItems(entry, text)) push({ ...item, key: 0, turnId })
  for (const { toolCallId: id, name, input } of toolCalls) {
    push({
      type: 'tool',
      key: 0,
      turnId,
      toolCallId: id,
      name: plainLine(name),
      input: inputLine(input),
      state: 'announced',
    })
  }
}

function createdText({ name, forkedFrom }: BodyOf<'session.created'>): string {
  const origin =
    forkedFrom === undefined ? '' : `, a fork of ${forkedFrom.sessionId} at record ${forkedFrom.seq}`
  return `session ${name}${origin}`
}

function changeTexts({ changes }: BodyOf<'session.changed'>): string[] {
  const { name, status } = changes
  return [
    ...(name === undefined ? [] : [`renamed: ${name}`]),
    ...(status === undefined ? [] : [status === 'active' ? 'resumed' : status]),
  ]
}

function endText({ status, error }: Extract<RecordBody, { type: 'turn.finished' }>): string {
  if (error === undefined || error.code === status) return status
  return `${status}: ${error.message} (${error.code})`
}
