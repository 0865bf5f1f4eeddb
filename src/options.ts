/**
 * What a team and its agents can be set to: the schema, every default, and how paths are made absolute. `agentry.yaml`
 * (config-file.ts) and the options of createTeam go through it.
 */
import { resolve } from 'node:path'
import { z } from 'zod'
import { type AgentSpec, BEHAVIOR_NAMES, isBuiltIn } from './agent-spec.ts'
import type { AgentSpecInput } from './api.ts'
import { assertAgentId, quote } from './core/ids.ts'
import { DEFAULT_RESTART, RESTART_TYPES } from './core/restart-policy.ts'
import { didYouMean } from './core/suggest.ts'
import { AgentryError } from './errors.ts'
import { LLM_DEFAULTS, llmProblems, llmShape, resolveLlm, whyNoFile } from './llm-options.ts'
import type { TeamModels } from './llm-spec.ts'
import { type Environment, pricesSchema, providerProblems, providersSchema } from './model-options.ts'
import { issueOf, pathSchema, pathText, type Problem, problemsOf, strictObject } from './validation.ts'

export { BEHAVIOR_NAMES, pathSchema, pricesSchema, providersSchema }

export const FSYNC_MODES = ['always', 'interval'] as const
export type FsyncMode = (typeof FSYNC_MODES)[number]

/** What a team as a whole is limited to. */
export interface TeamLimits {
  /** Agents that are on a thread at once; the others hibernate until a thread is free. */
  threads: number
  /** Accepted messages of one agent that wait: one more is refused with `mailbox_full`. */
  mailboxMessages: number
  /**
   * UTF-8 bytes of these messages together, and no more than a sixteenth of the agent's memoryMb: more are refused with `mailbox_full`.
   * A message that comes alone is taken.
   */
  mailboxBytes: number
  /** UTF-8 bytes of one message: a larger one is refused with `message_too_large`. */
  messageBytes: number
  /** UTF-8 bytes of one result: a longer one is cut, and marked. */
  resultBytes: number
  /** The longest start of an agent, its module loaded, in ms: then `start_timeout`. */
  startMs: number
  /** The idle time after which an agent gives its thread back, in ms. */
  hibernateAfterMs: number
  /** Tokens of all agents together since the team was opened; left out: no limit. */
  teamTokens?: number
  /** US dollars of all agents together since the team was opened, as far as prices are known; left out: no limit. */
  teamCostUsd?: number
}

/** Every default of an agent. Its working directory is, by default, the directory that its paths resolve from. */
export const AGENT_DEFAULTS: Pick<AgentSpec, 'role' | 'instructions' | 'restart' | 'limits'> = {
  role: '',
  instructions: '',
  restart: DEFAULT_RESTART,
  limits: { memoryMb: 512, turnMs: 600_000 },
}

/** Every default of a team. */
export const TEAM_DEFAULTS: {
  data: string
  fsync: FsyncMode
  /** How long the trash keeps a session, in ms. */
  trashAgeMs: number
  limits: TeamLimits
} = {
  data: './sessions',
  fsync: 'always',
  trashAgeMs: 30 * 86_400_000,
  limits: {
    threads: 32,
    mailboxMessages: 1_000,
    mailboxBytes: 32 * 1024 * 1024,
    messageBytes: 1024 * 1024,
    resultBytes: 1024 * 1024,
    startMs: 10_000,
    hibernateAfterMs: 60_000,
  },
}

/** The longest delay that a timer takes: above it, it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** A message or a result travels and is recorded as one piece. */
const MAX_BYTES = 64 * 1024 * 1024

const text = z.string().refine((value) => value.isWellFormed(), 'expected well-formed Unicode text')
const milliseconds = z.int().positive().max(MAX_TIMER_MS)
const count = z.int().positive()
const dollars = z.number().positive()

/**
 * The form of one agent, in the file and in spawn(); it gives a complete spec with paths absolute from `baseDir`. An llm agent that
 * names no model has the one that `environment` has a key for.
 */
