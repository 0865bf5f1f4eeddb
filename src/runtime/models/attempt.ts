/**
 * One request to one model: a complete answer, or a rejection with what went wrong.
 *
 * T1  an answer is complete only with a finish that the provider named, and without any error in its stream: a damaged
 *     chunk does not keep the library from reporting a good finish.
 * T2  however it ends, its request is closed and nothing is handed on afterwards.
 * T3  the step's signal rejects it at once, whatever the stream is doing.
 */
import { isStepCount, jsonSchema, type ModelMessage, streamText, tool, type ToolSet } from 'ai'
import type { Clock } from '../../core/clock.ts'
import { assertJson, type Json } from '../../core/json.ts'
import type { ToolCall } from '../../core/session-state.ts'
import { describeThrown } from '../../errors.ts'
import type { Price } from '../../llm-spec.ts'
import { usageOf } from './cost.ts'
import { IncompleteAnswer } from './failure.ts'
import type { ModelStep, OfferedTool, StepFinish, StepRequest } from './model-step.ts'
import type { ReadyModel } from './providers.ts'
import { freshId } from './to-messages.ts'
import { type Silence, Watchdog } from './watchdog.ts'

export interface Attempt {
  name: string
  ready: ReadyModel
  request: StepRequest
  /** The request's conversation. */
  messages: ModelMessage[]
  price: Price | undefined
  clock: Clock
  silence: Silence
}

// What a model does not support is said of every request anew, on the console.
globalThis.AI_SDK_LOG_WARNINGS ??= false

/** Rejects with the signal's reason, or with whatever failureOf() explains. */
export function attemptStep(attempt: Attempt): Promise<ModelStep> {
  const { clock, request, silence } = attempt
  const { signal } = request
  const closing = new AbortController()
  return new Promise<ModelStep>((resolve, reject) => {
    let over = false
    const end = (): boolean => {
      if (over) return false
      over = true
      watchdog.stop()
      signal.removeEventListener('abort', onAbort)
      return true
    }
    const fail = (error: unknown): void => {
      if (!end()) return
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- the reason of a signal is its owner's
      reject(error)
      closing.abort()
    }
    const onAbort = (): void => fail(signal.reason)
    const watchdog = new Watchdog(clock, silence, (waitedMs) =>
      fail(new IncompleteAnswer(`expected a part of the answer within ${waitedMs} ms, received nothing`)),
    )
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    readAnswer(attempt, closing.signal, {
      heard: () => watchdog.heard(),
      text: (text) => over || tell(() => request.onText(text)),
      reasoning: (text) => over || tell(() => request.onReasoning(text)),
    }).then((step) => end() && resolve(step), fail)
  })
}

/** What a listener of the step threw: a fault of the caller, whatever the model does. */
export class ListenerFault extends Error {
  override readonly name = 'ListenerFault'
}

function tell(call: () => void): void {
  try {
    call()
  } catch (error) {
    throw new ListenerFault('a listener of the step threw', { cause: error })
  }
}

interface Listener {
  heard(): void
  text(text: string): void
  reasoning(text: string): void
}

async function readAnswer(
  attempt: Attempt,
  abortSignal: AbortSignal,
  listener: Listener,
): Promise<ModelStep> {
  const { name, ready, request } = attempt
  const result = streamText({
    model: ready.model,
    messages: marked(attempt.messages, ready),
    tools: toolSetOf(request.tools),
    stopWhen: isStepCount(1),
    maxRetries: 0,
    abortSignal,
    // Errors come as parts of the stream too.
    onError() {},
    ...(request.instructions.trim() !== '' && { instructions: instructionsOf(request.instructions, ready) }),
    ...(request.maxOutputTokens !== undefined && { maxOutputTokens: request.maxOutputTokens }),
    ...(request.temperature !== undefined && { temperature: request.temperature }),
  })
  let content = ''
  let reasoning = ''
  const calls: ToolCall[] = []
  let usedIds: Set<string> | undefined
  let step: ModelStep | undefined
  for await (const part of result.stream) {
    // These come before anything was received.
    if (part.type !== 'start' && part.type !== 'start-step') listener.heard()
    switch (part.type) {
      case 'text-delta':
        if (part.text === '') break
        content += part.text
        listener.text(part.text)
        break
      case 'reasoning-delta':
        if (part.text === '') break
        reasoning += part.text
        listener.reasoning(part.text)
        break
      case 'tool-call':
        usedIds ??= idsOf(request)
        calls.push(requestedCall(part, usedIds))
        break
      case 'finish-step':
        if (part.finishReason === 'length') markCutOff(calls.at(-1))
        step = {
          model: name,
          content: content.toWellFormed(),
          ...(reasoning !== '' && { reasoning: reasoning.toWellFormed() }),
          toolCalls: calls,
          ...usageField(usageOf(part.usage, attempt.price)),
          finishReason: finishOf(part.finishReason, part.rawFinishReason, calls.length),
        }
        break
      case 'error':
        throw part.error
      case 'abort':
        throw new IncompleteAnswer('expected a complete answer, the request was closed')
      default:
        break
    }
  }
  if (step === undefined) throw new IncompleteAnswer('expected a complete answer, the stream ended before it')
  return step
}

