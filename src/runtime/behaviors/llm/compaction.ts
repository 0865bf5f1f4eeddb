/**
 * Keeps the conversation within what a model can read: its older part is summed up by the model itself. The entries stay in the
 * session and on disk; only what the model is given is shorter.
 *
 * CP1 A summary ends between two entries that belong to no common call: no result is shown without its call.
 * CP2 What is newest is kept as it was said.
 */
import type { MemoryEntry, SessionState } from '../../../core/session-state.ts'
import type { Usage } from '../../../core/usage.ts'
import { AgentryError } from '../../../errors.ts'
import type { ConversationEntry } from '../../models/model-step.ts'
import { entryTokens, estimateTokens, shownEntries, toConversation, toEntry } from './conversation.ts'

/** Of what the model can read: above it the conversation is compacted. */
const FULL_SHARE = 0.8
/** Of what the model can read: how much of the newest part stays as it is. */
const KEPT_SHARE = 0.3
/** Of what the model can read: how much is summed up in one request. */
const PIECE_SHARE = 0.5
/** Longest text of one entry in what is summed up, in characters: long outputs of tools are what fills conversations. */
const ENTRY_CHARS = 4_000

export const SUMMARY_INSTRUCTIONS =
  'You sum up the conversation of an AI agent, so that it can go on with its work from your summary alone. Keep: what was asked for, what was decided and why, what was done and with what result, names of files, commands and identifiers exactly as they are, what failed, and what is still to be done. Leave out greetings and repetition. Write plain text.'

/** True where the next request may not fit: judged by what the provider counted last, and what came since. */
export function isNearlyFull(
  memory: readonly MemoryEntry[],
  summary: SessionState['summary'],
  contextTokens: number,
): boolean {
  const shown = shownEntries(memory, summary)
  const counted = shown.findLastIndex(({ usage }) => usage !== undefined)
  const last = shown[counted]?.usage
  const tokens =
    last === undefined
      ? estimateTokens(toConversation(memory, summary))
      : last.inputTokens + last.outputTokens + estimateTokens(shown.slice(counted + 1).map(toEntry))
  return tokens > contextTokens * FULL_SHARE
}

/**
 * The seq through which entries are summed up so that at most `keptShare` of the window stays as it was; undefined where nothing can
 * be (CP1).
 */
export function throughSeqOf(
  memory: readonly MemoryEntry[],
  summary: SessionState['summary'],
  contextTokens: number,
  keptShare: number = KEPT_SHARE,
): number | undefined {
  const shown = shownEntries(memory, summary)
  let tokens = 0
  let first = shown.length
  while (first > 1) {
    const entry = shown[first - 1]
    if (entry === undefined) break
    tokens += entryTokens(toEntry(entry))
    if (tokens > contextTokens * keptShare && first < shown.length) break
    first -= 1
  }
  // The first entry that stays is no result of a call; later ones are tried first, then earlier ones.
  const starts = (index: number) => index > 0 && index < shown.length && shown[index]?.role !== 'tool'
  const later = range(first, shown.length).find(starts)
  const cut = later ?? range(0, first).toReversed().find(starts)
  if (cut === undefined) return undefined
  const seq = shown[cut - 1]?.seq
  // Entries that a fork or an import brought share one seq: none of them can be cut off from the others.
  return seq === undefined || seq === shown[cut]?.seq ? undefined : seq
}

export type Summarize = (text: string) => Promise<{ summary: string; usage?: Usage }>

/**
 * Sums up the entries through `throughSeq` together with the summary before them, in as many requests as it takes; each is given what
 * came of the one before.
 */
export async function summarize(
  memory: readonly MemoryEntry[],
  before: SessionState['summary'],
  throughSeq: number,
  contextTokens: number,
  ask: Summarize,
): Promise<{ summary: string; usage?: Usage }> {
  const texts = shownEntries(memory, before)
    .filter(({ seq }) => seq <= throughSeq)
    .map(toEntry)
    .map(entryText)
  let summary = before?.text ?? ''
  let usage: Usage | undefined
  for (const piece of pieces(texts, contextTokens * PIECE_SHARE * 4)) {
    const intro = summary === '' ? '' : `Summary of what came before:\n${summary}\n\n---\n\n`
    const answer = await ask(`${intro}Conversation to sum up:\n\n${piece}`)
    if (answer.summary.trim() === '') {
      throw new AgentryError('model_failed', 'the model gave an empty summary of the conversation')
    }
    summary = answer.summary
    usage = usage && answer.usage ? plus(usage, answer.usage) : (answer.usage ?? usage)
  }
  return { summary, ...(usage && { usage }) }
}

function entryText(entry: ConversationEntry): string {
  const content =
    entry.content.length > ENTRY_CHARS
      ? `${entry.content.slice(0, ENTRY_CHARS / 2)}\n[…]\n${entry.content.slice(-ENTRY_CHARS / 2)}`
      : entry.content
  if (entry.role !== 'assistant') return `[${entry.role}]\n${content}`
  const calls = (entry.toolCalls ?? []).map(
    ({ name, input }) => `\n[calls ${name} with ${JSON.stringify(input).slice(0, ENTRY_CHARS)}]`,
  )
  return `[assistant]\n${content}${calls.join('')}`
}

/** The texts joined to pieces of about `maxChars`. */
function pieces(texts: readonly string[], maxChars: number): string[] {
  const joined: string[] = []
  let current = ''
  for (const text of texts) {
    if (current !== '' && current.length + text.length > maxChars) {
      joined.push(current)
      current = ''
    }
    current += current === '' ? text : `\n\n${text}`
  }
  if (current !== '') joined.push(current)
  return joined
}

function plus(a: Usage, b: Usage): Usage {
  const cost = a.costUsd === undefined || b.costUsd === undefined ? undefined : a.costUsd + b.costUsd
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...(cost !== undefined && { costUsd: cost }),
  }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}
