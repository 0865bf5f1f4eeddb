/**
 * The text of one turn on its way to stdout.
 *
 * P1  when a turn is completed, its result has been printed exactly once, even if none of it was streamed. Of any other turn
 *     nothing is printed but what was streamed: its result can be the text of an error.
 * P2  text is written as it comes, until some of it was dropped on the way: from then on only the result is trusted.
 */
import type { TextSink } from './io.ts'
import { plainText } from '../core/terminal-text.ts'

export interface TurnPrinter {
  text(piece: { text: string; dropped?: true }): void
  /** What was written is void: the text comes again, on a new line. */
  restart(): void
  /** On a terminal: what comes next, whoever writes it there, begins a line. */
  beginLine(): void
  /** Writes what is missing of the result of a completed turn behind the streamed text. Without a result: nothing more. */
  finish(result?: string): void
}

/** The longest result there can be: no more of the streamed text is needed to compare. */
const KEPT_CHARS = 64 * 1024 * 1024

/** On a terminal control sequences are taken out and the text ends with a newline; elsewhere it is written as it is. */
export function createTurnPrinter(sink: TextSink): TurnPrinter {
  let length = 0
  let head = ''
  let tail = ''
  let complete = true
  let endsLine = true

  const beginLine = (): void => {
    if (!endsLine && sink.isTTY) write('\n')
  }
  const write = (text: string): void => {
    if (text === '') return
    sink.write(sink.isTTY ? plainText(text) : text)
    endsLine = text.endsWith('\n')
  }
  const finishWith = (result: string): void => {
    const start = commonStart(head, result)
    const end = commonEnd(tail, result)
    // A long result is a cut of what was streamed: its beginning, a line that says so, its end.
    const isCut = length > result.length && start + end >= 0.9 * result.length
    if (start === length || (!complete && start >= result.length / 3)) {
      write(result.slice(start))
    } else if (!complete || (end < result.length && !isCut)) {
      if (!endsLine) write('\n')
      write(result)
    }
  }
  return {
    text({ text, dropped = false }) {
      if (dropped) complete = false
      if (!complete) return
      write(text)
      length += text.length
      if (head.length < KEPT_CHARS) head += text
      tail += text
      if (tail.length > 2 * KEPT_CHARS) tail = tail.slice(-KEPT_CHARS)
    },
    restart() {
      if (!endsLine) write('\n')
      length = 0
      head = ''
      tail = ''
      complete = true
    },
    beginLine,
    finish(result) {
      if (result !== undefined) finishWith(result)
      beginLine()
    },
  }
}

function commonStart(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[length] === b[length]) length += 1
  return length
}

function commonEnd(a: string, b: string): number {
  const most = Math.min(a.length, b.length)
  let length = 0
  while (length < most && a[a.length - 1 - length] === b[b.length - 1 - length]) length += 1
  return length
}
