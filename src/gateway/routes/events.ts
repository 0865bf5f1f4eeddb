/** The two streams of events: of one session, durable and complete, and of the team, as it happens. */
import { createRoute, z } from '@hono/zod-openapi'
import { AgentryError } from '../../errors.ts'
import { type GatewayApp, requireSession, type RouteContext, stallCutter } from '../context.ts'
import { type EventLog, isPassing } from '../event-log.ts'
import { agentId, sessionId } from '../schemas/parameters.ts'
import { sessionEvents, untilKnown } from '../session-events.ts'
import { EVENT_STREAM, type SseEvent, sseResponse } from '../sse.ts'

/** How long the report of a record that is on disk can take to arrive. */
const REPORT_MS = 1_000

const seq = z
  .string()
  .regex(/^\d{1,15}$/, 'expected a seq: a whole number from 0 on')
  .transform(Number)
const eventId = z
  .string()
  .regex(/^\d{1,15}:\d{1,15}$/, 'expected an id of this stream: epoch:seq')
  .transform((text) => {
    const [epoch = 0, position = 0] = text.split(':').map(Number)
    return { epoch, position }
  })

const events = (description: string) => ({
  content: { [EVENT_STREAM]: { schema: z.string() } },
  description,
})

export function addEventRoutes(app: GatewayApp, { team, log, tails, closing }: RouteContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}/sessions/{id}/events',
      tags: ['events'],
      summary:
        'Everything that is recorded of a session, from the beginning or from where the reader was, and what follows.',
      description:
        'Records have their `seq` as id and their `type` as event: after a cut the reader goes on behind its `Last-Event-ID`, across ' +
        'restarts, and gets every record exactly once, in order. `text` is what a running turn writes, `reasoning` what its model thinks, `retry` ' +
        'says that what came since the last record is void: they have no id and are not repeated.',
      request: {
        params: z.object({ agent: agentId, id: sessionId }),
        query: z.object({
          after: seq.optional().openapi({ type: 'integer', description: 'Only records behind this seq.' }),
        }),
        headers: z.object({ 'last-event-id': seq.optional().openapi({ type: 'string' }) }),
      },
      responses: { 200: events('The stream. It ends when the session goes to the trash.') },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      requireSession(team, agent, id)
      const after = c.req.valid('header')['last-event-id'] ?? c.req.valid('query').after ?? 0
      const waiting = AbortSignal.any([closing, AbortSignal.timeout(REPORT_MS)])
      await untilKnown(team, log, id, after, waiting)
      const { seq: known } = requireSession(team, agent, id)
      if (after > known) {
        throw new AgentryError('invalid_input', `expected a seq up to ${known}, received ${after}`, {
          data: { path: 'after', seq: known },
        })
      }
      return sseResponse(c, (signal) => sessionEvents(team, log, tails, id, after, signal), {
        signal: closing,
        onStall: stallCutter(c),
      })
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/events',
      tags: ['events'],
      summary: 'What happens in the team from now on.',
      description:
        'Ids are `epoch:seq`. The stream begins with `ready`, whose id is where it begins. A reader that comes back goes on where it ' +
        'was; where the events in between are gone (it was away for more than 1,000 events, or the supervisor has restarted) it gets ' +
        '`reset` first and reads the lists again. Events `turn` with `text` or `reasoning` in them have no id and are not repeated.',
      request: { headers: z.object({ 'last-event-id': eventId.optional().openapi({ type: 'string' }) }) },
      responses: { 200: events('The stream.') },
    }),
    (c) => {
      const from = c.req.valid('header')['last-event-id']
      const { end } = log // As of the request: what happens from here on belongs to the stream, even before the client reads.
      return sseResponse(c, (signal) => teamEvents(log, end, from, signal), {
        signal: closing,
        onStall: stallCutter(c),
      })
    },
  )
}

async function* teamEvents(
  log: EventLog,
  end: number,
  from: { epoch: number; position: number } | undefined,
  signal: AbortSignal,
): AsyncGenerator<SseEvent, void, undefined> {
  const { epoch } = log
  let position = end
  let textFrom = end
  if (from === undefined) yield placeOf('ready', epoch, position)
  else if (from.epoch === epoch && from.position <= position) position = from.position
  else yield placeOf('reset', epoch, position)
  while (!signal.aborted && !log.closed) {
    const batch = log.behind(position, textFrom)
    if (batch.missed) yield placeOf('reset', epoch, (batch.events[0]?.seq ?? batch.position + 1) - 1)
    position = batch.position
    textFrom = batch.textFrom
    for (const event of batch.events) {
      const id = `${event.epoch}:${event.seq}`
      yield { event: event.type, data: event, ...(!isPassing(event) && { id }) }
    }
    if (batch.events.length === 0) position = await log.more(signal)
  }
}

/**
 * Where the stream goes on: behind `seq`. It has data, because clients drop the id of a block without; and so a reader that is cut off
 * before anything happens has an id to come back with.
 */
function placeOf(type: 'ready' | 'reset', epoch: number, seq: number): SseEvent {
  return { event: type, data: { type, epoch, seq }, id: `${epoch}:${seq}` }
}
