/** What an agent with the behavior `llm` is set to, and what a team knows of models: plain data, all defaults filled in. */

import type { PatternRules, Permission, PermissionRules } from './core/permissions/rule-types.ts'

/** Of an agent. In `agentry.yaml` and in spawn() these keys stand beside `behavior`, not in a group of their own. */
export interface LlmSpec {
  /** `provider/model`: the provider is a key of the team's providers; what is behind the first slash goes to it as it is. */
  model: string
  /** Tried in order where the model before fails for good, or after its retries. */
  fallbacks: string[]
  /** Names of built-in tools, and absolute paths of modules whose default export is made by defineTool (or a list of them). */
  tools: string[]
  permissions: PermissionRules
  /** By the name that their tools are prefixed with: `name__tool`. */
  mcpServers: { [name: string]: McpServerSpec }
  /** Absolute paths beside the working directory that file tools may reach. */
  allowedPaths: string[]
  /** The longest answer of one model step, in tokens; undefined: the provider's own limit. */
  maxOutputTokens?: number
  temperature?: number
  /** How many tokens the model can read at once: near its end the conversation is compacted. */
  contextTokens: number
  /** How long a question to a person waits until it is denied, ms. */
  approvalMs: number
}

/** What an llm agent may be given by name. */
export const BUILT_IN_TOOLS = [
  'read',
  'write',
  'edit',
  'list',
  'glob',
  'grep',
  'shell',
  'fetch',
  'remember',
  'recall',
  'todo',
  'list_agents',
  'ask_agent',
  'tell_agent',
] as const
export type BuiltInToolName = (typeof BUILT_IN_TOOLS)[number]

/** What it has where `tools` is left out: all but `fetch`, which reaches out of the machine. */
export const DEFAULT_TOOLS: readonly BuiltInToolName[] = BUILT_IN_TOOLS.filter((name) => name !== 'fetch')

export type { PatternRules, Permission, PermissionRules }

export type McpServerSpec =
  | {
      type: 'stdio'
      command: string
      args: string[]
      /** Added to the allow-listed environment. */
      env: { [name: string]: string }
      /** Names of variables that are handed on from the supervisor's environment. */
      envFrom: string[]
      startMs: number
    }
  | {
      type: 'http'
      url: string
      headers: { [name: string]: string }
      /** The variable whose value is sent as a bearer token. */
      tokenEnv?: string
      startMs: number
    }

export const PROVIDER_TYPES = ['openai-compatible', 'openai', 'anthropic', 'google'] as const
export type ProviderType = (typeof PROVIDER_TYPES)[number]

export interface ProviderSpec {
  type: ProviderType
  /** Without the path of the endpoint: `http://127.0.0.1:11434/v1`. Needed for openai-compatible. */
  baseURL?: string
  /** The variable that holds the key; undefined: the provider needs none (a local server). */
  apiKeyEnv?: string
  headers: { [name: string]: string }
  /** Names of variables by the header that they are sent in, for headers that are secret. */
  headersEnv: { [header: string]: string }
}

/** US dollars for a million tokens. */
export interface Price {
  input: number
  output: number
  /** Default: as input. */
  cachedInput?: number
}

/** What a team knows of models. Keys are read from the environment of the process, never kept here. */
export interface TeamModels {
  providers: { [name: string]: ProviderSpec }
  /** By `provider/model`; a model that is not in it has no known price. */
  prices: { [model: string]: Price }
}

export const NO_MODELS: TeamModels = { providers: {}, prices: {} }

/** Known by name without configuration; an entry of the same name in the team's providers stands instead. */
export const BUILT_IN_PROVIDERS: { readonly [name: string]: ProviderSpec } = {
  openai: { type: 'openai', apiKeyEnv: 'OPENAI_API_KEY', headers: {}, headersEnv: {} },
  anthropic: { type: 'anthropic', apiKeyEnv: 'ANTHROPIC_API_KEY', headers: {}, headersEnv: {} },
  google: { type: 'google', apiKeyEnv: 'GOOGLE_GENERATIVE_AI_API_KEY', headers: {}, headersEnv: {} },
  openrouter: {
    type: 'openai-compatible',
    baseURL: 'https://openrouter.ai/api/v1',
    apiKeyEnv: 'OPENROUTER_API_KEY',
    headers: {},
    headersEnv: {},
  },
  // Local servers, which take no key.
  ollama: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:11434/v1', headers: {}, headersEnv: {} },
  lmstudio: { type: 'openai-compatible', baseURL: 'http://127.0.0.1:1234/v1', headers: {}, headersEnv: {} },
}

/** What a team could ask right now, as far as keys go. */
export interface ProviderState {
  name: string
  type: ProviderType
  baseURL?: string
  /** All variables that it needs are set; a local server may still not run. */
  ready: boolean
  /** Names of the variables that it needs and that are not set. */
  missing: string[]
  /** It needs none: a local server, most likely. */
  keyless: boolean
}

/** The team's own providers, then the built-in ones that it does not name itself. */
export function describeProviders(models: TeamModels, environment: NodeJS.ProcessEnv): ProviderState[] {
  return Object.entries({ ...models.providers, ...withoutKeys(BUILT_IN_PROVIDERS, models.providers) }).map(
    ([name, spec]) => {
      const needed = [
        ...(spec.apiKeyEnv === undefined ? [] : [spec.apiKeyEnv]),
        ...Object.values(spec.headersEnv),
      ]
      const missing = needed.filter((variable) => (environment[variable] ?? '').trim() === '')
      return {
        name,
        type: spec.type,
        ...(spec.baseURL !== undefined && { baseURL: spec.baseURL }),
        ready: missing.length === 0,
        missing,
        keyless: needed.length === 0,
      }
    },
  )
}

/** What to do where no model can be asked, in one sentence for a person. */
export function modelHint(): string {
  const variables = Object.values(BUILT_IN_PROVIDERS).flatMap((spec) => spec.apiKeyEnv ?? [])
  return `set one of ${variables.join(', ')}, or use a local server, which needs no key: Ollama at ${BUILT_IN_PROVIDERS['ollama']?.baseURL} (a model such as ollama/qwen3-coder), LM Studio at ${BUILT_IN_PROVIDERS['lmstudio']?.baseURL}`
}

function withoutKeys<T>(all: { readonly [key: string]: T }, keys: object): { [key: string]: T } {
  return Object.fromEntries(Object.entries(all).filter(([key]) => !Object.hasOwn(keys, key)))
}
