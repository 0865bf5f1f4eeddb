/** One item of a conversation as lines. Pure; what was laid out is remembered for as long as the item lives. */
import { ageText } from '../../core/figures.ts'
import { assertNever } from '../../errors.ts'
import type { Item, LiveItem, MessageItem, NoteItem, ToolItem } from './conversation-items.ts'
import { type Line, type Span, span, type Tone } from './line.ts'
import { cutSpans, cutToWidth, widthOf, wrapToWidth } from './text.ts'

export interface ItemLook {
  readonly width: number
  /** Of a call: only the beginning and end of its result. Of a thought: one line. */
  readonly folded: boolean
  /** Wall clock, ms since 1970. */
  readonly nowMs: number
}

/** One line at least. The same value for as long as item and look say the same. */
export function itemLines(item: Item, look: ItemLook): readonly Line[] {
  const { width, folded } = look
  const mark = markOf(item, look.nowMs)
  const known = laidOut.get(item)
  if (known?.width === width && known.folded === folded && known.mark === mark) return known.lines
  const lines = layOut(item, look, mark)
  laidOut.set(item, { width, folded, mark, lines })
  return lines
}

const laidOut = new WeakMap<Item, { width: number; folded: boolean; mark: string; lines: readonly Line[] }>()

/** What of an item's look depends on the time. */
function markOf(item: Item, nowMs: number): string {
  if (item.type === 'message') return stampText(item.at, nowMs)
  if (item.type !== 'tool' || item.state !== 'running' || item.startedAt === undefined) return ''
  return ageText(item.startedAt, nowMs)
}

function layOut(item: Item, { width, folded }: ItemLook, mark: string): readonly Line[] {
  switch (item.type) {
    case 'message':
      return messageLines(item, width, mark)
    case 'text':
      return wrapToWidth(item.text, width).map((row) => [span(row)])
    case 'reasoning':
      return reasoningLines(item.text, width, folded)
    case 'live':
      return liveLines(item, width)
    case 'tool':
      return [toolHead(item, width, mark), ...questionLines(item, width), ...resultLines(item, width, folded)]
    case 'note':
      return noteLines(item, width)
    default:
      return assertNever(item)
  }
}

function liveLines({ look, text }: LiveItem, width: number): readonly Line[] {
  switch (look) {
    case 'text':
      return wrapToWidth(text, width).map((row) => [span(row)])
    case 'result':
      return resultRows(wrapToWidth(text, width - BAR.length), width)
    case 'reasoning':
      return reasoningLines(text, width, false)
    default:
      return assertNever(look)
  }
}

const THOUGHT = '~ '

/** Done with, it is its beginning on one line: what came of it stands below. */
function reasoningLines(text: string, width: number, folded: boolean): readonly Line[] {
  const thought = text.trim()
  if (folded) {
    const line = thought
      .slice(0, width * 4)
      .toWellFormed()
      .replaceAll(/\s+/g, ' ')
    const more = line.length < thought.length ? `${line}…` : line
    return [[span(cutToWidth(THOUGHT + more, width), 'dim')]]
  }
  return wrapToWidth(thought, width - THOUGHT.length).map((row, index) => [
    span(cutToWidth((index === 0 ? THOUGHT : ' '.repeat(THOUGHT.length)) + row, width), 'dim'),
  ])
}

/** Narrower panes have no room for the time. */
const STAMP_COLUMNS = 48
const PROMPT = '❯ '
const BAR = '│ '

function messageLines(item: MessageItem, width: number, stamp: string): readonly Line[] {
  const stamped = width >= STAMP_COLUMNS
  const room = width - PROMPT.length - (stamped ? stamp.length + 1 : 0)
  const text = item.text ?? '(accepted before what is shown)'
  const from = item.from === undefined ? '' : `${item.from}: `
  const rows = wrapToWidth(`${from}${text.trimEnd()}${placeOf(item)}`, room)
  const tone: Tone = item.queued || item.text === undefined ? 'dim' : 'strong'
  const lines = rows.map((row, index): Line => {
    if (index > 0) return cutSpans([span(' '.repeat(PROMPT.length)), span(row, tone)], width)
    const line = [span(PROMPT, 'accent'), span(row, tone)]
    if (!stamped) return cutSpans(line, width)
    return [...line, span(' '.repeat(room - widthOf(row) + 1)), span(stamp, 'dim')]
  })
  return [[], ...lines]
}

function placeOf({ queued, steered }: MessageItem): string {
  if (steered === true) return queued ? ' (to be taken into the turn)' : ' (taken into the turn)'
  return queued ? ' (queued)' : ''
}

interface StateLook {
  readonly glyph: string
  readonly tone: Tone
  /** Said behind the call. */
  readonly word: string
}

