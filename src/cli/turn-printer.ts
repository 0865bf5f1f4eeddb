/**
 * The text of one turn on its way to stdout.
 *
 * P1  what stands there at the end contains the result exactly once, also where nothing of it came as a stream.
 * P2  text is written as it comes, until some of it was dropped: from then on only the result is trusted.
 */
import type { TextSink } from './io.ts'
import { plainText } from './terminal-text.ts'

export interface TurnPrinter {
  text(event: { text: string; dropped?: true }): void
  /** What is missing of `result` behind the streamed text. */
  finish(result: string): void
}

/** On a terminal control sequences are taken out and the text ends with a newline; elsewhere it is written as it is. */
export function createTurnPrinter(sink: TextSink): TurnPrinter {
  let streamed = ''
  let complete = true
  let endsLine = true

  const write = (text: string): void => {
    if (text === '') return
    sink.write(sink.isTTY ? plainText(text) : text)
    endsLine = text.endsWith('\n')
  }

  return {
    text(event) {
      if (event.dropped) complete = false
      if (!complete) return
      streamed += event.text
      write(event.text)
    },
    finish(result) {
      if (result.startsWith(streamed)) {
        write(result.slice(streamed.length))
      } else if (!complete || !streamed.endsWith(result)) {
        if (!endsLine) write('\n')
        write(result)
      }
      if (!endsLine && sink.isTTY) write('\n')
    },
  }
}
