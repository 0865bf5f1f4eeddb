/**
 * Keeps the conversation within what a model can read: its older part is summed up by the model itself. The entries stay in the
 * session and on disk; only what the model is given is shorter.
 *
 * CP1 A summary ends where no call waits for its result: no result is shown without its call, and no call without its result.
 * CP2 What is newest is kept as it was said.
 */
import type { MemoryEntry, SessionState } from '../../../core/session-state.ts'
import type { Usage } from '../../../core/usage.ts'
import { AgentryError } from '../../../errors.ts'
import type { ConversationEntry } from '../../models/model-step.ts'
import { isContextTooLong } from '../../models/model-set.ts'
import {
  entryTokens,
  estimateTokens,
  shownEntries,
  textTokens,
  toConversation,
  toEntry,
} from './conversation.ts'

/** Of what the model can read: above it the conversation is compacted. */
const FULL_SHARE = 0.8
/** Of what the model can read: how much of the newest part stays as it is. */
const KEPT_SHARE = 0.3
/** Of what the model can read: how much is summed up in one request, the summary before it included. */
const PIECE_SHARE = 0.5
/** The seq of all entries that a session began with. */
const BROUGHT_SEQ = 1
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
  // What came before the summary was counted without it; what a fork or an import brought, elsewhere, where another summary may have
  // stood for most of it.
  const uncounted = Math.max(BROUGHT_SEQ, summary?.seq ?? summary?.throughSeq ?? 0)
  const counted = shown.findLastIndex(({ usage, seq }) => usage !== undefined && seq > uncounted)
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
  const joined = joinedTo(shown)
  const isCut = (index: number) =>
    shown[index]?.role !== 'tool' &&
    !joined.has(index) &&
    // Entries that a fork or an import brought share one seq: none of them can be cut off from the others.
    shown[index - 1]?.seq !== shown[index]?.seq
  // Later ones are tried first, then earlier ones.
  const cut = range(first, shown.length).find(isCut) ?? range(1, first).toReversed().find(isCut)
  return cut === undefined ? undefined : shown[cut - 1]?.seq
}

/** The indexes of entries that stand between a call and its result, or hold the result (CP1). */
function joinedTo(shown: readonly MemoryEntry[]): Set<number> {
  const joined = new Set<number>()
  const calls = new Map<string, number>()
  for (const [index, { toolCalls = [], toolCallId }] of shown.entries()) {
    const from = toolCallId === undefined ? undefined : calls.get(toolCallId)
    if (from !== undefined) for (const between of range(from, index)) joined.add(between + 1)
    for (const call of toolCalls) calls.set(call.toolCallId, index)
  }
  return joined
}

export type Summarize = (text: string) => Promise<{ summary: string; usage?: Usage }>

/**
 * Sums up the entries through `throughSeq` together with the summary before them, in as many requests as it takes; each is given what
 * came of the one before. A request that the model finds too long is halved.
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
  let most = Infinity
  for (let first = 0; first < texts.length;) {
    const room = contextTokens * PIECE_SHARE - textTokens(summary)
    const piece = pieceOf(texts.slice(first), room, most)
    const intro = summary === '' ? '' : `Summary of what came before:\n${summary}\n\n---\n\n`
    let answer: Awaited<ReturnType<Summarize>>
    try {
      answer = await ask(`${intro}Conversation to sum up:\n\n${piece.join('\n\n')}`)
    } catch (error) {
      if (!isContextTooLong(error) || piece.length === 1) throw error
      most = Math.ceil(piece.length / 2)
      continue
    }
    first += piece.length
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

/** As many of the first texts as fit into `room` tokens, and no more than `most`; one at least. */
function pieceOf(texts: readonly string[], room: number, most: number): readonly string[] {
  let tokens = 0
  let count = 0
  for (const text of texts) {
    tokens += textTokens(text)
    if (count > 0 && (tokens > room || count >= most)) break
    count += 1
  }
  return texts.slice(0, count)
}

function plus(a: Usage, b: Usage): Usage {
  const cost = a.costUsd === undefined || b.costUsd === undefined ? undefined : a.costUsd + b.costUsd
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    ...sumOf('cachedInputTokens', a, b),
    ...sumOf('reasoningTokens', a, b),
    ...(cost !== undefined && { costUsd: cost }),
  }
}

function sumOf(key: 'cachedInputTokens' | 'reasoningTokens', a: Usage, b: Usage): Partial<Usage> {
  return a[key] === undefined && b[key] === undefined ? {} : { [key]: (a[key] ?? 0) + (b[key] ?? 0) }
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, index) => from + index)
}
