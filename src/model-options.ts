/**
 * What a team knows of models: its providers and prices, which model an agent has that names none, and how both are written. Keys are
 * never kept: settings name the variables that hold them.
 */
import { z } from 'zod'
import { quote } from './core/ids.ts'
import { didYouMean } from './core/suggest.ts'
import { AgentryError } from './errors.ts'
import {
  BUILT_IN_PROVIDERS,
  type LlmSpec,
  PROVIDER_TYPES,
  type ProviderSpec,
  type TeamModels,
} from './llm-spec.ts'
import { issueOf, pathText, type Problem, problemsOf, strictObject } from './validation.ts'

/**
 * The model of an llm agent that names none, by the built-in provider that has a key in the environment; the first of them. The
 * provider's own general one, not its largest.
 */
const DEFAULT_MODELS: readonly { provider: string; modelId: string }[] = [
  { provider: 'anthropic', modelId: 'claude-sonnet-5-5' },
  { provider: 'openai', modelId: 'gpt-6.1-sol' },
  { provider: 'google', modelId: 'gemini-3.8-flash' },
  { provider: 'openrouter', modelId: 'anthropic/claude-sonnet-5.5' },
]

/** Variables by name: where keys are looked for. */
export type Environment = Readonly<Record<string, string | undefined>>

/** `provider/model` of the first built-in provider whose key is set; undefined where none is. */
export function defaultModel(environment: Environment): string | undefined {
  const found = DEFAULT_MODELS.find(({ provider }) => {
    const variable = BUILT_IN_PROVIDERS[provider]?.apiKeyEnv
    return variable !== undefined && (environment[variable] ?? '').trim() !== ''
  })
  return found && `${found.provider}/${found.modelId}`
}

// The message does not repeat what came: it may be a key that was put in the place of its name.
export const variableSchema: z.ZodType<string> = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')

/** `provider/model`. */
export const modelSchema: z.ZodType<string> = z
  .string()
  .regex(
    /^[^/\s]+\/\S+$/,
    'expected provider/model, such as ollama/qwen3-coder or anthropic/claude-sonnet-5-5',
  )

const words = z.record(z.string(), z.string())

/** Headers whose values may be read by everybody; those that are keys by their names are refused: `instead` is the setting for them. */
export function openHeaders(
  secret: RegExp,
  instead: string,
): z.ZodDefault<z.ZodType<Record<string, string>>> {
  const schema: z.ZodType<Record<string, string>> = words.superRefine((headers, context) => {
    for (const name of Object.keys(headers)) {
      if (!secret.test(name)) continue
      const message = `a secret does not belong here: name the variable that holds it in ${instead}`
      context.addIssue({ code: 'custom', path: [name], message })
    }
  })
  return schema.default({})
}

const REFUSED_KEYS: ReadonlyMap<string, string> = new Map(
  ['apiKey', 'api_key', 'key', 'token', 'secret'].map((key) => [
    key,
    'keys are not kept here: name the environment variable that holds it in apiKeyEnv',
  ]),
)

const provider: z.ZodType<ProviderSpec> = strictObject(
  {
    type: z.enum(PROVIDER_TYPES),
    baseURL: z
      .string()
      .superRefine(issueOf(assertHttpUrl))
      .exactOptional()
      .describe('Without the path of the endpoint: http://127.0.0.1:11434/v1.'),
    apiKeyEnv: variableSchema.exactOptional().describe('The environment variable that holds the key.'),
    headers: openHeaders(/^(?:proxy-)?authorization$|^cookie$|api-?key|token$/i, 'headersEnv').describe(
      'Sent with every request. Not for secrets.',
    ),
    headersEnv: z
      .record(z.string(), variableSchema)
      .default({})
      .describe('Variables by the header they are sent in.'),
  },
  REFUSED_KEYS,
).superRefine(({ type, baseURL }, context) => {
  if (type !== 'openai-compatible' || baseURL !== undefined) return
  context.addIssue({
    code: 'custom',
    path: ['baseURL'],
    message: 'expected a URL for type openai-compatible',
  })
})

const dollars = z.number().nonnegative()
const price = strictObject({
  input: dollars.describe('US dollars for a million tokens.'),
  output: dollars,
  cachedInput: dollars.exactOptional(),
})

export const providersSchema: z.ZodType<TeamModels['providers']> = z.record(
  z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_-]*$/, 'expected a name without / and spaces'),
  provider,
)

export const pricesSchema: z.ZodType<TeamModels['prices']> = z.record(modelSchema, price)

/** Providers as a caller gives them. */
export type ProvidersInput = {
  [name: string]: Pick<ProviderSpec, 'type'> & { [Key in keyof ProviderSpec]?: ProviderSpec[Key] | undefined }
}

/** Throws `invalid_config` with one line for each problem. */
export function resolveModels(input: { providers?: unknown; prices?: unknown }): TeamModels {
  const parsed = strictObject({
    providers: providersSchema.default({}),
    prices: pricesSchema.default({}),
  }).safeParse(
    {
      ...(input.providers !== undefined && { providers: input.providers }),
      ...(input.prices !== undefined && { prices: input.prices }),
    },
    { reportInput: true },
  )
  const problems = parsed.success ? priceProblems(parsed.data) : problemsOf(parsed.error)
  if (parsed.success && problems.length === 0) return parsed.data
  const lines = problems.map(({ path, message }) => `${pathText(path)}: ${message}`)
  throw new AgentryError('invalid_config', lines.join('\n'), { data: { problems } })
}

/** Models of an agent that cannot be asked by their names: their provider is neither built in nor the team's. */
export function providerProblems(
  { model: first, fallbacks }: Pick<LlmSpec, 'model' | 'fallbacks'>,
  providers: TeamModels['providers'],
): Problem[] {
  return [
    { path: ['model'], name: first },
    ...fallbacks.map((name, index) => ({ path: ['fallbacks', index], name })),
  ].flatMap(({ path, name }) => {
    const message = unknownProvider(name, providers)
    return message === undefined ? [] : [{ path, message }]
  })
}

/** Prices of models that cannot be asked. */
export function priceProblems({ providers, prices }: TeamModels): Problem[] {
  return Object.keys(prices).flatMap((name) => {
    const message = unknownProvider(name, providers)
    return message === undefined ? [] : [{ path: ['prices', name], message }]
  })
}

function unknownProvider(name: string, providers: TeamModels['providers']): string | undefined {
  const known = [...new Set([...Object.keys(providers), ...Object.keys(BUILT_IN_PROVIDERS)])]
  const own = name.slice(0, name.indexOf('/'))
  if (known.includes(own)) return undefined
  return `expected a provider of the team (${known.join(', ')}), received ${quote(own)} in ${quote(name)}${didYouMean(own, known)}`
}

/** A URL of http or https without a login. Throws `invalid_config`; messages do not repeat what may hold a password. */
export function assertHttpUrl(value: string): void {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new AgentryError('invalid_config', 'expected a URL without a name or password in it')
  }
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    const received = value.includes('@') ? 'another text' : quote(value)
    throw new AgentryError('invalid_config', `expected a URL of http or https, received ${received}`)
  }
}
