/**
 * What llm agents can be set to, and what a team knows of models: the schemas and every default. The keys of an llm agent stand beside
 * its `behavior`, in the file and in spawn().
 */
import { isAbsolute, resolve } from 'node:path'
import { statSync } from 'node:fs'
import { z } from 'zod'
import { quote } from './core/ids.ts'
import { PERMISSIONS, type PermissionRules } from './core/permissions/rule-types.ts'
import { assertPermissionRules } from './core/permissions/rules.ts'
import { didYouMean } from './core/suggest.ts'
import { AgentryError } from './errors.ts'
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
import { issueOf, type Problem, problemsOf, strictObject } from './validation.ts'

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

/** A person answers within days, if at all; and a timer takes no more. */
const MAX_MS = 2 ** 31 - 1

const count = z.int().positive()
const milliseconds = z.int().positive().max(MAX_MS)
const words = z.record(z.string(), z.string())
const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable')

const model = z
  .string()
  .regex(
    /^[^/\s]+\/\S+$/,
    'expected provider/model, such as ollama/qwen3-coder or anthropic/claude-sonnet-4-5',
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
  .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/, 'expected 1 to 32 of A-Z, a-z, 0-9, _ and -')

const mcpServer: z.ZodType<McpServerSpec> = z.discriminatedUnion('type', [
  strictObject({
    type: z.literal('stdio'),
    command: z
      .string()
      .min(1)
      .describe('The program that is started; it speaks MCP on its standard streams.'),
    args: z.array(z.string()).default([]),
    env: words.default({}).describe('Added to its environment.'),
    envFrom: z.array(variable).default([]).describe('Variables that are handed on to it.'),
    startMs: milliseconds.default(LLM_DEFAULTS.mcpStartMs).describe('The longest start, in milliseconds.'),
  }),
  strictObject({
    type: z.literal('http'),
    url: z.string().superRefine(issueOf(assertHttpUrl)).describe('Of its streamable HTTP endpoint.'),
    headers: words.default({}),
    tokenEnv: variable.exactOptional().describe('The variable whose value is sent as a bearer token.'),
    startMs: milliseconds.default(LLM_DEFAULTS.mcpStartMs).describe('The longest start, in milliseconds.'),
  }),
])

/** The keys of an llm agent, all of them optional: `resolveLlm` fills in what is left out. */
export function llmShape(baseDir: string): LlmShape {
  const path = z
    .string()
    .min(1)
    .transform((value) => resolve(baseDir, value))
  return {
    model: model.optional().describe('provider/model. Only for behavior llm, which needs it.'),
    fallbacks: z.array(model).optional().describe('Models that are asked where the one before fails.'),
    tools: z
      .array(z.string().transform(issueOf((name: string) => resolveTool(name, baseDir))))
      .optional()
      .describe('Names of built-in tools, and paths of modules. Default: all but fetch.'),
    permissions: permissions
      .superRefine(issueOf((rules: PermissionRules) => assertPermissionRules(rules, BUILT_IN_TOOLS)))
      .optional()
      .describe('By tool: allow, ask or deny, or patterns. Default: reading is allowed, the rest asks.'),
    mcpServers: z
      .record(mcpName, mcpServer)
      .optional()
      .describe('MCP servers, by the prefix of their tools.'),
    allowedPaths: z
      .array(path)
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

export const LLM_KEYS: readonly (keyof LlmSpec)[] = [
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

/** What is left out filled in. Throws `invalid_config` where there is no model. */
export function resolveLlm(input: LlmInput): LlmSpec {
  const { maxOutputTokens, temperature } = input
  if (input.model === undefined) {
    throw new AgentryError(
      'invalid_config',
      `model: expected provider/model, received nothing: ${modelHint()}`,
    )
  }
  return {
    model: input.model,
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

const provider: z.ZodType<ProviderSpec> = strictObject({
  type: z.enum(PROVIDER_TYPES),
  baseURL: z
    .string()
    .superRefine(issueOf(assertHttpUrl))
    .exactOptional()
    .describe('Without the path of the endpoint: http://127.0.0.1:11434/v1.'),
  apiKeyEnv: variable.exactOptional().describe('The environment variable that holds the key.'),
  apiKey: z
    .never('keys are not kept in the file: name the variable that holds it in apiKeyEnv')
    .optional()
    .describe('Not taken: name a variable in apiKeyEnv.'),
  headers: words.default({}).describe('Sent with every request. Not for secrets.'),
  headersEnv: z
    .record(z.string(), variable)
    .default({})
    .describe('Variables by the header they are sent in.'),
})
  .superRefine(({ type, baseURL }, context) => {
    if (type !== 'openai-compatible' || baseURL !== undefined) return
    context.addIssue({
      code: 'custom',
      path: ['baseURL'],
      message: 'expected a URL for type openai-compatible',
    })
  })
  .transform(({ apiKey: _apiKey, ...spec }) => spec)

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
  if (parsed.success) return parsed.data
  const problems: Problem[] = problemsOf(parsed.error)
  const lines = problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
  throw new AgentryError('invalid_config', lines.join('\n'), { data: { problems } })
}

/** Why one of the models cannot be asked by its name; undefined where all can. */
export function providerProblem(
  llm: Pick<LlmSpec, 'model' | 'fallbacks'>,
  providers: TeamModels['providers'],
): string | undefined {
  const known = [...Object.keys(providers), ...Object.keys(BUILT_IN_PROVIDERS)]
  for (const name of [llm.model, ...llm.fallbacks]) {
    const own = name.slice(0, name.indexOf('/'))
    if (known.includes(own)) continue
    return `expected a provider of the team (${[...new Set(known)].join(', ')}), received ${quote(own)} in ${quote(name)}${didYouMean(own, known)}`
  }
  return undefined
}

function resolveTool(name: string, baseDir: string): string {
  if (BUILT_IN_TOOLS.some((known) => known === name)) return name
  const isPath = isAbsolute(name) || name.startsWith('./') || name.startsWith('../')
  const file = resolve(baseDir, name)
  if (isPath && statSync(file, { throwIfNoEntry: false })?.isFile()) return file
  const reason = isPath ? ` (${file} is not a file)` : ''
  throw new AgentryError(
    'invalid_config',
    `expected one of ${BUILT_IN_TOOLS.join(', ')}, or the path of a module, received ${quote(name)}${reason}${didYouMean(name, BUILT_IN_TOOLS)}`,
  )
}

function assertHttpUrl(value: string): void {
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new AgentryError('invalid_config', `expected a URL of http or https, received ${quote(value)}`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new AgentryError('invalid_config', 'expected a URL without a name or password in it')
  }
}
