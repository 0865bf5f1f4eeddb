/** Anthropic's messages: POST /v1/messages with `stream: true`. */
import { chunksOf, type Part, type TokenCounts } from './reply.ts'
import { fields, list, type ModelRequest, refuse, type RequestMessage, text } from './request.ts'
import type { Wire } from './wire.ts'

const ID = /^[a-zA-Z0-9_-]+$/

export function readMessagesRequest(
  body: Record<string, unknown>,
): Pick<ModelRequest, 'model' | 'system' | 'messages' | 'tools'> {
  if (body['stream'] !== true) refuse('this server streams only: set stream to true')
  if (typeof body['max_tokens'] !== 'number') refuse('max_tokens: Field required')
  const messages: RequestMessage[] = []
  let open: string[] = []
  for (const [index, value] of list(body['messages'], 'messages').entries()) {
    const at = `messages.${index}`
    const message = fields(value, at)
    const read = message['role'] === 'user' ? readUser(message['content'], at) : undefined
    const results = (read ?? []).flatMap((entry) => entry.toolCallId ?? [])
    const missing = open.filter((id) => !results.includes(id))
    if (missing.length > 0)
      refuse(`${at}: tool_use ids were found without tool_result blocks immediately after`)
    if (results.some((id) => !open.includes(id)))
      refuse(`${at}: unexpected tool_use_id in tool_result blocks`)
    open = []
    if (read !== undefined) messages.push(...read)
    else if (message['role'] === 'assistant') {
      const assistant = readAssistant(message['content'], at)
      open = assistant.toolCalls?.map((call) => call.id) ?? []
      messages.push(assistant)
    } else refuse(`${at}.role: Input should be 'user' or 'assistant'`)
  }
  if (messages[0]?.role !== 'user') refuse('messages: first message must use the "user" role')
  if (open.length > 0) refuse('tool_use ids were found without tool_result blocks immediately after')
  if (messages.at(-1)?.role === 'assistant') refuse('This model does not support assistant message prefill.')
  const tools = (body['tools'] === undefined ? [] : list(body['tools'], 'tools')).map((value) => {
    const tool = fields(value, 'tools')
    return {
      name: text(tool['name'], 'tools.name'),
      description: typeof tool['description'] === 'string' ? tool['description'] : '',
      inputSchema: tool['input_schema'],
    }
  })
  return { model: text(body['model'], 'model'), system: readSystem(body['system']), messages, tools }
}

function readSystem(system: unknown): string {
  if (system === undefined) return ''
  if (typeof system === 'string') return system
  return list(system, 'system')
    .map((block) => blockText(fields(block, 'system'), 'system'))
    .join('\n')
}

function blockText(block: Record<string, unknown>, at: string): string {
  const content = text(block['text'], `${at}.text`)
  if (content.trim() === '') refuse(`${at}: text content blocks must contain non-whitespace text`)
  return content
}

function blocksOf(content: unknown, at: string): Record<string, unknown>[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  const blocks = list(content, `${at}.content`).map((block) => fields(block, `${at}.content`))
  if (blocks.length === 0) refuse(`${at}: content must not be empty`)
  return blocks
}

function readUser(content: unknown, at: string): RequestMessage[] {
  const messages: RequestMessage[] = []
  const said: string[] = []
  for (const block of blocksOf(content, at)) {
    if (block['type'] === 'tool_result') {
      if (said.length > 0) refuse(`${at}: tool_result blocks must come first`)
      const inner = block['content']
      messages.push({
        role: 'tool',
        content:
          typeof inner === 'string'
            ? inner
            : blocksOf(inner, at)
                .map((part) => blockText(part, at))
                .join(''),
        toolCallId: text(block['tool_use_id'], `${at}.tool_use_id`),
        isError: block['is_error'] === true,
      })
    } else said.push(blockText(block, at))
  }
  if (said.length > 0) messages.push({ role: 'user', content: said.join('\n') })
  return messages
}

