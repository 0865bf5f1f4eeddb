/**
 * What llm agents can be set to: the schema and every default. The keys of an llm agent stand beside its `behavior`, in the file and in
 * spawn(). What their team knows of models is in model-options.ts.
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
import { BUILT_IN_TOOLS, DEFAULT_TOOLS, type LlmSpec, type McpServerSpec, modelHint } from './llm-spec.ts'
import {
  assertHttpUrl,
  defaultModel,
  type Environment,
  modelSchema,
  openHeaders,
  variableSchema,
} from './model-options.ts'
import { issueOf, pathSchema, type Problem, strictObject } from './validation.ts'

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
        envFrom: z.array(variableSchema).default([]).describe('Variables that are handed on to it.'),
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
        tokenEnv: variableSchema
          .exactOptional()
          .describe('The variable whose value is sent as a bearer token.'),
        startMs: milliseconds
          .default(LLM_DEFAULTS.mcpStartMs)
          .describe('The longest start, in milliseconds.'),
      }),
    ],
    MCP_TYPES,
  )

/** The keys of an llm agent, all of them optional: `resolveLlm` fills in what is left out. */
export function llmShape(baseDir: string): LlmShape {
  return {
    model: modelSchema
      .optional()
      .describe('provider/model. Only for behavior llm. Default: by the key in the environment.'),
    fallbacks: z.array(modelSchema).optional().describe('Models that are asked where the one before fails.'),
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
