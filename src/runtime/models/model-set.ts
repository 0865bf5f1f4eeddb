/** The models of a team, as an agent asks them. Light: what it takes to ask one is loaded by the first step. */
import type { Backoff } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { isAgentryError } from '../../errors.ts'
import type { TeamModels } from '../../llm-spec.ts'
import type { AskWith } from './ask-models.ts'
import type { ModelStep, StepRequest } from './model-step.ts'
import type { Silence } from './watchdog.ts'

export interface ModelSetOptions extends Silence {
  /** Of one model, the first one included. */
  tries: number
  backoff: Backoff
  /** A server that asks to be left alone for longer is not waited for, ms. */
  maxRetryAfterMs: number
}

const DEFAULTS: ModelSetOptions = {
  tries: 4,
  backoff: { firstMs: 1_000, maxMs: 20_000, jitter: 0.5 },
  maxRetryAfterMs: 60_000,
  // Models that think send nothing for minutes, and so do local ones that read a long conversation. Node's fetch gives up
  // by itself after five minutes.
  firstPartMs: 240_000,
  nextPartMs: 240_000,
}

export interface ModelSet {
  /**
   * One answer of the model, or of the first fallback that gives one. Rejects with the signal's reason; with
   * `model_unavailable` where none of them can be asked; else with `model_failed`, whose data is ModelFailedData.
   */
  step(request: StepRequest): Promise<ModelStep>
}

/** Of the error `model_failed`. */
export interface ModelFailedData {
  /** The one that was asked for. */
  model: string
  /** Of the last HTTP answer, where one failed by its status. */
  status?: number
  /** Of all models. */
  attempts: number
  /** The conversation does not fit into one of the models: the same step can succeed once it is shorter. */
  contextTooLong?: true
}

/** True for the failure of a step that a shorter conversation may mend. */
export function isContextTooLong(error: unknown): boolean {
  return isAgentryError(error, 'model_failed') && error.data?.['contextTooLong'] === true
}

/** `random` gives a number in [0, 1). Nothing is loaded before the first step. */
export function createModelSet(
  models: TeamModels,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
  random: () => number = Math.random,
  options: Partial<ModelSetOptions> = {},
): ModelSet {
  const settings = { ...DEFAULTS, ...options }
  let team: AskWith | undefined
  return {
    async step(request) {
      const [{ askInTurn }, { Providers }] = await Promise.all([
        import('./ask-models.ts'),
        import('./providers.ts'),
      ])
      request.signal.throwIfAborted()
      team ??= { models, providers: new Providers(models, environment), clock, random, settings }
      return askInTurn(team, request)
    },
  }
}
