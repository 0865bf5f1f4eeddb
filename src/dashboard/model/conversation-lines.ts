/**
 * The rows of a conversation that are in sight, and moving about in it. Pure.
 *
 * V1  only items in sight, and those that a move passes, are laid out: jumps and frames cost the same in every length.
 * V2  what is in sight stays there, whatever comes before or behind it and whatever the width: the anchor is an item and a row of it.
 *     At the end the end stays in sight.
 */
import {
  type Anchor,
  type Conversation,
  HEAD_KEY,
  MAX_ITEMS,
  PAGE_RECORDS,
  trailingItems,
} from './conversation.ts'
import type { Item, NoteItem } from './conversation-items.ts'
import { itemLines } from './item-lines.ts'
import { type Line, span } from './line.ts'
import { cutToWidth } from './text.ts'
import { isWithin } from './times.ts'

export interface ConversationSize {
  readonly width: number
  readonly height: number
  /** Wall clock, ms since 1970. */
  readonly nowMs: number
}

export interface ConversationLines {
  /** At most `height`. */
  readonly lines: readonly Line[]
  readonly atBegin: boolean
  readonly atEnd: boolean
  /** Items behind what is in sight that came since the user left the end. */
  readonly newBelow: number
}

export function conversationLines(conversation: Conversation, size: ConversationSize): ConversationLines {
  const list = listOf(conversation, size)
  const top = topOf(list, conversation.anchor, size.height)
  const lines = list.rowsFrom(top, size.height)
  const atBegin = top.index === 0 && top.row === 0
  const end = list.endTop(size.height)
  if (!isBefore(top, end)) return { lines, atBegin, atEnd: true, newBelow: 0 }
  const newBelow = newItems(conversation)
  const marker = newBelow === 0 ? 'more below' : `${newBelow} new below`
  const shown = [
    ...lines.slice(0, size.height - 1),
    [span(cutToWidth(`↓ ${marker}`, size.width), newBelow === 0 ? 'dim' : 'accent')],
  ]
  return { lines: shown, atBegin, atEnd: false, newBelow }
}

/**
 * Moves by `rows`, up where negative; by -Infinity to the beginning, by Infinity to the end. Near the beginning of what was read `wanted`
 * says which records to read: a page, or for a jump to the beginning all that a session usually has.
 */
export function scrollConversation(
  conversation: Conversation,
  rows: number,
  size: ConversationSize,
): { conversation: Conversation; wanted?: { sessionId: string; after: number; before: number } } {
  const list = listOf(conversation, size)
  const from = topOf(list, conversation.anchor, size.height)
  const end = list.endTop(size.height)
  const target = rows === -Infinity ? BEGIN : rows === Infinity ? end : list.moved(from, rows)
  const { anchor, ...rest } = conversation
  const key = list.at(target.index)?.key
  const seenKey = anchor?.seenKey ?? conversation.items.at(-1)?.key ?? 0
  const moved =
    !isBefore(target, end) || key === undefined
      ? rest
      : { ...rest, anchor: { key, row: target.row, seenKey } }
  const begin = rows === -Infinity
  const wanted = earlierPage(moved, target.index, size.nowMs, begin ? JUMP_RECORDS : PAGE_RECORDS)
  if (wanted === undefined) return { conversation: moved }
  const asked = { before: wanted.before, atMs: size.nowMs, ...(begin && ({ begin } as const)) }
  return { conversation: { ...moved, asked }, wanted }
}

/** Folds or unfolds the first result or thought in sight; at the end, the last one. */
export function toggleFold(conversation: Conversation): Conversation {
  const { items, anchor } = conversation
  const folds = ({ type }: Item): boolean => type === 'tool' || type === 'reasoning'
  const shown = anchor && items.find((item) => folds(item) && item.key >= anchor.key)
  const call = shown ?? items.findLast(folds)
  if (call === undefined) return conversation
  const turnedOver = new Set(conversation.turnedOver)
  if (!turnedOver.delete(call.key)) turnedOver.add(call.key)
  return { ...conversation, turnedOver }
}

/** Folds or unfolds all results and thoughts. */
export function toggleAllFolds(conversation: Conversation): Conversation {
  return { ...conversation, allUnfolded: !conversation.allUnfolded, turnedOver: new Set() }
}

/** A row of the list: row `row` of item `index`. */
interface Place {
  readonly index: number
  readonly row: number
}

const BEGIN: Place = { index: 0, row: 0 }

