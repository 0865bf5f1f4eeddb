/** What a turn does beside its text, in lines for people: on stderr, dim where there are colours. */
import { styleText } from 'node:util'
import { costText, tokensText } from '../core/figures.ts'
import type { Json } from '../core/json.ts'
import type { Approval, UsageTotal } from '../core/session-state.ts'
import { plainLine, plainText } from '../core/terminal-text.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import { decisionText, questionLine } from './approvals/view.ts'
import { type CliIo, hasColor } from './io.ts'

const MAX_INPUT = 120

export interface Activity {
  line(text: string): void
  /** A piece of what a model thinks; only a terminal gets it. */
  reasoning(text: string): void
  /** What comes next on the terminal begins a line. */
  beginLine(): void
}

export function createActivity(io: CliIo, isQuiet: boolean): Activity {
  const { stderr } = io
  const color = hasColor(io, stderr)
  let endsLine = true
  const write = (text: string): void => {
    if (text === '') return
    stderr.write(color ? styleText('dim', text, { validateStream: false }) : text)
    endsLine = text.endsWith('\n')
  }
  const beginLine = (): void => {
    if (!endsLine) write('\n')
  }
  return {
    line(text) {
      if (isQuiet) return
      beginLine()
      write(`${text}\n`)
    },
    reasoning(text) {
      if (!isQuiet && stderr.isTTY === true) write(plainText(text))
    },
    beginLine,
  }
}

/** The line that says of an event what happened; undefined where it needs none, or is text. Remembers what calls are named. */
export function createActivityLines(): (event: TurnEvent) => string | undefined {
  const names = new Map<string, string>()
  const asked = new Map<string, Approval>()
  return (event) => {
    switch (event.type) {
      case 'tool-started':
        names.set(event.toolCallId, plainLine(event.name))
        return `→ ${plainLine(event.name)} ${inputText(event.input)}`.trimEnd()
      case 'tool-finished': {
        const name = names.get(event.toolCallId)
        const ending = endingText(event)
        return name === undefined || ending === undefined ? undefined : `← ${name}: ${ending}`
      }
      case 'agent-asked':
        return `… waits for ${event.agentId}`
      case 'retry': {
        const { model, attempt, delayMs, reason, fallback } = event
        const next =
          fallback === undefined
            ? `try ${attempt + 1} in ${Math.ceil(delayMs / 1000)} s`
            : `${plainLine(fallback)} is asked instead`
        return `↻ ${plainLine(model)}: ${plainLine(reason, 400)}: ${next}`
      }
      case 'compacted':
        return '… the older conversation is summed up from here on'
      case 'steered':
        return `+ taken in: ${plainLine(event.input)}`
      case 'approval-asked':
        asked.set(event.approval.approvalId, event.approval)
        return undefined
      case 'approval-answered': {
        const approval = asked.get(event.approvalId)
        return approval && `· ${questionLine(approval)}: ${decisionText(event)}`
      }
      default:
        return undefined
    }
  }
}

/** `3 steps · 12k tokens in (10k cached) · 512 out · $0.0312`. */
export function usageText(usage: UsageTotal): string {
  const { steps, inputTokens, cachedInputTokens, outputTokens } = usage
  const cached = cachedInputTokens > 0 ? ` (${tokensText(cachedInputTokens)} cached)` : ''
  return [
    `${steps} ${steps === 1 ? 'step' : 'steps'}`,
    `${tokensText(inputTokens)} tokens in${cached}`,
    `${tokensText(outputTokens)} out`,
    costText(usage),
  ].join(' · ')
}

/** Undefined for a call that went well. */
function endingText({
  outcome,
  exitCode,
}: Extract<TurnEvent, { type: 'tool-finished' }>): string | undefined {
  if (outcome === 'unknown') return 'outcome unknown'
  if (exitCode !== undefined && exitCode !== 0) return `exit code ${exitCode}`
  return outcome === 'error' ? 'failed' : undefined
}

/** The value alone where there is one of text: `→ read src/a.ts`. */
function inputText(input: Json): string {
  const values =
    typeof input === 'object' && input !== null && !Array.isArray(input) ? Object.values(input) : []
  const [only] = values
  const text = values.length === 1 && typeof only === 'string' ? only : JSON.stringify(input)
  return plainLine(text === '{}' || text === 'null' ? '' : text, MAX_INPUT)
}
