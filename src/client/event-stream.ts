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

/** In time linear in their length: a record can be one line of many chunks. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  let begun: string[] = []
  let endedByCr = false
  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true })
    if (text === '') continue
    // The second half of a CRLF.
    if (endedByCr && text.startsWith('\n')) text = text.slice(1)
    endedByCr = text.endsWith('\r')
    const lines = text.split(/\r\n|\n|\r/)
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      yield begun.length === 0 ? line : begun.join('') + line
      begun = []
    }
    if (rest !== '') begun.push(rest)
  }
}