function usageField(usage: ModelStep['usage']): Pick<ModelStep, 'usage'> {
  return usage === undefined ? {} : { usage }
}

/** A provider whose connection ended without its last event may say `interrupted`, or `other` with nothing behind it. */
function finishOf(reason: string, raw: string | undefined, calls: number): StepFinish {
  switch (reason) {
    case 'stop':
    case 'tool-calls':
      return calls > 0 ? 'tool-calls' : 'stop'
    case 'length':
    case 'content-filter':
      return reason
    case 'other':
      if (raw !== undefined) return calls > 0 ? 'tool-calls' : 'other'
      break
    default:
      break
  }
  throw new IncompleteAnswer(`expected a finished answer, it ended with ${JSON.stringify(raw ?? reason)}`)
}

interface CallPart {
  toolCallId: string
  toolName: string
  input: unknown
  invalid?: boolean | undefined
  error?: unknown
}

function requestedCall(part: CallPart, usedIds: Set<string>): ToolCall {
  const call = { toolCallId: freshId(part.toolCallId, usedIds), name: part.toolName.toWellFormed() }
  const unfit = unfitInput(part.input)
  if (unfit !== undefined) return { ...call, input: textOf(part.input), problem: unfit }
  // unfitInput() has just looked at it.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const input = part.input as Json
  if (part.invalid !== true) return { ...call, input }
  return { ...call, input, problem: describeThrown(part.error).toWellFormed() }
}

/** No arguments at all are taken for empty ones: at the end of an answer that was too long, they are not there yet. */
function markCutOff(last: ToolCall | undefined): void {
  if (last === undefined || last.problem !== undefined || JSON.stringify(last.input) !== '{}') return
  last.problem = 'the answer reached its length limit before the arguments of this call were complete'
}

/** What no record could keep as it is: too deep, or text that is not well-formed. */
function unfitInput(input: unknown): string | undefined {
  try {
    assertJson(input, 'arguments')
    return undefined
  } catch (error) {
    return describeThrown(error)
  }
}

function textOf(input: unknown): string {
  return (typeof input === 'string' ? input : JSON.stringify(input)).toWellFormed()
}

function idsOf(request: StepRequest): Set<string> {
  const ids = new Set<string>()
  for (const entry of request.conversation) {
    if (entry.role !== 'assistant') continue
    for (const call of entry.toolCalls ?? []) ids.add(call.toolCallId)
  }
  return ids
}

/** The tools of an agent are the same array for all its steps. */
const toolSets = new WeakMap<readonly OfferedTool[], ToolSet>()

function toolSetOf(tools: readonly OfferedTool[]): ToolSet {
  let set = toolSets.get(tools)
  if (set === undefined) {
    set = Object.fromEntries(
      tools.map(({ name, description, inputSchema }) => [
        name,
        tool({ description, inputSchema: jsonSchema(inputSchema) }),
      ]),
    )
    toolSets.set(tools, set)
  }
  return set
}

/** Anthropic caches what stands before a mark: instructions with tools, and the conversation up to its last message. */
const CACHE_MARK = { anthropic: { cacheControl: { type: 'ephemeral' } } }

function instructionsOf(
  text: string,
  { type }: ReadyModel,
): string | { role: 'system'; content: string; providerOptions: typeof CACHE_MARK } {
  const content = text.toWellFormed()
  return type === 'anthropic' ? { role: 'system', content, providerOptions: CACHE_MARK } : content
}

function marked(messages: ModelMessage[], { type }: ReadyModel): ModelMessage[] {
  const last = messages.at(-1)
  if (type !== 'anthropic' || last === undefined) return messages
  return [...messages.slice(0, -1), { ...last, providerOptions: CACHE_MARK }]
}
