/** The events of one turn for a reader that may be slow: what it has not read yet is bounded. */
import { type AgentryError, assertNever, toAgentryError } from '../errors.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'

/** Characters that a reader may be behind, all events counted: what comes above it is dropped. */
export const MAX_CHARS_BEHIND: number = 4 * 1024 * 1024

/** What an event takes beside its text. */
const EVENT_CHARS = 100

/**
 * Sends with the first `next()`, and yields what `send` tells of, at last `turn-finished` with the outcome; throws what it rejects
 * with. Of a reader that is more than MAX_CHARS_BEHIND behind events are dropped, and the next text that it gets says so. One that
 * leaves is told nothing more and keeps nothing; the turn goes on.
 */
export async function* streamTurn(
  send: (onEvent: (event: TurnEvent) => void) => Promise<Outcome>,
): AsyncGenerator<TurnEvent, void, undefined> {
  let unread: { event: TurnEvent; chars: number }[] = []
  let charsBehind = 0
  let dropped = false
  let left = false
  let wake = Promise.withResolvers<void>()
  let ended: { outcome: Outcome } | { error: AgentryError } | undefined
  const onEvent = (event: TurnEvent): void => {
    if (left || event.type === 'turn-finished') return // that comes last, from the outcome itself
    const chars = charsOf(event)
    if (charsBehind + chars > MAX_CHARS_BEHIND) {
      dropped = true
      return
    }
    charsBehind += chars
    const marked = event.type === 'text' && dropped
    if (marked) dropped = false
    unread.push({ event: marked ? { ...event, dropped: true } : event, chars })
    wake.resolve()
  }
  send(onEvent).then(
    (outcome) => {
      ended = { outcome }
      wake.resolve()
    },
    (error: unknown) => {
      ended = { error: toAgentryError(error) }
      wake.resolve()
    },
  )
  try {
    for (;;) {
      const next = unread.shift()
      if (next !== undefined) {
        charsBehind -= next.chars
        yield next.event
      } else if (ended === undefined) {
        await wake.promise
        wake = Promise.withResolvers()
      } else if ('error' in ended) {
        throw ended.error
      } else {
        yield { type: 'turn-finished', outcome: ended.outcome }
        return
      }
    }
  } finally {
    left = true
    unread = []
  }
}

function charsOf(event: TurnEvent): number {
  switch (event.type) {
    case 'text':
    case 'reasoning':
      return EVENT_CHARS + event.text.length
    case 'tool-started':
      return EVENT_CHARS + event.name.length + JSON.stringify(event.input).length
    case 'steered':
      return EVENT_CHARS + event.input.length
    case 'approval-asked':
      return EVENT_CHARS + event.approval.subject.length + (event.approval.detail?.length ?? 0)
    case 'retry':
    case 'step-finished':
    case 'compacted':
    case 'agent-asked':
    case 'approval-answered':
    case 'turn-started':
    case 'tool-finished':
    case 'turn-finished':
      return EVENT_CHARS
    default:
      return assertNever(event)
  }
}
