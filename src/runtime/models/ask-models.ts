/**
 * The models of a request in turn: bounded retries, then the next model, then an error with a name.
 *
 * R1  a request that may succeed later is tried `tries` times at most for each model, and never before the time that the
 *     server asked for; one that cannot succeed is not repeated.
 * R2  a step resolves with a complete answer of one attempt, or rejects: nothing of a failed attempt is in it.
 * R3  onRetry is told of every attempt that failed before the next begins, and not of the last one.
 * R4  keys are in no message.
 */
import type { ModelMessage } from 'ai'
import { backoffMs } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { pause } from '../../core/deadline.ts'
import { AgentryError, isAgentryError } from '../../errors.ts'
import type { TeamModels } from '../../llm-spec.ts'
import { attemptStep, ListenerFault } from './attempt.ts'
import { type Failure, failureOf } from './failure.ts'
import type { ModelFailedData, ModelSetOptions } from './model-set.ts'
import type { ModelStep, StepRequest } from './model-step.ts'
import type { Providers, ReadyModel } from './providers.ts'
import { toMessages } from './to-messages.ts'

/** What a team asks its models with. */
export interface AskWith {
  models: TeamModels
  providers: Providers
  clock: Clock
  random: () => number
  settings: ModelSetOptions
}

/** How one model failed for good. */
interface Given {
  model: string
  attempts: number
  reason: string
  status?: number
  contextTooLong: boolean
  /** Where it could not be asked at all. */
  unavailable?: AgentryError
}

/** See ModelSet.step. */
export async function askInTurn(team: AskWith, request: StepRequest): Promise<ModelStep> {
  const names = [request.model, ...request.fallbacks]
  const messages = toMessages(request.conversation)
  const given: Given[] = []
  for (const [index, name] of names.entries()) {
    request.signal.throwIfAborted()
    const answer = await askModel(team, name, request, messages)
    if ('content' in answer) return answer
    given.push(answer)
    const fallback = names[index + 1]
    if (fallback === undefined) continue
    const { attempts, reason } = answer
    request.onRetry({ model: name, attempt: attempts, delayMs: 0, reason, fallback })
  }
  throw failed(request.model, given)
}

async function askModel(
  team: AskWith,
  name: string,
  request: StepRequest,
  messages: ModelMessage[],
): Promise<ModelStep | Given> {
  const { clock, models, providers, random, settings } = team
  let ready: ReadyModel
  try {
    ready = await providers.model(name)
  } catch (error) {
    if (!isAgentryError(error, 'model_unavailable')) throw error
    return { model: name, attempts: 0, reason: error.message, contextTooLong: false, unavailable: error }
  }
  const price = Object.hasOwn(models.prices, name) ? models.prices[name] : undefined
  for (let attempt = 1; ; attempt++) {
    let failure: Failure
    try {
      return await attemptStep({ name, ready, request, messages, price, clock, silence: settings })
    } catch (error) {
      request.signal.throwIfAborted()
      if (error instanceof ListenerFault) throw error.cause
      failure = failureOf(error, clock.now())
    }
    const reason = withoutSecrets(failure.reason, ready.secrets)
    const wait = waitMs(failure, attempt, settings, random)
    if (typeof wait === 'string') {
      return {
        model: name,
        attempts: attempt,
        reason: `${reason}${wait}`,
        contextTooLong: failure.contextTooLong,
        ...(failure.status !== undefined && { status: failure.status }),
      }
    }
    request.onRetry({ model: name, attempt, delayMs: wait, reason })
    await pause(clock, wait, request.signal)
    request.signal.throwIfAborted()
  }
}

/** The time until the next attempt; or, where there is none, what is to be added to the reason. */
function waitMs(
  failure: Failure,
  attempt: number,
  settings: ModelSetOptions,
  random: () => number,
): number | string {
  if (!failure.retryable || attempt >= settings.tries) return ''
  const askedMs = failure.retryAfterMs ?? 0
  if (askedMs > settings.maxRetryAfterMs) {
    return ` (asks for ${Math.ceil(askedMs / 1000)} s without requests; at most ${settings.maxRetryAfterMs / 1000} s are waited)`
  }
  return Math.max(askedMs, backoffMs(settings.backoff, attempt, random))
}

function failed(model: string, given: readonly Given[]): AgentryError {
  const asked = given.filter(({ unavailable }) => unavailable === undefined)
  const first = given[0]?.unavailable
  if (asked.length === 0 && first !== undefined) return first
  const data: ModelFailedData = {
    model,
    attempts: given.reduce((sum, { attempts }) => sum + attempts, 0),
  }
  const status = asked.at(-1)?.status
  if (status !== undefined) data.status = status
  if (asked.some(({ contextTooLong }) => contextTooLong)) data.contextTooLong = true
  const told = given.map(({ model, attempts, reason, unavailable }) =>
    unavailable === undefined
      ? `${model} (${attempts === 1 ? '1 try' : `${attempts} tries`}): ${reason}`
      : reason,
  )
  return new AgentryError('model_failed', `no complete answer from ${told.join('; ')}`, { data: { ...data } })
}

function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((clean, secret) => clean.replaceAll(secret, '***'), text)
}
