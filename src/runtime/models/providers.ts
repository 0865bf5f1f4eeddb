/** From `provider/model` to a model that can be asked. Packages of providers are loaded by the first request that needs them. */
import type { LanguageModel } from 'ai'
import { didYouMean } from '../../core/suggest.ts'
import { AgentryError, assertNever } from '../../errors.ts'
import {
  BUILT_IN_PROVIDERS,
  modelHint,
  type ProviderSpec,
  type ProviderType,
  type TeamModels,
} from '../../llm-spec.ts'
import { streamingFetch } from './streaming-fetch.ts'

/** A model that is ready to be asked. */
export interface ReadyModel {
  model: Exclude<LanguageModel, string>
  type: ProviderType
  /** What must not be in a message: keys and secret headers. */
  secrets: readonly string[]
}

type MakeModel = (modelId: string) => ReadyModel['model']

/** Not fit for a secret: that short, it would take words out of messages. */
const MIN_SECRET = 8

export class Providers {
  readonly #models: TeamModels
  readonly #environment: NodeJS.ProcessEnv
  /** By provider. A provider whose package failed to load is asked for again. */
  readonly #made = new Map<string, Promise<{ make: MakeModel; secrets: string[] }>>()
  readonly #ready = new Map<string, ReadyModel>()

  constructor(models: TeamModels, environment: NodeJS.ProcessEnv) {
    this.#models = models
    this.#environment = environment
  }

  /** Throws `model_unavailable`: no such provider, or no key. */
  async model(name: string): Promise<ReadyModel> {
    const known = this.#ready.get(name)
    if (known !== undefined) return known
    const slash = name.indexOf('/')
    const provider = name.slice(0, slash)
    const modelId = name.slice(slash + 1)
    if (slash < 1 || modelId === '') {
      throw unavailable(name, `expected a model as provider/model, received ${JSON.stringify(name)}`)
    }
    const spec = this.#spec(provider)
    if (spec === undefined) throw unavailable(name, unknownProvider(provider, this.#models))
    let made = this.#made.get(provider)
    if (made === undefined) {
      made = this.#make(name, provider, spec)
      this.#made.set(provider, made)
      made.catch(() => this.#made.delete(provider))
    }
    const { make, secrets } = await made
    const ready: ReadyModel = { model: make(modelId), type: spec.type, secrets }
    this.#ready.set(name, ready)
    return ready
  }

  #spec(provider: string): ProviderSpec | undefined {
    if (Object.hasOwn(this.#models.providers, provider)) return this.#models.providers[provider]
    return Object.hasOwn(BUILT_IN_PROVIDERS, provider) ? BUILT_IN_PROVIDERS[provider] : undefined
  }

  async #make(
    name: string,
    provider: string,
    spec: ProviderSpec,
  ): Promise<{ make: MakeModel; secrets: string[] }> {
    const headers = { ...spec.headers }
    const secrets: string[] = []
    for (const [header, variable] of Object.entries(spec.headersEnv)) {
      headers[header] = this.#secret(name, provider, variable)
      secrets.push(headers[header])
    }
    const apiKey = spec.apiKeyEnv === undefined ? undefined : this.#secret(name, provider, spec.apiKeyEnv)
    if (apiKey !== undefined) secrets.push(apiKey)
    const make = await loadProvider(provider, spec, { apiKey, headers, environment: this.#environment })
    return { make, secrets: secrets.filter((secret) => secret.length >= MIN_SECRET) }
  }

  #secret(name: string, provider: string, variable: string): string {
    const value = this.#environment[variable]?.trim()
    if (value !== undefined && value !== '') return value
    throw unavailable(
      name,
      `expected a key for ${provider} in the variable ${variable}, which is not set; ${modelHint()}`,
      { variable },
    )
  }
}

function unavailable(model: string, message: string, data: Record<string, unknown> = {}): AgentryError {
  return new AgentryError('model_unavailable', `${model}: ${message}`, { data: { model, ...data } })
}

function unknownProvider(provider: string, models: TeamModels): string {
  const names = [...new Set([...Object.keys(models.providers), ...Object.keys(BUILT_IN_PROVIDERS)])]
  return `no provider named ${JSON.stringify(provider)}, known are ${names.join(', ')}${didYouMean(provider, names)}`
}

interface Access {
  apiKey: string | undefined
  headers: Record<string, string>
  environment: NodeJS.ProcessEnv
}

/** Some packages insist on a key, also for a server that takes none. */
const NO_KEY = 'none'

const OPENAI_URL = 'https://api.openai.com/v1'

async function loadProvider(name: string, spec: ProviderSpec, access: Access): Promise<MakeModel> {
  if (spec.baseURL !== undefined && !URL.canParse(spec.baseURL)) throw noUrl(name, spec.baseURL)
  const { headers, environment } = access
  const apiKey = access.apiKey ?? NO_KEY
  switch (spec.type) {
    case 'openai-compatible': {
      const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible')
      const baseURL = spec.baseURL
      if (baseURL === undefined) throw noUrl(name, 'nothing')
      return createOpenAICompatible({
        name,
        baseURL,
        headers,
        includeUsage: true,
        fetch: streamingFetch,
        ...(access.apiKey !== undefined && { apiKey: access.apiKey }),
      })
    }
    case 'openai': {
      const { createOpenAI } = await import('@ai-sdk/openai')
      const baseURL = spec.baseURL ?? set(environment['OPENAI_BASE_URL']) ?? OPENAI_URL
      const provider = createOpenAI({ baseURL, headers, apiKey, fetch: streamingFetch })
      // Servers that stand in for OpenAI's know its older interface; few know the newer one.
      return baseURL.startsWith('https://api.openai.com/') ? provider : (modelId) => provider.chat(modelId)
    }
    case 'anthropic': {
      const { createAnthropic } = await import('@ai-sdk/anthropic')
      const baseURL = spec.baseURL ?? set(environment['ANTHROPIC_BASE_URL'])
      return createAnthropic({
        baseURL: versioned(baseURL ?? 'https://api.anthropic.com'),
        headers,
        apiKey,
        fetch: streamingFetch,
      })
    }
    case 'google': {
      const { createGoogle } = await import('@ai-sdk/google')
      return createGoogle({
        headers,
        apiKey,
        fetch: streamingFetch,
        ...(spec.baseURL !== undefined && { baseURL: spec.baseURL }),
      })
    }
    default:
      return assertNever(spec.type)
  }
}

function noUrl(name: string, received: string): AgentryError {
  return new AgentryError('invalid_config', `providers.${name}.baseURL: expected a URL, received ${received}`)
}

/** A variable that holds no URL counts as not set. */
function set(value: string | undefined): string | undefined {
  return value === undefined || !URL.canParse(value) ? undefined : value
}

/** Anthropic's own tools take the address without the version, the package with it. */
function versioned(baseURL: string): string {
  const { pathname } = new URL(baseURL)
  return pathname === '/' ? `${baseURL.replace(/\/$/, '')}/v1` : baseURL
}
