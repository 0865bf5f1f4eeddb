/** What a model is given of a session: its conversation, the older part of it as a summary. */
import type { MemoryEntry, SessionState } from '../../../core/session-state.ts'
import type { ConversationEntry } from '../../models/model-step.ts'

/** Roughly, for text in English and code; providers count exactly, and their counts are used where there are any. */
const ASCII_PER_TOKEN = 4
const ASCII = /[\0-\x7F]+/g
/** Of a message or call beside its text. */
const ENTRY_TOKENS = 8

const SUMMARY_INTRO =
  'The conversation so far was too long to be shown whole. This summary stands for its older part:'

/** The entries that no summary stands for. */
export function shownEntries(
  memory: readonly MemoryEntry[],
  summary: SessionState['summary'],
): readonly MemoryEntry[] {
  if (summary === undefined) return memory
  const first = memory.findIndex(({ seq }) => seq > summary.throughSeq)
  return first === -1 ? [] : memory.slice(first)
}

export function toConversation(
  memory: readonly MemoryEntry[],
  summary: SessionState['summary'],
): ConversationEntry[] {
  const shown = shownEntries(memory, summary).map(toEntry)
  if (summary === undefined) return shown
  return [{ role: 'user', content: `${SUMMARY_INTRO}\n\n${summary.text}` }, ...shown]
}

/** Tokens of the conversation as `toConversation` gives it, estimated from its characters. */
export function estimateTokens(conversation: readonly ConversationEntry[]): number {
  return conversation.reduce((sum, entry) => sum + entryTokens(entry), 0)
}

export function entryTokens(entry: ConversationEntry): number {
  const calls = entry.role === 'assistant' ? (entry.toolCalls ?? []) : []
  const texts = calls.flatMap(({ name, input }) => [name, JSON.stringify(input)])
  const tokens = [entry.content, ...texts].reduce((sum, text) => sum + textTokens(text), 0)
  return Math.ceil(tokens) + ENTRY_TOKENS * (1 + calls.length)
}

/** Estimated, and not a whole number. Of other scripts a character is a token, or nearly one. */
export function textTokens(text: string): number {
  const others = text.replace(ASCII, '').length
  return (text.length - others) / ASCII_PER_TOKEN + others
}

export function toEntry(entry: MemoryEntry): ConversationEntry {
  const { role, content, toolCalls, toolCallId, outcome } = entry
  switch (role) {
    case 'user':
      return { role, content }
    case 'assistant':
      return { role, content, ...(toolCalls && { toolCalls }) }
    default:
      return { role, toolCallId: toolCallId ?? '', content, ...(outcome && { outcome }) }
  }
}
