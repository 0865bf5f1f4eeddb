/**
 * One session as it is shown: a window of its records as items, the text of its running turn, and where the user looks. Pure.
 *
 * C1  the window has all records from `firstSeq` to `lastSeq`, none twice: what was applied already is ignored, and what does not join on
 *     is not applied (`gap` says so).
 * C2  it holds at most MAX_ITEMS items: the oldest leave it, and can be read again.
 */
import type { SessionRecord } from '../../core/record.ts'
import { foldRecords, joined } from './conversation-fold.ts'
import type { TurnEvent } from '../../protocol/from-agent.ts'
import {
  type Item,
  KEPT_CHARS,
  type LiveItem,
  type MessageItem,
  type RecordedItem,
} from './conversation-items.ts'
import { emptyLive, liveItems, type LiveText, retriedLive, withLive } from './live-text.ts'

export interface Conversation {
  readonly sessionId: string
  /** The first record of the window. One more than `lastSeq` while nothing was read. */
  readonly firstSeq: number
  /** The last one: following goes on behind it. */
  readonly lastSeq: number
  /** Records between `lastSeq` and what came are missing: they have to be read again from there. */
  readonly gap: boolean
  readonly items: readonly RecordedItem[]
  readonly queued: readonly MessageItem[]
  readonly live: LiveText
  /** The result of the call that ended just now, or the thoughts of the step: text that comes late repeats its end. */
  readonly ended?: string
  /** Where the user looks; undefined: at the end, and stays there. */
  readonly anchor?: Anchor
  /** Keys of the calls whose results are not folded; with `allUnfolded` of those that are. */
  readonly turnedOver: ReadonlySet<number>
  readonly allUnfolded: boolean
  /** A page of earlier records that was asked for. */
  readonly asked?: {
    readonly before: number
    readonly atMs: number
    /** To show the first of them. */ readonly begin?: true
  }
}

/** The first row that shows: row `row` of the item `key`, or the next one where that is gone. */
export interface Anchor {
  readonly key: number
  readonly row: number
  /** The last recorded item when the user left the end: what is behind it is new. */
  readonly seenKey: number
}

/** Records that are read at once. */
export const PAGE_RECORDS = 500
export const MAX_ITEMS = 20_000
/** Dropped at once, so that not every record costs a copy of all. */
const DROPPED_ITEMS = 1_000
/** The key of the line above the first item. */
export const HEAD_KEY = -1
/** Behind the keys of the live text. */
const QUEUE_KEY = 2 ** 41

/** The window of a session with `seq` records: following it behind `lastSeq` gives the last PAGE_RECORDS. */
export function openConversation(sessionId: string, seq: number): Conversation {
  const lastSeq = Math.max(0, seq - PAGE_RECORDS)
  return {
    sessionId,
    firstSeq: lastSeq + 1,
    lastSeq,
    gap: false,
    items: [],
    queued: [],
    live: emptyLive,
    turnedOver: new Set(),
    allUnfolded: false,
  }
}

/** New records, or the page of `earlier` ones that was asked for. */
export function withRecords(
  conversation: Conversation,
  records: readonly SessionRecord[],
  earlier: boolean,
): Conversation {
  return earlier ? withEarlier(conversation, records) : withLater(conversation, records)
}

/** A piece of the running turn's text. */
export function withText(conversation: Conversation, text: string, dropped: boolean): Conversation {
  const last = conversation.items.at(-1)
  const look = last?.type === 'tool' && last.state === 'running' ? 'result' : 'text'
  return withPiece(conversation, text, dropped, look)
}

/** A piece of what the model says of its thinking. */
export function withReasoning(conversation: Conversation, text: string, dropped: boolean): Conversation {
  return withPiece(conversation, text, dropped, 'reasoning')
}

/** A model request failed and is made again: text and thoughts since the last record are void. */
export function withRetry(conversation: Conversation, retry: Retry): Conversation {
  return { ...conversation, live: retriedLive(retryText(retry)) }
}

