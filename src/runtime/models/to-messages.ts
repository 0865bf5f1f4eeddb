/**
 * Our conversation as providers take it. Pure, and the same for the same conversation, so that their caches hit.
 *
 * M1  every call is followed by exactly one result, at once; one that is missing is given as an error, outcome unknown.
 * M2  ids and names of calls have the form that all providers take, and no id is used twice.
 * M3  it begins and ends with something that is not the model's, and two messages of a user are one.
 * M4  no text is blank (Anthropic refuses such blocks), and all of it is well-formed Unicode.
 * M5  the input of a call is an object: what is none is wrapped.
 */
import type { AssistantModelMessage, ModelMessage, ToolModelMessage, ToolResultPart } from 'ai'
import type { Json } from '../../core/json.ts'
import type { ToolCall } from '../../core/session-state.ts'
import type { ConversationEntry } from './model-step.ts'

type ToolEntry = Extract<ConversationEntry, { role: 'tool' }>
type AssistantEntry = Extract<ConversationEntry, { role: 'assistant' }>
type Writable = Extract<ModelMessage, { role: 'user' }> & { content: string }

const CALL_CUT_OFF =
  'outcome unknown: the call was cut off, it may have had any effect; look before you repeat it'

/** The messages of a conversation, by M1 to M5. */
export function toMessages(conversation: readonly ConversationEntry[]): ModelMessage[] {
  const messages: ModelMessage[] = []
  const usedIds = new Set<string>()
  const answered = new Set<ToolEntry>()
  for (const [index, entry] of conversation.entries()) {
    if (entry.role === 'user') addUser(messages, shown(entry.content, '(an empty message)'))
    else if (entry.role === 'assistant') {
      const calls = (entry.toolCalls ?? []).map((call) => ({ call, id: freshId(call.toolCallId, usedIds) }))
      if (calls.length === 0 && blank(entry.content)) continue
      if (messages.length === 0) addUser(messages, '(what came before is left out)')
      messages.push(assistantMessage(entry, calls))
      if (calls.length > 0) messages.push(resultsOf(calls, conversation, index, answered))
    } else if (!answered.has(entry)) {
      // Its call is not in the conversation: cut away, or of a turn that was no model's.
      addUser(messages, `Result of ${entry.name ?? 'a tool'}: ${shown(entry.content, '(nothing)')}`)
    }
  }
  if (messages.length === 0 || messages.at(-1)?.role === 'assistant') addUser(messages, 'Continue.')
  return messages
}

function addUser(messages: ModelMessage[], content: string): void {
  const last = messages.at(-1)
  if (last !== undefined && isText(last)) last.content = `${last.content}\n\n${content}`
  else messages.push({ role: 'user', content })
}

function isText(message: ModelMessage): message is Writable {
  return message.role === 'user' && typeof message.content === 'string'
}

interface Called {
  call: ToolCall
  id: string
}

function assistantMessage(entry: AssistantEntry, calls: readonly Called[]): AssistantModelMessage {
  const text = entry.content.toWellFormed()
  if (calls.length === 0) return { role: 'assistant', content: text }
  return {
    role: 'assistant',
    content: [
      ...(blank(text) ? [] : [{ type: 'text' as const, text }]),
      ...calls.map(({ call, id }) => ({
        type: 'tool-call' as const,
        toolCallId: id,
        toolName: safeName(call.name),
        input: inputObject(call.input),
      })),
    ],
  }
}

/** The results are looked for up to the next entry of the model: a message of the user may have come between. */
function resultsOf(
  calls: readonly Called[],
  conversation: readonly ConversationEntry[],
  index: number,
  answered: Set<ToolEntry>,
): ToolModelMessage {
  const results = new Map<string, ToolEntry>()
  for (let next = index + 1; next < conversation.length; next++) {
    const entry = conversation[next]
    if (entry === undefined || entry.role === 'assistant') break
    if (entry.role !== 'tool' || results.has(entry.toolCallId)) continue
    if (!calls.some(({ call }) => call.toolCallId === entry.toolCallId)) continue
    results.set(entry.toolCallId, entry)
    answered.add(entry)
  }
  return {
    role: 'tool',
    content: calls.map(({ call, id }): ToolResultPart => {
      const result = results.get(call.toolCallId)
      const failed = result === undefined || result.outcome === 'error' || result.outcome === 'unknown'
      const value = result === undefined ? CALL_CUT_OFF : shown(result.content, emptyResult(result))
      return {
        type: 'tool-result',
        toolCallId: id,
        toolName: safeName(call.name),
        output: { type: failed ? 'error-text' : 'text', value },
      }
    }),
  }
}

function emptyResult(result: ToolEntry): string {
  return result.outcome === 'unknown' ? CALL_CUT_OFF : '(no output)'
}

function inputObject(input: Json): { [key: string]: Json } {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? input : { invalid: input }
}

function blank(text: string): boolean {
  return text.trim() === ''
}

function shown(text: string, whenBlank: string): string {
  return blank(text) ? whenBlank : text.toWellFormed()
}

/** OpenAI takes ids of at most 64 characters, Anthropic no others than these. */
const MAX_ID = 64

/** An id that is not in `used` yet, and now is: the one given, where it will do. */
export function freshId(id: string, used: Set<string>): string {
  const safe = id.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, MAX_ID) || 'call'
  let fresh = safe
  for (let count = 2; used.has(fresh); count++) {
    const suffix = `_${count}`
    fresh = `${safe.slice(0, MAX_ID - suffix.length)}${suffix}`
  }
  used.add(fresh)
  return fresh
}

/** A name that a model made up can be anything. */
function safeName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_-]/g, '_').slice(0, 64) || 'unnamed'
}
