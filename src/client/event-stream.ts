/** Reading server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream) with JSON as data. */
export interface ServerEvent<T = unknown> {
  event: string
  data: T
  id?: string
}

/** Comments and `retry` are read over. A cut in the middle of an event loses that event, as the standard has it. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<ServerEvent, void, undefined> {
  let fields = new Map<string, string>()
  for await (const line of linesOf(body)) {
    if (line === '') {
      const data = fields.get('data')
      const id = fields.get('id')
      if (data !== undefined) {
        yield {
          event: fields.get('event') ?? 'message',
          data: JSON.parse(data),
          ...(id !== undefined && { id }),
        }
      }
      fields = new Map()
      continue
    }
    const colon = line.indexOf(':')
    if (colon === 0) continue
    const name = colon === -1 ? line : line.slice(0, colon)
    const value = colon === -1 ? '' : line.slice(colon + 1).replace(/^ /, '')
    const before = name === 'data' ? fields.get(name) : undefined
    fields.set(name, before === undefined ? value : `${before}\n${value}`)
  }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    // A CR at the end of a chunk may be half of a CRLF: it waits for the next one.
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    yield* lines
  }
}
