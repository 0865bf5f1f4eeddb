/**
 * One turn as it is shown while it runs.
 *
 * V1  stdout has the text of the answer and nothing else: all that is said about it goes to stderr.
 * V2  to a pipe or file goes of a model's turn only its answer, once it is whole: what the model writes before it uses a tool, or before
 *     a request is made again, goes to stderr.
 * V3  on a terminal that is both, the lines of the two never run into each other.
 */
import { plainText, terminalJson } from '../core/terminal-text.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import { createActivity, createActivityLines, usageText } from './activity.ts'
import type { CliIo } from './io.ts'
import { createTurnPrinter } from './turn-printer.ts'

export interface TurnView {
  show(event: TurnEvent): void
  /** What somebody else writes on the terminal next begins a line. */
  beginLine(): void
  /** The end of the turn. Its error is not shown here. */
  finish(outcome: Outcome): void
}

export interface TurnViewOptions {
  io: CliIo
  /** Of the agent: the one call of a `shell` agent is its message, and an `llm` agent's text comes in steps. */
  behavior: string
  /** Only the answer. */
  isQuiet: boolean
}

export function createTurnView({ io, behavior, isQuiet }: TurnViewOptions): TurnView {
  const printer = createTurnPrinter(io.stdout)
  const activity = createActivity(io, isQuiet)
  const lineOf = createActivityLines()
  const isHeld = behavior === 'llm' && io.stdout.isTTY !== true
  let held = ''

  const line = (text: string): void => {
    printer.beginLine()
    activity.line(text)
  }
  const showText = (event: Extract<TurnEvent, { type: 'text' }>): void => {
    if (isHeld) {
      held += event.text
      return
    }
    activity.beginLine()
    printer.text(event)
  }
  return {
    show(event) {
      switch (event.type) {
        case 'text':
          showText(event)
          return
        case 'reasoning':
          printer.beginLine()
          activity.reasoning(event.text)
          return
        case 'step-finished':
          if (event.toolCalls === 0) return
          if (held.trim() !== '') line(plainText(held.trim()))
          held = ''
          printer.beginLine()
          return
        case 'retry':
          held = ''
          if (!isHeld) printer.restart()
          break
        case 'tool-started':
        case 'tool-finished':
          if (behavior === 'shell') return
          break
        default:
      }
      const text = lineOf(event)
      if (text !== undefined) line(text)
    },
    beginLine() {
      printer.beginLine()
      activity.beginLine()
    },
    finish({ status, result, usage }) {
      activity.beginLine()
      printer.finish(status === 'completed' ? result : undefined)
      if (usage !== undefined && usage.steps > 0 && io.stderr.isTTY === true) activity.line(usageText(usage))
    },
  }
}

/** Every event as a line of JSON on stdout; the last one, `turn-finished`, has the outcome. */
export function createEventLines({ stdout }: CliIo): TurnView {
  const write = (event: TurnEvent): void =>
    // Indented, for what is escaped there; no text of JSON goes over two lines.
    void stdout.write(`${terminalJson(event).replaceAll(/\n */g, '')}\n`)
  return {
    show: write,
    beginLine: () => undefined,
    finish: (outcome) => write({ type: 'turn-finished', outcome }),
  }
}

/** For who wants the outcome alone. */
export const NO_VIEW: TurnView = {
  show: () => undefined,
  beginLine: () => undefined,
  finish: () => undefined,
}