function withPiece(
  conversation: Conversation,
  text: string,
  dropped: boolean,
  look: LiveItem['look'],
): Conversation {
  const { ended, ...rest } = conversation
  // Text is merged for a moment, and the record that has all of it overtakes it.
  if (ended?.trimEnd().endsWith(text.trimEnd()) === true) return conversation
  return { ...rest, live: withLive(conversation.live, text, dropped, look) }
}

type Retry = Extract<TurnEvent, { type: 'retry' }>

function retryText({ model, delayMs, reason, fallback }: Retry): string {
  const next = fallback === undefined ? 'again' : `${fallback} is asked instead`
  const when = delayMs === 0 ? '' : ` in ${Number((delayMs / 1000).toFixed(delayMs < 10_000 ? 1 : 0))} s`
  return `model ${model} failed: ${reason}; ${next}${when}`
}

/** What is shown behind the recorded items. */
export function trailingItems({ live, queued }: Conversation): readonly Item[] {
  if (live === emptyLive && queued.length === 0) return []
  return [...liveItems(live), ...queued.map(behindLive)]
}

function withLater(conversation: Conversation, records: readonly SessionRecord[]): Conversation {
  const joining: SessionRecord[] = []
  let gap = false
  for (const record of records) {
    const next = conversation.lastSeq + joining.length + 1
    if (record.seq === next) joining.push(record)
    else if (record.seq > next) gap = true
  }
  const last = joining.at(-1)
  if (last === undefined) return gap === conversation.gap ? conversation : { ...conversation, gap }
  const { sessionId } = conversation
  const { ended: _, ...rest } = conversation
  const cleared = joining.some(({ type }) => OUTDATES_TEXT.has(type))
  return trimmed({
    ...rest,
    ...foldRecords(conversation, joining, sessionId),
    lastSeq: last.seq,
    gap,
    live: cleared ? emptyLive : conversation.live,
    ...(last.type === 'tool.finished' && { ended: last.content.slice(-KEPT_CHARS) }),
    ...(last.type === 'step.model' &&
      last.reasoning !== undefined && { ended: last.reasoning.slice(-KEPT_CHARS) }),
  })
}

/** Text that came before such a record is in it, or never was in any. */
const OUTDATES_TEXT: ReadonlySet<SessionRecord['type']> = new Set([
  'turn.started',
  'step.model',
  'tool.finished',
  'turn.finished',
])

function withEarlier(conversation: Conversation, records: readonly SessionRecord[]): Conversation {
  const { asked, ...answered } = conversation
  const { firstSeq, sessionId, anchor } = conversation
  const page = records.filter(({ seq }) => seq < firstSeq)
  const first = page[0]
  // A page of another window, from before records left this one.
  if (
    first === undefined ||
    page.some(({ seq }, index) => seq !== first.seq + index) ||
    page.at(-1)?.seq !== firstSeq - 1
  ) {
    return answered
  }
  const both = joined(foldRecords({ items: [], queued: [] }, page, sessionId), conversation)
  const top = conversation.items[0]
  // The user looked at the line above the first item: it is above the new ones now.
  const kept =
    anchor?.key === HEAD_KEY && top !== undefined && asked?.begin !== true
      ? { anchor: { ...anchor, key: top.key, row: 0 } }
      : {}
  return { ...answered, ...both, firstSeq: first.seq, ...kept }
}

function trimmed(conversation: Conversation): Conversation {
  const { items } = conversation
  if (items.length <= MAX_ITEMS) return conversation
  const least = items.length - MAX_ITEMS + DROPPED_ITEMS
  // Whole turns leave, so that no call loses its end; but not the one turn that is all there is.
  const turn = items.findIndex(({ type }, index) => index >= least && type === 'message')
  const firstSeq = Math.floor(items[turn === -1 ? least : turn]?.key ?? 0)
  return { ...conversation, firstSeq, items: items.filter(({ key }) => key >= firstSeq) }
}

/** Queued messages are shown last, where their records came earlier. */
const shownQueued = new WeakMap<MessageItem, MessageItem>()

function behindLive(message: MessageItem): MessageItem {
  const known = shownQueued.get(message)
  if (known !== undefined) return known
  const shown = { ...message, key: QUEUE_KEY + message.key }
  shownQueued.set(message, shown)
  return shown
}