export function agentSchema(baseDir: string, environment: Environment): z.ZodType<AgentSpec> {
  const { role, instructions, restart, limits } = AGENT_DEFAULTS
  return strictObject({
    id: z
      .string()
      .superRefine(issueOf(assertAgentId))
      .describe('1 to 64 of a-z, 0-9, _ and -, first a letter or digit.'),
    role: text.default(role).describe('What the agent is for, in a few words.'),
    behavior: z
      .string()
      .transform(issueOf((behavior: string) => resolveBehavior(behavior, baseDir)))
      .describe('llm, shell, echo, or the path of a behavior module.'),
    ...llmShape(baseDir),
    instructions: text.default(instructions).describe('The prompt of sessions that name none.'),
    workingDir: pathSchema(baseDir)
      .prefault('.')
      .describe('The working directory of sessions that name none.'),
    restart: strictObject({
      type: z
        .enum(RESTART_TYPES)
        .default(restart.type)
        .describe('permanent: always; transient: after a crash only; temporary: never.'),
      maxRestarts: z
        .int()
        .nonnegative()
        .default(restart.maxRestarts)
        .describe('More restarts than this within withinMs, and the agent is failed.'),
      withinMs: milliseconds.default(restart.withinMs).describe('In milliseconds.'),
    })
      .prefault({})
      .describe('When the agent is started again after its thread ended.'),
    limits: strictObject({
      memoryMb: z
        .number()
        .positive()
        .default(limits.memoryMb)
        .describe('Heap and Buffers of its thread, in MiB: above it the thread is ended.'),
      turnMs: milliseconds
        .default(limits.turnMs)
        .describe('The longest turn, in milliseconds: a longer one ends as failed.'),
      maxSteps: count
        .exactOptional()
        .describe('Model steps of one turn. Only for behavior llm. Default: 50.'),
      maxTokens: count
        .exactOptional()
        .describe('Tokens of one turn. Only for behavior llm. Default: 500000.'),
      maxCostUsd: dollars.exactOptional().describe('US dollars of one turn. Only for behavior llm.'),
      sessionTokens: count.exactOptional().describe('Tokens of one session. Only for behavior llm.'),
      sessionCostUsd: dollars.exactOptional().describe('US dollars of one session. Only for behavior llm.'),
    })
      .prefault({})
      .describe('What the agent may use.'),
  })
    .superRefine((spec, context) => {
      for (const problem of llmProblems(spec, environment)) context.addIssue({ code: 'custom', ...problem })
    })
    .transform(
      issueOf(({ model, fallbacks, tools, permissions, mcpServers, allowedPaths, ...rest }) => {
        const { maxOutputTokens, temperature, contextTokens, approvalMs, ...spec } = rest
        if (spec.behavior !== 'llm') return spec
        const given = { model, fallbacks, tools, permissions, mcpServers, allowedPaths }
        const { memoryMb, turnMs, maxSteps, maxTokens, ...optional } = spec.limits
        return {
          ...spec,
          // In the order of the registry: specs are compared as JSON.
          limits: {
            memoryMb,
            turnMs,
            maxSteps: maxSteps ?? LLM_DEFAULTS.maxSteps,
            maxTokens: maxTokens ?? LLM_DEFAULTS.maxTokens,
            ...optional,
          },
          llm: resolveLlm({ ...given, maxOutputTokens, temperature, contextTokens, approvalMs }, environment),
        }
      }),
    )
}

/** The form of the team's limits, with every default. */
export const teamLimitsSchema: z.ZodType<
  TeamLimits,
  { [Name in keyof TeamLimits]?: TeamLimits[Name] | undefined }
> = strictObject({
  threads: count
    .max(1_000)
    .default(TEAM_DEFAULTS.limits.threads)
    .describe('Agents that are on a thread at once; the others hibernate.'),
  mailboxMessages: count
    .default(TEAM_DEFAULTS.limits.mailboxMessages)
    .describe('Accepted messages of one agent that may wait.'),
  mailboxBytes: count
    .default(TEAM_DEFAULTS.limits.mailboxBytes)
    .describe('Bytes of these messages together, and no more than a sixteenth of memoryMb.'),
  messageBytes: count
    .max(MAX_BYTES)
    .default(TEAM_DEFAULTS.limits.messageBytes)
    .describe('Bytes of one message: a larger one is refused.'),
  resultBytes: count
    .max(MAX_BYTES)
    .default(TEAM_DEFAULTS.limits.resultBytes)
    .describe('Bytes of one result: a longer one is cut, and marked.'),
  startMs: milliseconds
    .default(TEAM_DEFAULTS.limits.startMs)
    .describe('The longest start of an agent, in milliseconds.'),
  hibernateAfterMs: milliseconds
    .default(TEAM_DEFAULTS.limits.hibernateAfterMs)
    .describe('The idle time after which an agent gives its thread back, in milliseconds.'),
  teamTokens: count.exactOptional().describe('Tokens of all agents together since the start.'),
  teamCostUsd: dollars.exactOptional().describe('US dollars of all agents together since the start.'),
})