function isBefore(a: Place, b: Place): boolean {
  return a.index < b.index || (a.index === b.index && a.row < b.row)
}

interface ItemList {
  at(index: number): Item | undefined
  /** Of the first item whose key is no lower. */
  indexOf(key: number): number
  rowsOf(index: number): number
  rowsFrom(top: Place, height: number): Line[]
  moved(from: Place, rows: number): Place
  /** The first row where the last `height` rows show. */
  endTop(height: number): Place
}

/** All that is shown, one behind the other: the line above, what is recorded, what is live, what waits. */
function listOf(conversation: Conversation, { width, nowMs }: ConversationSize): ItemList {
  const { items, turnedOver, allUnfolded } = conversation
  const head = headNote(conversation)
  const above = head === undefined ? 0 : 1
  const trailing = trailingItems(conversation)
  const count = above + items.length + trailing.length
  const at = (index: number): Item | undefined => {
    if (index < above) return index === 0 ? head : undefined
    return items[index - above] ?? trailing[index - above - items.length]
  }
  const linesAt = (index: number): readonly Line[] => {
    const item = at(index)
    if (item === undefined) return []
    return itemLines(item, { width, nowMs, folded: allUnfolded === turnedOver.has(item.key) })
  }
  const list: ItemList = {
    at,
    indexOf(key) {
      let low = 0
      let high = count
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((at(middle)?.key ?? Infinity) < key) low = middle + 1
        else high = middle
      }
      return low
    },
    rowsOf: (index) => linesAt(index).length,
    rowsFrom(top, height) {
      const rows: Line[] = []
      for (let index = top.index; index < count && rows.length < height; index += 1) {
        const start = index === top.index ? top.row : 0
        rows.push(...linesAt(index).slice(start, start + height - rows.length))
      }
      return rows
    },
    moved(from, rows) {
      let { index } = from
      let row = from.row + rows
      while (row < 0 && index > 0) row += linesAt(--index).length
      while (index < count && row >= linesAt(index).length) row -= linesAt(index++).length
      return { index, row: Math.max(0, row) }
    },
    endTop: (height) => list.moved({ index: count, row: 0 }, -height),
  }
  return list
}

/** The first row in sight: that of the anchor, but never so far down that rows stay empty. */
function topOf(list: ItemList, anchor: Anchor | undefined, height: number): Place {
  const end = list.endTop(height)
  if (anchor === undefined) return end
  const index = list.indexOf(anchor.key)
  const row = list.at(index)?.key === anchor.key ? Math.min(anchor.row, list.rowsOf(index) - 1) : 0
  const top = { index, row }
  return isBefore(top, end) ? top : end
}

const MORE: NoteItem = {
  type: 'note',
  key: HEAD_KEY,
  tone: 'dim',
  text: 'scroll up for earlier records',
}
const heads = new Map<string, NoteItem>()

/** What stands above the first item while there are records before it. */
function headNote({ sessionId, firstSeq, items }: Conversation): NoteItem | undefined {
  if (firstSeq <= 1 || items.length === 0) return undefined
  if (items.length < MAX_ITEMS) return MORE
  const known = heads.get(sessionId)
  if (known !== undefined) return known
  heads.clear()
  const head = { ...MORE, text: `earlier records: agentry sessions show ${sessionId}` }
  heads.set(sessionId, head)
  return head
}

function newItems({ items, anchor }: Conversation): number {
  if (anchor === undefined) return 0
  let count = 0
  while (count < items.length && (items[items.length - 1 - count]?.key ?? 0) > anchor.seenKey) count += 1
  return count
}

/** Records that a jump to the beginning reads at once: some tens of thousands of steps. */
const JUMP_RECORDS = 100_000

/** Items before the place in sight that are read ahead. */
const NEAR = 100
/** An answer that did not come by now was lost with its connection. */
const ASK_AGAIN_MS = 5_000

function earlierPage(
  { sessionId, firstSeq, items, asked }: Conversation,
  index: number,
  nowMs: number,
  records: number,
): { sessionId: string; after: number; before: number } | undefined {
  if (firstSeq <= 1 || index >= NEAR || items.length >= MAX_ITEMS) return undefined
  if (asked?.before === firstSeq && isWithin(ASK_AGAIN_MS, asked.atMs, nowMs)) return undefined
  return { sessionId, after: Math.max(0, firstSeq - 1 - records), before: firstSeq }
}
