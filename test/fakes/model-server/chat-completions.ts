/** OpenAI's chat completions, as most servers speak them: POST /v1/chat/completions with `stream: true`. */
import type { Part, TokenCounts } from './reply.ts'
import { chunksOf } from './reply.ts'
import { fields, list, type ModelRequest, refuse, type RequestMessage, text } from './request.ts'
import type { Wire } from './wire.ts'

export function readChatRequest(
  body: Record<string, unknown>,
): Pick<ModelRequest, 'model' | 'system' | 'messages' | 'tools'> {
  if (body['stream'] !== true) refuse('this server streams only: set stream to true')
  const system: string[] = []
  const messages: RequestMessage[] = []
  for (const [index, value] of list(body['messages'], 'messages').entries()) {
    const at = `messages.[${index}]`
    const message = fields(value, at)
    if (message['role'] === 'system') system.push(contentText(message['content'], at))
    else messages.push(readMessage(message, at))
  }
  if (messages.length === 0) refuse('messages: expected at least one')
  checkResults(messages)
  const tools = (body['tools'] === undefined ? [] : list(body['tools'], 'tools')).map((value) => {
    const tool = fields(fields(value, 'tools')['function'], 'tools.function')
    return {
      name: text(tool['name'], 'tools.function.name'),
      description: typeof tool['description'] === 'string' ? tool['description'] : '',
      inputSchema: tool['parameters'],
    }
  })
  return { model: text(body['model'], 'model'), system: system.join('\n'), messages, tools }
}

function readMessage(message: Record<string, unknown>, at: string): RequestMessage {
  const content = contentText(message['content'], at)
  switch (message['role']) {
    case 'user':
      return { role: 'user', content }
    case 'tool':
      return { role: 'tool', content, toolCallId: text(message['tool_call_id'], `${at}.tool_call_id`) }
    case 'assistant': {
      if (message['tool_calls'] === undefined) return { role: 'assistant', content }
      const toolCalls = list(message['tool_calls'], `${at}.tool_calls`).map((value) => {
        const call = fields(value, `${at}.tool_calls`)
        const called = fields(call['function'], `${at}.tool_calls.function`)
        const id = text(call['id'], `${at}.tool_calls.id`)
        if (id.length > 64) refuse(`${at}.tool_calls.id: expected at most 64 characters`)
        const name = text(called['name'], `${at}.function.name`)
        if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) refuse(`${at}.function.name does not match ^[a-zA-Z0-9_-]+$`)
        const input: unknown = JSON.parse(text(called['arguments'], `${at}.function.arguments`))
        return { id, name, input: fields(input, `${at}.function.arguments`) }
      })
      return { role: 'assistant', content, toolCalls }
    }
    default:
      return refuse(`${at}.role: ${String(message['role'])} is not one of system, user, assistant, tool`)
  }
}

function contentText(content: unknown, at: string): string {
  if (content === null || content === undefined) return ''
  if (typeof content === 'string') return content
  return list(content, `${at}.content`)
    .map((part) => text(fields(part, at)['text'], `${at}.content.text`))
    .join('')
}

/** Each assistant message with calls is followed by one result for each of them, and no result comes without a call. */
function checkResults(messages: readonly RequestMessage[]): void {
  const open = new Set<string>()
  for (const message of messages) {
    if (message.role === 'tool') {
      if (!open.delete(message.toolCallId ?? '')) refuse('a tool message must answer a preceding tool call')
      continue
    }
    refuseOpen(open)
    for (const call of message.toolCalls ?? []) {
      if (open.has(call.id)) refuse(`duplicate tool call id ${call.id}`)
      open.add(call.id)
    }
  }
  refuseOpen(open)
}

function refuseOpen(open: ReadonlySet<string>): void {
  if (open.size === 0) return
  refuse(`tool_calls must be followed by tool messages; these had no response: ${[...open].join(', ')}`)
}

const FINISH = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
} as const

/** Writes the chunks of one answer. */
export class ChatWriter {
  readonly #wire: Wire
  readonly #request: ModelRequest
  #calls = 0
  #begun = false

  constructor(wire: Wire, request: ModelRequest) {
    this.#wire = wire
    this.#request = request
  }

  part(part: Extract<Part, { text: unknown } | { reasoning: unknown } | { toolCall: unknown }>): void {
    this.begin()
    if ('text' in part) for (const content of chunksOf(part.text)) this.#delta({ content })
    else if ('reasoning' in part) {
      for (const reasoning of chunksOf(part.reasoning)) this.#delta({ reasoning_content: reasoning })
    } else this.#toolCall(part.toolCall)
  }

  begin(): void {
    if (this.#begun) return
    this.#begun = true
    this.#delta({ role: 'assistant', content: '' })
  }

  finish(reason: keyof typeof FINISH, usage: TokenCounts): void {
    this.begin()
    this.#delta({}, FINISH[reason])
    const options = this.#request.body['stream_options']
    if (options !== undefined && fields(options, 'stream_options')['include_usage'] === true) {
      this.#chunk({
        choices: [],
        usage: {
          prompt_tokens: usage.input,
          completion_tokens: usage.output,
          total_tokens: usage.input + usage.output,
          prompt_tokens_details: { cached_tokens: usage.cached ?? 0 },
          completion_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
        },
      })
    }
    this.#wire.data('[DONE]')
  }

  error(): void {
    this.#wire.data(
      JSON.stringify({ error: { message: 'The server had an error', type: 'server_error', code: null } }),
    )
  }

  #toolCall({ name, input, arguments: raw, id }: Extract<Part, { toolCall: unknown }>['toolCall']): void {
    const index = this.#calls++
    const call = { index, id: id ?? `call_${this.#request.index}_${index}`, type: 'function' }
    this.#delta({ tool_calls: [{ ...call, function: { name, arguments: '' } }] })
    for (const piece of chunksOf(raw ?? JSON.stringify(input ?? {}))) {
      this.#delta({ tool_calls: [{ index, function: { arguments: piece } }] })
    }
  }

  #delta(delta: Record<string, unknown>, finishReason: string | null = null): void {
    this.#chunk({ choices: [{ index: 0, delta, finish_reason: finishReason }] })
  }

  #chunk(rest: Record<string, unknown>): void {
    const { index, model } = this.#request
    const head = { id: `chatcmpl-${index}`, object: 'chat.completion.chunk', created: 1_767_225_600, model }
    this.#wire.data(JSON.stringify({ ...head, ...rest }))
  }
}
