/**
 * What llm agents can be set to, and what a team knows of models: the schemas and every default. The keys of an llm agent stand beside
 * its `behavior`, in the file and in spawn().
 */
import { statSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { z } from 'zod'
import { quote } from './core/ids.ts'
import { PERMISSIONS, type PermissionRules } from './core/permissions/rule-types.ts'
import { assertPermissionRules, assertRulesNameTools } from './core/permissions/rules.ts'
import { didYouMean } from './core/suggest.ts'
import type { AgentLimits } from './agent-spec.ts'
import { AgentryError, describeThrown } from './errors.ts'
import {
  BUILT_IN_PROVIDERS,
  BUILT_IN_TOOLS,
  DEFAULT_TOOLS,
  type LlmSpec,
  type McpServerSpec,
  modelHint,
  PROVIDER_TYPES,
  type ProviderSpec,
  type TeamModels,
} from './llm-spec.ts'
import { issueOf, pathSchema, pathText, type Problem, problemsOf, strictObject } from './validation.ts'

export const LLM_DEFAULTS: Pick<LlmSpec, 'contextTokens' | 'approvalMs'> & {
  maxSteps: number
  maxTokens: number
  mcpStartMs: number
} = {
  contextTokens: 128_000,
  approvalMs: 3_600_000,
  maxSteps: 50,
  maxTokens: 500_000,
  mcpStartMs: 10_000,
}

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

/** A person answers within days, if at all; and a timer takes no more. */
const MAX_MS = 2 ** 31 - 1

const count = z.int().positive()
const milliseconds = z.int().positive().max(MAX_MS)
const words = z.record(z.string(), z.string())
// The message does not repeat what came: it may be a key that was put in the place of its name.
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')

const model = z
  .string()
  .regex(
    /^[^/\s]+\/\S+$/,
    'expected provider/model, such as ollama/qwen3-coder or anthropic/claude-sonnet-5-5',
  )

const patterns = z.array(z.string())
const permission = z.enum(PERMISSIONS)
const permissions: z.ZodType<PermissionRules> = z.record(
  z.string(),
  z.union([
    permission,
    strictObject({
      allow: patterns.exactOptional(),
      ask: patterns.exactOptional(),
      deny: patterns.exactOptional(),
      default: permission.exactOptional(),
    }),
  ]),
)

const mcpName = z
  .string()
  .regex(
    /^(?!.*__|.*_$)[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/,
    'expected the name of an MCP server: 1 to 32 of A-Z, a-z, 0-9, _ and -, without __ and no _ at the end',
  )

const MCP_TYPES = { error: 'expected type stdio (with command) or http (with url)' }

const mcpServer = (baseDir: string): z.ZodType<McpServerSpec> =>
  z.discriminatedUnion(
    'type',
    [
      strictObject({
        type: z.literal('stdio'),
        command: z
          .string()
          .min(1)
          .transform((command) => (/^\.\.?\//.test(command) ? resolve(baseDir, command) : command))
          .describe('The program that is started; it speaks MCP on its standard streams.'),
        args: z.array(z.string()).default([]),
        env: words.default({}).describe('Added to its environment.'),
        envFrom: z.array(variable).default([]).describe('Variables that are handed on to it.'),
        startMs: milliseconds
          .default(LLM_DEFAULTS.mcpStartMs)
          .describe('The longest start, in milliseconds.'),
      }),
      strictObject({
        type: z.literal('http'),
        url: z.string().superRefine(issueOf(assertHttpUrl)).describe('Of its streamable HTTP endpoint.'),
        headers: openHeaders(/^(?:proxy-)?authorization$/i, 'tokenEnv').describe(
          'Sent with every request. Not for secrets.',
        ),
        tokenEnv: variable.exactOptional().describe('The variable whose value is sent as a bearer token.'),
        startMs: milliseconds
          .default(LLM_DEFAULTS.mcpStartMs)
          .describe('The longest start, in milliseconds.'),
      }),
    ],
    MCP_TYPES,
  )

/** Headers whose values may be read by everybody; those that are keys by their names are refused: `instead` is the setting for them. */
function openHeaders(secret: RegExp, instead: string): z.ZodDefault<z.ZodType<Record<string, string>>> {
  const schema: z.ZodType<Record<string, string>> = words.superRefine((headers, context) => {
    for (const name of Object.keys(headers)) {
      if (!secret.test(name)) continue
      const message = `a secret does not belong here: name the variable that holds it in ${instead}`
      context.addIssue({ code: 'custom', path: [name], message })
    }
  })
  return schema.default({})
}

/** The keys of an llm agent, all of them optional: `resolveLlm` fills in what is left out. */
export function llmShape(baseDir: string): LlmShape {
  return {
    model: model
      .optional()
      .describe('provider/model. Only for behavior llm. Default: by the key in the environment.'),
    fallbacks: z.array(model).optional().describe('Models that are asked where the one before fails.'),
    tools: z
      .array(z.string().transform(issueOf((name: string) => resolveTool(name, baseDir))))
      .superRefine((names, context) => {
        for (const [index, name] of names.entries()) {
          if (names.indexOf(name) === index) continue
          context.addIssue({ code: 'custom', path: [index], message: `${quote(name)} is named twice` })
        }
      })
      .optional()
      .describe('Names of built-in tools, and paths of modules. Default: all but fetch.'),
    permissions: permissions
      .superRefine(issueOf((rules: PermissionRules) => assertPermissionRules(rules, BUILT_IN_TOOLS)))
      .optional()
      .describe('By tool: allow, ask or deny, or patterns. Default: reading is allowed, the rest asks.'),
    mcpServers: z
      .record(mcpName, mcpServer(baseDir))
      .optional()
      .describe('MCP servers, by the prefix of their tools.'),
    allowedPaths: z
      .array(pathSchema(baseDir))
      .optional()
      .describe('Paths beside the working directory that file tools may reach.'),
    maxOutputTokens: count.optional().describe('The longest answer of one step, in tokens.'),
    temperature: z.number().min(0).max(2).optional(),
    contextTokens: count.optional().describe('How many tokens the model can read at once. Default: 128000.'),
    approvalMs: milliseconds
      .optional()
      .describe('How long a question to a person waits until it is denied, in milliseconds.'),
  }
}

export interface LlmShape extends z.core.$ZodLooseShape {
  model: z.ZodOptional<z.ZodType<string>>
  fallbacks: z.ZodOptional<z.ZodType<string[]>>
  tools: z.ZodOptional<z.ZodType<string[]>>
  permissions: z.ZodOptional<z.ZodType<PermissionRules>>
  mcpServers: z.ZodOptional<z.ZodType<LlmSpec['mcpServers']>>
  allowedPaths: z.ZodOptional<z.ZodType<string[]>>
  maxOutputTokens: z.ZodOptional<z.ZodType<number>>
  temperature: z.ZodOptional<z.ZodType<number>>
  contextTokens: z.ZodOptional<z.ZodType<number>>
  approvalMs: z.ZodOptional<z.ZodType<number>>
}

const LLM_KEYS: readonly (keyof LlmSpec)[] = [
  'model',
  'fallbacks',
  'tools',
  'permissions',
  'mcpServers',
  'allowedPaths',
  'maxOutputTokens',
  'temperature',
  'contextTokens',
  'approvalMs',
]

export type LlmInput = { [Key in keyof LlmSpec]?: LlmSpec[Key] | undefined }

/** Limits of model steps: an agent of another behavior has none. */
const LLM_LIMITS: readonly (keyof AgentLimits)[] = [
  'maxSteps',
  'maxTokens',
  'maxCostUsd',
  'sessionTokens',
  'sessionCostUsd',
]

/** What is wrong between the keys of an agent: settings of models without a model to set, or no model at all. */
export function llmProblems(
  spec: LlmInput & { behavior: string; limits: AgentLimits },
  environment: Environment,
): Problem[] {
  if (spec.behavior === 'llm') {
    const { model: named = defaultModel(environment) } = spec
    return [...(named === undefined ? [{ path: ['model'], message: noModel() }] : []), ...ruleProblems(spec)]
  }
  const message = 'only for behavior llm'
  return [
    ...LLM_KEYS.filter((key) => spec[key] !== undefined).map((key) => ({ path: [key], message })),
    ...LLM_LIMITS.filter((key) => spec.limits[key] !== undefined).map((key) => ({
      path: ['limits', key],
      message,
    })),
  ]
}

/** What tools a module holds is known where it is loaded: names are checked there. */
function ruleProblems({ permissions = {}, mcpServers = {}, tools = [] }: LlmInput): Problem[] {
  if (tools.some((tool) => isAbsolute(tool))) return []
  try {
    assertRulesNameTools(permissions, { tools: BUILT_IN_TOOLS, servers: Object.keys(mcpServers) })
    return []
  } catch (error) {
    return [{ path: ['permissions'], message: describeThrown(error) }]
  }
}

function noModel(): string {
  return `expected provider/model, received nothing, and no key in the environment gives one: ${modelHint()}`
}

/** What is left out filled in. Throws `invalid_config` where there is no model. */
export function resolveLlm(input: LlmInput, environment: Environment): LlmSpec {
  const { maxOutputTokens, temperature } = input
  const named = input.model ?? defaultModel(environment)
  if (named === undefined) throw new AgentryError('invalid_config', `model: ${noModel()}`)
  return {
    model: named,
    fallbacks: input.fallbacks ?? [],
    tools: input.tools ?? [...DEFAULT_TOOLS],
    permissions: input.permissions ?? {},
    mcpServers: input.mcpServers ?? {},
    allowedPaths: input.allowedPaths ?? [],
    ...(maxOutputTokens !== undefined && { maxOutputTokens }),
    ...(temperature !== undefined && { temperature }),
    contextTokens: input.contextTokens ?? LLM_DEFAULTS.contextTokens,
    approvalMs: input.approvalMs ?? LLM_DEFAULTS.approvalMs,
  }
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
    apiKeyEnv: variable.exactOptional().describe('The environment variable that holds the key.'),
    headers: openHeaders(/^(?:proxy-)?authorization$|^cookie$|api-?key|token$/i, 'headersEnv').describe(
      'Sent with every request. Not for secrets.',
    ),
    headersEnv: z
      .record(z.string(), variable)
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

export const pricesSchema: z.ZodType<TeamModels['prices']> = z.record(model, price)

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

function resolveTool(name: string, baseDir: string): string {
  if (BUILT_IN_TOOLS.some((known) => known === name)) return name
  const isPath = isAbsolute(name) || name.startsWith('./') || name.startsWith('../')
  const file = resolve(baseDir, name)
  const problem = isPath ? whyNoFile(file) : undefined
  if (isPath && problem === undefined) return file
  const reason = problem === undefined ? '' : ` (${problem})`
  throw new AgentryError(
    'invalid_config',
    `expected one of ${BUILT_IN_TOOLS.join(', ')}, or the path of a module, received ${quote(name)}${reason}${didYouMean(name, BUILT_IN_TOOLS)}`,
  )
}

/** Why there is no regular file at `path`; undefined where there is one. */
export function whyNoFile(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? undefined : `${path} is not a file`
  } catch (error) {
    return describeThrown(error)
  }
}

/** Messages do not repeat what may hold a password. */
function assertHttpUrl(value: string): void {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new AgentryError('invalid_config', 'expected a URL without a name or password in it')
  }
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    const received = value.includes('@') ? 'another text' : quote(value)
    throw new AgentryError('invalid_config', `expected a URL of http or https, received ${received}`)
  }
}
