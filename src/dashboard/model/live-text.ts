/**
 * What the running turn writes, until a record has all of it. Pure.
 *
 * W1  a piece costs what it adds: what is before the last TAIL_CHARS is closed in chunks, which stay the same values.
 * W2  no more than KEPT_CHARS and a chunk are kept: the beginning goes first.
 */
import { plainLine } from '../../core/terminal-text.ts'
import { KEPT_CHARS, type LiveItem, type NoteItem, readable } from './conversation-items.ts'

export interface LiveText {
  readonly chunks: readonly LiveItem[]
  /** As it came: a control sequence may still be on its way. */
  readonly tail: string
  /** The tail as it is shown; undefined where it is empty. */
  readonly open?: LiveItem
  /** Of the chunks that were made. */
  readonly made: number
  /** Why what was there before is void. */
  readonly retry?: NoteItem
}

export const emptyLive: LiveText = { chunks: [], tail: '', made: 0 }

/** Behind the keys of all records. */
const LIVE_KEY = 2 ** 40
const TAIL_CHARS = 4 * 1024
const RETRY_CHARS = 1_000
const LEFT_OUT = '… some of the text is left out here'

const BEGINNING_GONE: NoteItem = {
  type: 'note',
  key: LIVE_KEY - 1,
  tone: 'dim',
  text: 'the beginning of this is shown when it is done',
}

/** Nothing but that the model is asked again: what it wrote since the last record is void. */
export function retriedLive(text: string): LiveText {
  const retry: NoteItem = {
    type: 'note',
    key: LIVE_KEY - 2,
    tone: 'warn',
    text: plainLine(text, RETRY_CHARS),
  }
  return { ...emptyLive, retry }
}

/** `dropped`: some text before or within this piece is missing. */
export function withLive(live: LiveText, piece: string, dropped: boolean, look: LiveItem['look']): LiveText {
  const { retry } = live
  let { tail, made } = live
  const chunks = [...live.chunks]
  const close = (length: number, as: LiveItem['look'] = look): void => {
    chunks.push({
      type: 'live',
      key: LIVE_KEY + made,
      look: as,
      text: readable(tail.slice(0, length)).replace(/\n$/, ''),
    })
    made += 1
    tail = tail.slice(length)
  }
  const before = live.open?.look ?? look
  if (before !== look && tail !== '') close(tail.length, before)
  if (dropped) tail += `${tail === '' || tail.endsWith('\n') ? '' : '\n'}${LEFT_OUT}\n`
  // More than is kept need not be cut into chunks first.
  tail += piece.length > KEPT_CHARS ? piece.slice(-KEPT_CHARS) : piece
  while (tail.length > TAIL_CHARS) close(endOfChunk(tail))
  let chars = chunks.reduce((sum, { text }) => sum + text.length, 0)
  while (chars > KEPT_CHARS) chars -= chunks.shift()?.text.length ?? 0
  const next = { chunks, tail, made, ...(retry && { retry }) }
  if (tail === '') return next
  return { ...next, open: { type: 'live', key: LIVE_KEY + made, look, text: readable(tail) } }
}

/** What is shown of it, in order. */
export function liveItems({ chunks, open, made, retry }: LiveText): readonly (LiveItem | NoteItem)[] {
  return [
    ...(retry === undefined ? [] : [retry]),
    ...(made > chunks.length ? [BEGINNING_GONE] : []),
    ...chunks,
    ...(open === undefined ? [] : [open]),
  ]
}

/** Behind the last line within TAIL_CHARS; without one, behind a space, or anywhere but within a character. */
function endOfChunk(tail: string): number {
  const line = tail.lastIndexOf('\n', TAIL_CHARS - 1)
  if (line !== -1) return line + 1
  const space = tail.lastIndexOf(' ', TAIL_CHARS - 1)
  if (space > 0) return space + 1
  return /[\ud800-\udbff]/.test(tail.charAt(TAIL_CHARS - 1)) ? TAIL_CHARS - 1 : TAIL_CHARS
}
