/** Messages to an agent, what came of them, and their end before its time. */
import { createRoute, z } from '@hono/zod-openapi'
import type { SendOptions } from '../../api.ts'
import { systemClock } from '../../core/clock.ts'
import { createId } from '../../core/ids.ts'
import { AgentryError } from '../../errors.ts'
import type { TurnEvent } from '../../protocol/from-agent.ts'
import { preferredType } from '../body.ts'
import {
  type GatewayApp,
  jsonAnswer,
  jsonBody,
  requireAgent,
  type RouteContext,
  stallCutter,
} from '../context.ts'
import { cancelBody, type MessageBody, messageBody } from '../schemas/messages.ts'
import { agentId, locationHeader, preferHeader, taskId } from '../schemas/parameters.ts'
import { outcome } from '../schemas/turns.ts'
import { closeQuietly, EVENT_STREAM, type SseEvent, sseResponse, type SseSource } from '../sse.ts'

const tags = ['messages']
const params = z.object({ agent: agentId })

export function addMessageRoutes(app: GatewayApp, { team }: RouteContext): void {
  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/message',
      tags,
      summary: 'Send a message, and wait for what comes of it.',
      description:
        'Answers with the outcome of the turn: a failed or cancelled turn is an outcome too. With `Accept: text/event-stream` ' +
        'the answer streams what happens on the way (`turn-started`, `text`, `reasoning`, `retry`, `step-finished`, `tool-started`, ' +
        '`tool-finished`, `approval-asked`, `approval-answered`, `agent-asked`, `steered`, `compacted`), and ends with `turn-finished`. With ' +
        '`Prefer: respond-async` the answer is 202 as soon as the message is durable. A client that goes away does not cancel the turn. ' +
        'With `mode: steer` the running turn takes the message in between two of its steps. The same `taskId` again joins the turn, or ' +
        'answers its recorded outcome.',
      request: { params, headers: preferHeader, body: jsonBody(messageBody) },
      responses: {
        200: {
          content: { 'application/json': { schema: outcome }, [EVENT_STREAM]: { schema: z.string() } },
          description:
            'The outcome of the turn, or the stream of its events; `Location` is where the outcome is found again.',
          headers: locationHeader,
        },
        202: {
          ...jsonAnswer(outcome, 'The message is durable; `Location` is where its outcome will be.'),
          headers: locationHeader,
        },
      },
    }),
    async (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      const { input, options } = toSend(c.req.valid('json'))
      if (prefersAsync(c.req.valid('header').prefer)) {
        const accepted = await agent.post(input, options)
        return c.json(accepted, 202, {
          location: taskPath(accepted.taskId),
          'preference-applied': 'respond-async',
        })
      }
      if (preferredType(c, EVENT_STREAM) !== EVENT_STREAM) {
        const outcome = await agent.send(input, options)
        return c.json(outcome, 200, { location: taskPath(outcome.taskId) })
      }
      // A message that is refused at once gets the status that says so; one that waits in the queue gets its stream.
      const taskId = options.taskId ?? createId()
      const events = await beginTurn((signal) => agent.stream(input, { ...options, taskId, signal }))
      // No signal of ours ends it: it ends with its turn, for which a gateway that stops waits.
      return sseResponse(c, events, {
        onStall: stallCutter(c),
        headers: { location: taskPath(taskId) },
      })
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/cancel',
      tags,
      summary: 'Cancel the running turn, or the one given.',
      request: { params, body: { ...jsonBody(cancelBody), required: false } },
      responses: {
        200: jsonAnswer(
          z.object({ cancelled: z.boolean() }),
          '`cancelled` is false where there was no such turn.',
        ),
      },
    }),
    async (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      return c.json({ cancelled: await agent.cancel(c.req.valid('json').turnId) }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/tasks/{taskId}',
      tags,
      summary: 'How far a task is: waiting, running, or its recorded outcome.',
      request: { params: z.object({ taskId }) },
      responses: { 200: jsonAnswer(outcome, 'The outcome.') },
    }),
    async (c) => {
      const id = c.req.valid('param').taskId
      const found = await team.task(id)
      if (found !== undefined) return c.json(found, 200)
      throw new AgentryError('task_not_found', 'no turn with that taskId is known', { data: { taskId: id } })
    },
  )
}

function toSend(body: MessageBody): { input: string; options: SendOptions } {
  const { input, from, metadata, sessionId, mode } = body
  if (body.taskId !== undefined && body.task_id !== undefined && body.taskId !== body.task_id) {
    throw new AgentryError('invalid_input', 'expected one taskId, received two: taskId and task_id differ')
  }
  const given = body.taskId ?? body.task_id
  return {
    input,
    options: {
      ...(given !== undefined && { taskId: given }),
      ...(from !== undefined && { from }),
      ...(metadata !== undefined && { metadata }),
      ...(sessionId !== undefined && { sessionId }),
      ...(mode !== undefined && { mode }),
    },
  }
}

/** RFC 7240. */
function prefersAsync(prefer: string | undefined): boolean {
  return (prefer ?? '')
    .split(',')
    .some((preference) => preference.split(';', 1)[0]?.trim().toLowerCase() === 'respond-async')
}

function taskPath(taskId: string): string {
  return `/tasks/${encodeURIComponent(taskId)}`
}

/** How long a stream waits for the first event before it begins without one. */
const FIRST_EVENT_MS = 1_000

/** The events of a turn that has begun, or waits in the queue. Throws what refuses the message. */
async function beginTurn(start: (signal: AbortSignal) => AsyncIterable<TurnEvent>): Promise<SseSource> {
  const waiting = new AbortController()
  const iterator = start(waiting.signal)[Symbol.asyncIterator]()
  const first = iterator.next()
  const { promise: patience, resolve } = Promise.withResolvers<void>()
  const timer = systemClock.setTimer(FIRST_EVENT_MS, resolve)
  await Promise.race([first, patience])
  timer.cancel()
  async function* turnEvents(): AsyncGenerator<SseEvent, void, undefined> {
    for (let result = await first; !result.done; result = await iterator.next()) {
      yield { event: result.value.type, data: result.value }
    }
  }
  return (signal) => {
    // Not in the generator: a client can be gone before that begins.
    const leave = (): void => {
      waiting.abort()
      closeQuietly(iterator)
    }
    signal.addEventListener('abort', leave, { once: true })
    return turnEvents()
  }
}