function stateLook({ state, asks, questions, exitCode = 0 }: ToolItem, elapsed: string): StateLook {
  switch (state) {
    case 'announced':
      return questions?.some(({ answer }) => answer === undefined) === true
        ? { glyph: '?', tone: 'ask', word: 'waits for your answer' }
        : { glyph: '○', tone: 'dim', word: 'not started' }
    case 'running':
      if (asks !== undefined)
        return { glyph: '…', tone: 'accent', word: `waits for ${asks} ${elapsed}`.trimEnd() }
      return { glyph: '◌', tone: 'accent', word: elapsed === '' ? 'running' : `running ${elapsed}` }
    case 'ok':
      return exitCode === 0
        ? { glyph: '●', tone: 'good', word: '' }
        : { glyph: '✗', tone: 'bad', word: `exit ${exitCode}` }
    case 'error':
      return { glyph: '✗', tone: 'bad', word: exitCode === 0 ? 'error' : `error, exit ${exitCode}` }
    case 'unknown':
      return { glyph: '?', tone: 'warn', word: 'cut off by a crash: it may have had any effect' }
    default:
      return assertNever(state)
  }
}

/** `● shell  npm test  exit 1`: the state is in sight however long the rest is. */
function toolHead(item: ToolItem, width: number, elapsed: string): Line {
  const { glyph, tone, word } = stateLook(item, elapsed)
  const said: Span[] = word === '' ? [] : [span(`  ${word}`, tone)]
  const room = width - widthOf(said[0]?.text ?? '')
  const head = [span(`${glyph} `, tone), span(item.name ?? 'a call', 'strong'), span(`  ${item.input}`)]
  // Where the name itself has no room, the word has none.
  return room < MIN_HEAD
    ? cutSpans([...head.slice(0, 2), ...said], width)
    : [...cutSpans(head, room), ...said]
}

/** Above the result, whose reason an answer can be. */
function questionLines({ questions = [] }: ToolItem, width: number): readonly Line[] {
  return questions.flatMap(({ text, answer }) => [
    ...noteLines({ text, tone: 'ask' }, width),
    ...(answer === undefined ? [] : noteLines({ text: answer, tone: 'dim' }, width)),
  ])
}

const MIN_HEAD = 8
/** Rows of a folded result: at its beginning, where one looks for what it is, and at its end, where errors are. */
const HEAD_ROWS = 3
const TAIL_ROWS = 5

function resultLines({ result = '' }: ToolItem, width: number, folded: boolean): readonly Line[] {
  const text = result.trimEnd()
  if (text === '') return []
  const room = width - BAR.length
  if (!folded) return resultRows(wrapToWidth(text, room), width)
  // What is folded away is not laid out, but counted.
  const most = (HEAD_ROWS + TAIL_ROWS + 1) * Math.max(1, room)
  if (text.length <= most) {
    const rows = wrapToWidth(text, room)
    if (rows.length <= HEAD_ROWS + TAIL_ROWS + 1) return resultRows(rows, width)
  }
  const head = firstLines(text, HEAD_ROWS, most)
  const tail = lastLines(text, TAIL_ROWS, most)
  const top = wrapToWidth(head, room).slice(0, HEAD_ROWS)
  const bottom = wrapToWidth(tail, room).slice(-TAIL_ROWS)
  const lines = countOf(text, '\n') + 1
  const more = lines > HEAD_ROWS + TAIL_ROWS ? `${lines - HEAD_ROWS - TAIL_ROWS} lines more` : 'more'
  return [
    ...resultRows(top, width),
    cutSpans([span(`${BAR}… ${more} (x unfolds)`, 'dim')], width),
    ...resultRows(bottom, width),
  ]
}

function resultRows(rows: readonly string[], width: number): readonly Line[] {
  return rows.map((row) => cutSpans([span(BAR + row, 'dim')], width))
}

const NOTE_GLYPHS: Readonly<Record<NoteItem['tone'], string>> = {
  dim: '· ',
  warn: '! ',
  bad: '✗ ',
  ask: '? ',
}

function noteLines({ text, tone }: Pick<NoteItem, 'text' | 'tone'>, width: number): readonly Line[] {
  const glyph = NOTE_GLYPHS[tone]
  return wrapToWidth(text, width - glyph.length).map((row, index) => [
    span(cutToWidth((index === 0 ? glyph : ' '.repeat(glyph.length)) + row, width), tone),
  ])
}

/** `14:02` in this place's time; of another day its date, `24 Nov`. */
function stampText(at: string, nowMs: number): string {
  const time = new Date(at)
  if (Number.isNaN(time.getTime())) return ''
  if (time.toDateString() !== new Date(nowMs).toDateString())
    return `${time.getDate()} ${MONTHS[time.getMonth()]}`
  return `${two(time.getHours())}:${two(time.getMinutes())}`
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

function two(value: number): string {
  return String(value).padStart(2, '0')
}

function firstLines(text: string, lines: number, most: number): string {
  let end = -1
  for (let count = 0; count < lines; count += 1) {
    end = text.indexOf('\n', end + 1)
    if (end === -1 || end > most) return text.slice(0, most).toWellFormed()
  }
  return text.slice(0, end)
}

function lastLines(text: string, lines: number, most: number): string {
  let start = text.length
  for (let count = 0; count < lines; count += 1) {
    start = start === 0 ? -1 : text.lastIndexOf('\n', start - 1)
    if (start === -1 || text.length - start > most) return text.slice(-most).toWellFormed()
  }
  return text.slice(start + 1)
}

function countOf(text: string, character: string): number {
  let count = 0
  for (let at = text.indexOf(character); at !== -1; at = text.indexOf(character, at + 1)) count += 1
  return count
}