function readAssistant(content: unknown, at: string): RequestMessage {
  const said: string[] = []
  const toolCalls: NonNullable<RequestMessage['toolCalls']> = []
  for (const block of blocksOf(content, at)) {
    if (block['type'] !== 'tool_use') {
      said.push(blockText(block, at))
      continue
    }
    const id = text(block['id'], `${at}.id`)
    const name = text(block['name'], `${at}.name`)
    if (!ID.test(id)) refuse(`${at}.content.id: String should match pattern '^[a-zA-Z0-9_-]+$'`)
    if (!ID.test(name)) refuse(`${at}.content.name: String should match pattern '^[a-zA-Z0-9_-]+$'`)
    if (toolCalls.some((call) => call.id === id)) refuse(`${at}: \`tool_use\` ids must be unique`)
    toolCalls.push({ id, name, input: fields(block['input'], `${at}.content.input`) })
  }
  return { role: 'assistant', content: said.join(''), ...(toolCalls.length > 0 && { toolCalls }) }
}

const STOP = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'content-filter': 'refusal',
} as const

/** Writes the events of one answer. */
export class MessagesWriter {
  readonly #wire: Wire
  readonly #request: ModelRequest
  #usage: TokenCounts
  #blocks = 0
  #begun = false

  /** `usage` goes into the first event already, as at the real one. */
  constructor(wire: Wire, request: ModelRequest, usage: TokenCounts) {
    this.#wire = wire
    this.#request = request
    this.#usage = usage
  }

  begin(): void {
    if (this.#begun) return
    this.#begun = true
    const { index, model } = this.#request
    const { input, cached = 0 } = this.#usage
    const usage = { input_tokens: input - cached, cache_read_input_tokens: cached, output_tokens: 1 }
    const head = { id: `msg_${index}`, type: 'message', role: 'assistant', model, content: [] }
    this.#event('message_start', { message: { ...head, stop_reason: null, stop_sequence: null, usage } })
    this.#event('ping', {})
  }

  part(part: Extract<Part, { text: unknown } | { reasoning: unknown } | { toolCall: unknown }>): void {
    this.begin()
    const index = this.#blocks++
    const delta = (value: Record<string, unknown>): void =>
      this.#event('content_block_delta', { index, delta: value })
    const start = (block: Record<string, unknown>): void =>
      this.#event('content_block_start', { index, content_block: block })
    if ('text' in part) {
      start({ type: 'text', text: '' })
      for (const piece of chunksOf(part.text)) delta({ type: 'text_delta', text: piece })
    } else if ('reasoning' in part) {
      start({ type: 'thinking', thinking: '', signature: '' })
      for (const piece of chunksOf(part.reasoning)) delta({ type: 'thinking_delta', thinking: piece })
      delta({ type: 'signature_delta', signature: 'c2lnbmVk' })
    } else {
      const { name, input, arguments: raw, id } = part.toolCall
      start({ type: 'tool_use', id: id ?? `toolu_${this.#request.index}_${index}`, name, input: {} })
      for (const piece of chunksOf(raw ?? JSON.stringify(input ?? {}))) {
        delta({ type: 'input_json_delta', partial_json: piece })
      }
    }
    this.#event('content_block_stop', { index })
  }

  finish(reason: keyof typeof STOP, usage: TokenCounts): void {
    this.begin()
    const { output, reasoning } = usage
    this.#event('message_delta', {
      delta: { stop_reason: STOP[reason], stop_sequence: null },
      usage: {
        output_tokens: output,
        ...(reasoning !== undefined && { output_tokens_details: { thinking_tokens: reasoning } }),
      },
    })
    this.#event('message_stop', {})
  }

  error(): void {
    this.#event('error', { error: { type: 'overloaded_error', message: 'Overloaded' } })
  }

  #event(type: string, rest: Record<string, unknown>): void {
    this.#wire.data(JSON.stringify({ type, ...rest }), type)
  }
}
