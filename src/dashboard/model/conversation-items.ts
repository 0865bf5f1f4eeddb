/** What a conversation shows, one item after the other, made of records: texts are fit for a terminal and bounded. Pure. */
import type { Json } from '../../core/json.ts'
import type { ToolOutcome } from '../../core/session-state.ts'
import { screenText, verbatimLine } from '../../core/terminal-text.ts'

/** `key` orders items and stays with an item for as long as it is shown: the seq of its record, and a fraction for the next ones of it. */
export interface MessageItem {
  readonly type: 'message'
  readonly key: number
  readonly turnId: string
  /** ISO 8601: when it was accepted. */
  readonly at: string
  /** Undefined while the record that has it is one of those that were not read. */
  readonly text?: string
  readonly from?: string
  /** Accepted, its turn has not started. */
  readonly queued: boolean
  /** A part of the turn that ran when it came; while it is queued, it is to become one. */
  readonly steered?: true
}

export interface TextItem {
  readonly type: 'text'
  readonly key: number
  readonly turnId: string
  readonly text: string
}

/** What a model said of its thinking, of one step. */
export interface ReasoningItem {
  readonly type: 'reasoning'
  readonly key: number
  readonly turnId: string
  readonly text: string
}

export interface ToolItem {
  readonly type: 'tool'
  readonly key: number
  readonly turnId: string
  readonly toolCallId: string
  /** Undefined while the record that has it is one of those that were not read. */
  readonly name?: string
  /** One line. */
  readonly input: string
  /** `announced`: the model asked for it, it has not started. */
  readonly state: 'announced' | 'running' | ToolOutcome
  /** ISO 8601. */
  readonly startedAt?: string
  readonly exitCode?: number
  readonly result?: string
  /** The agent whose answer it waits for, until it ends. */
  readonly asks?: string
  /** What people were asked about it, in that order: whether it may run. */
  readonly questions?: readonly Question[]
}

/** A question to a person about a call, and what came of it. One line each. */
export interface Question {
  readonly approvalId: string
  readonly text: string
  /** Undefined while it is open. */
  readonly answer?: string
}

export interface NoteItem {
  readonly type: 'note'
  readonly key: number
  /** Of the turn that it tells of. */
  readonly turnId?: string
  /** `ask`: a question to a person. */
  readonly tone: 'dim' | 'warn' | 'bad' | 'ask'
  readonly text: string
  /** Told by it alone: where a call of the turn tells it too, the note is not shown. */
  readonly exitCode?: number
  /** Of an answer: its question, where that is in one of the records that were not read. */
  readonly approvalId?: string
}

/** A piece of what the running turn writes: whole lines where it has lines. */
export interface LiveItem {
  readonly type: 'live'
  readonly key: number
  readonly look: 'text' | 'result' | 'reasoning'
  readonly text: string
}

export type RecordedItem = MessageItem | TextItem | ReasoningItem | ToolItem | NoteItem
export type Item = RecordedItem | LiveItem

/** Characters of one text that are kept. */
export const KEPT_CHARS: number = 64 * 1024
const KEPT_BEGINNING = 48 * 1024
const KEPT_END = KEPT_CHARS - KEPT_BEGINNING
const INPUT_CHARS = 500

/** The text fit for a terminal; of a long one its beginning and end, and a line that says where the whole is. */
export function keptText(text: string, sessionId: string): string {
  if (text.length <= KEPT_CHARS) return readable(text)
  const leftOut = text.length - KEPT_CHARS
  return [
    readable(text.slice(0, KEPT_BEGINNING)),
    `… ${leftOut} characters are left out here: agentry sessions show ${sessionId}`,
    readable(text.slice(-KEPT_END)),
  ].join('\n')
}

/** screenText, with a new line where a carriage return would write over the line: nothing of it is hidden. */
export function readable(text: string): string {
  return screenText(text.includes('\r') ? text.replaceAll(/\r+\n?/g, '\n') : text)
}

/** What a tool is called with, on one line: a command, or what else is all that it is given, as it is; what it says to another agent; else JSON. */
export function inputLine(input: Json): string {
  return input === null ? '' : verbatimLine(inputText(input), INPUT_CHARS)
}

function inputText(input: Json): string {
  if (typeof input === 'string') return input
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return JSON.stringify(input)
  const { command, agent, message } = input
  if (typeof command === 'string') return command
  if (typeof agent === 'string' && typeof message === 'string') return `${agent}: ${message}`
  const [only = '', ...others] = Object.values(input)
  return typeof only === 'string' && others.length === 0 ? only : JSON.stringify(input)
}