/**
 * A spec with all defaults filled in and all paths absolute; relative ones resolve from `baseDir`.
 *
 * Throws `invalid_id` for the id, and `invalid_config` for everything else: unknown keys, values of the wrong type or range, a
 * behavior that is neither a known name nor an existing file, an llm agent without a model, a model of a provider that is neither
 * built in nor among `providers`. The working directory need not exist.
 */
export function resolveAgentSpec(
  input: AgentSpecInput,
  baseDir: string,
  providers: TeamModels['providers'] = {},
  environment: Environment = process.env,
): AgentSpec {
  const parsed = agentSchema(baseDir, environment).safeParse(asInput(input), { reportInput: true })
  if (parsed.success) {
    const problems = parsed.data.llm === undefined ? [] : providerProblems(parsed.data.llm, providers)
    if (problems.length === 0) return parsed.data
    throw invalidConfig(problems)
  }
  if (parsed.error.issues.some((issue) => issue.path[0] === 'id' && issue.code === 'custom'))
    assertAgentId(input.id)
  throw invalidConfig(problemsOf(parsed.error))
}

/** A resolved spec is taken too: what it has in a group of its own stands beside the rest in what callers give. */
export function asInput(input: AgentSpecInput | AgentSpec): AgentSpecInput {
  if (typeof input !== 'object' || input === null || !('llm' in input)) return input
  const { llm, ...rest } = input
  return { ...rest, ...llm }
}

/** The team's limits with all defaults filled in. Throws `invalid_config`. */
export function resolveTeamLimits(input: Partial<TeamLimits> = {}): TeamLimits {
  const parsed = teamLimitsSchema.safeParse(input, { reportInput: true })
  if (parsed.success) return parsed.data
  throw invalidConfig(problemsOf(parsed.error))
}

const teamOptionsSchema = strictObject({
  data: z.string().min(1).optional(),
  agents: z.array(z.unknown()).optional(),
  retention: strictObject({
    maxAgeMs: z.number().nonnegative().optional(),
    maxCount: z.int().nonnegative().optional(),
    includeSuspended: z.boolean().optional(),
    trashAgeMs: z.number().nonnegative().optional(),
  }).optional(),
  resume: z.boolean().optional(),
  start: z.enum(['all', 'none']).optional(),
  fsync: z.enum(FSYNC_MODES).optional(),
  limits: z.unknown().optional(),
  providers: z.unknown().optional(),
  prices: z.unknown().optional(),
  host: z.enum(['threads', 'in-process']).optional(),
})

/** The form of createTeam's options; agents and limits are checked where they are resolved. Throws `invalid_config`. */
export function assertTeamOptions(options: unknown): void {
  const parsed = teamOptionsSchema.safeParse(options, { reportInput: true })
  if (!parsed.success) throw invalidConfig(problemsOf(parsed.error))
}

/** `invalid_config` with one line for each problem, and all of them as `data.problems`. */
function invalidConfig(problems: readonly Problem[]): AgentryError {
  const lines = problems.map(({ path, message }) =>
    path.length === 0 ? message : `${pathText(path)}: ${message}`,
  )
  return new AgentryError('invalid_config', lines.join('\n'), { data: { problems } })
}

function resolveBehavior(behavior: string, baseDir: string): string {
  if (isBuiltIn(behavior)) return behavior
  const file = resolve(baseDir, behavior)
  const reason = whyNoFile(file)
  if (reason === undefined) return file
  const expected = `${BEHAVIOR_NAMES.join(', ')} or the path of a module`
  const hint = didYouMean(behavior, BEHAVIOR_NAMES)
  throw new AgentryError(
    'invalid_config',
    `expected ${expected}, received ${quote(behavior)} (${reason})${hint}`,
  )
}
