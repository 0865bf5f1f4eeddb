/** `fetch` for one server: what comes back is bounded for each body, and so is the number of requests that are not over. */
import type { FetchLike } from '@modelcontextprotocol/client'
import { AgentryError } from '../../errors.ts'
import { type InboundLimits, MessageBytes } from './inbound-limits.ts'

/** An agent has one call under way at a time; the others are answers to requests of the server, and its stream. */
const MAX_OPEN_REQUESTS = 64

const LF = 10
const CR = 13

/**
 * A request is open until the body of its response ends. One too many is not sent: it rejects with `tool_failed`. A body ends with
 * that error where it holds more than MAX_MESSAGE_BYTES, or a stream of events as much without the end of an event. `onExcess` is
 * told of both.
 */
export function createBoundedFetch(limits: InboundLimits, onExcess: (error: unknown) => void): FetchLike {
  let open = 0
  return async (url, init) => {
    if (open >= MAX_OPEN_REQUESTS) {
      const error = new AgentryError('tool_failed', `it left ${MAX_OPEN_REQUESTS} requests open`)
      onExcess(error)
      throw error
    }
    open += 1
    let isOver = false
    const onOver = (): void => {
      if (!isOver) open -= 1
      isOver = true
    }
    let response: Response
    try {
      response = await fetch(url, init)
    } catch (error) {
      onOver()
      throw error
    }
    if (response.body === null) {
      onOver()
      return response
    }
    const take = counterOf(response, limits)
    const counted = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        try {
          take(chunk)
          controller.enqueue(chunk)
        } catch (error) {
          onOver()
          controller.error(error)
          onExcess(error)
        }
      },
      flush: onOver,
      cancel: onOver,
    })
    return new Response(response.body.pipeThrough(counted), {
      status: response.status,
      statusText: response.statusText,
      headers: response.headers,
    })
  }
}

function counterOf({ headers }: Response, limits: InboundLimits): (chunk: Uint8Array) => void {
  const bytes = new MessageBytes()
  const isStream = headers.get('content-type')?.trim().toLowerCase().startsWith('text/event-stream') === true
  return isStream ? eventCounter(bytes, limits) : (chunk) => bytes.take(chunk.length)
}

/** An event ends with an empty line; a line with LF, CR or both (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
function eventCounter(bytes: MessageBytes, limits: InboundLimits): (chunk: Uint8Array) => void {
  let lineIsEmpty = true
  let afterCr = false
  return (chunk) => {
    let events = 0
    let eventStart = 0
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index]
      const secondHalf = byte === LF && afterCr
      afterCr = byte === CR
      if (secondHalf) continue
      if (byte !== LF && byte !== CR) lineIsEmpty = false
      else if (!lineIsEmpty) lineIsEmpty = true
      else {
        events += 1
        eventStart = index + 1
        bytes.reset()
      }
    }
    bytes.take(chunk.length - eventStart)
    limits.takeEvents(events)
  }
}
