/**
 * What a team and its agents can be set to: the schema, every default, and how paths are made absolute. `agentry.yaml`
 * (config-file.ts) and the options of createTeam go through it.
 */
import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { z } from 'zod'
import type { AgentSpec } from './agent-spec.ts'
import type { AgentSpecInput } from './api.ts'
import { assertAgentId, quote } from './core/ids.ts'
import { DEFAULT_RESTART, RESTART_TYPES } from './core/restart-policy.ts'
import { didYouMean } from './core/suggest.ts'
import { AgentryError, describeThrown } from './errors.ts'
import { pathText, type Problem, problemsOf, strictObject } from './validation.ts'

/** The behaviors that have a name; any other behavior is the path of a module. */
export const BEHAVIOR_NAMES = ['shell', 'echo'] as const

export const FSYNC_MODES = ['always', 'interval'] as const
export type FsyncMode = (typeof FSYNC_MODES)[number]

/** Every default of an agent. Its working directory is, by default, the directory that its paths resolve from. */
export const AGENT_DEFAULTS: Pick<AgentSpec, 'role' | 'instructions' | 'restart' | 'limits'> = {
  role: '',
  instructions: '',
  restart: DEFAULT_RESTART,
  limits: { memoryMb: 512, turnMs: 600_000 },
}

/** The longest delay that a timer takes: above it, it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

const text = z.string().refine((value) => value.isWellFormed(), 'expected well-formed Unicode text')
const path = z
  .string()
  .min(1)
  .refine((value) => value.isWellFormed() && !value.includes('\0'), 'expected a path, without NUL')
const milliseconds = z.int().positive().max(MAX_TIMER_MS)

const agentSchema = strictObject({
  id: z.string().describe('1 to 64 of a-z, 0-9, _ and -, first a letter or digit.'),
  behavior: path.describe('shell, echo, or the path of a behavior module.'),
  role: text.default(AGENT_DEFAULTS.role).describe('What the agent is for, in a few words.'),
  instructions: text.default(AGENT_DEFAULTS.instructions).describe('The prompt of sessions that name none.'),
  workingDir: path.default('.').describe('The working directory of sessions that name none.'),
  restart: strictObject({
    type: z
      .enum(RESTART_TYPES)
      .default(DEFAULT_RESTART.type)
      .describe('permanent: always; transient: after a crash only; temporary: never.'),
    maxRestarts: z
      .int()
      .nonnegative()
      .default(DEFAULT_RESTART.maxRestarts)
      .describe('More restarts than this within withinMs, and the agent is failed.'),
    withinMs: milliseconds.default(DEFAULT_RESTART.withinMs).describe('Milliseconds.'),
  })
    .prefault({})
    .describe('When the agent is started again after its thread ended.'),
  limits: strictObject({
    memoryMb: z
      .number()
      .positive()
      .default(AGENT_DEFAULTS.limits.memoryMb)
      .describe('Heap and Buffers of the thread, in MiB: above it the thread is ended.'),
    turnMs: milliseconds
      .default(AGENT_DEFAULTS.limits.turnMs)
      .describe('The longest turn, in milliseconds: then it ends as failed.'),
  }).prefault({}),
})

/**
 * A spec with all defaults filled in and all paths absolute; relative ones resolve from `baseDir`.
 *
 * Throws `invalid_id` for the id, and `invalid_config` for everything else: unknown keys, values of the wrong type or range, a
 * behavior that is neither a known name nor an existing file. The working directory need not exist.
 */
export function resolveAgentSpec(input: AgentSpecInput, baseDir: string): AgentSpec {
  const parsed = agentSchema.safeParse(input, { reportInput: true })
  if (!parsed.success) throw invalidConfig(problemsOf(parsed.error))
  const { id, behavior, workingDir, ...rest } = parsed.data
  assertAgentId(id)
  return {
    id,
    role: rest.role,
    behavior: resolveBehavior(behavior, baseDir),
    instructions: rest.instructions,
    workingDir: resolve(baseDir, workingDir),
    restart: rest.restart,
    limits: rest.limits,
  }
}

function resolveBehavior(behavior: string, baseDir: string): string {
  if (BEHAVIOR_NAMES.some((name) => name === behavior)) return behavior
  const file = resolve(baseDir, behavior)
  const reason = whyNoFile(file)
  if (reason === undefined) return file
  const expected = `${BEHAVIOR_NAMES.join(', ')} or the path of a module`
  const hint = didYouMean(behavior, BEHAVIOR_NAMES)
  const message = `expected ${expected}, received ${quote(behavior)} (${reason})${hint}`
  throw invalidConfig([{ path: ['behavior'], message }])
}

function whyNoFile(path: string): string | undefined {
  try {
    return statSync(path).isFile() ? undefined : `${path} is not a file`
  } catch (error) {
    return describeThrown(error)
  }
}

/** `invalid_config` with all problems in its message, and as `data.problems`. */
export function invalidConfig(problems: readonly Problem[], cause?: unknown): AgentryError {
  const message = problems
    .map(({ path, message }) => (path.length === 0 ? message : `${pathText(path)}: ${message}`))
    .join('\n')
  return new AgentryError('invalid_config', message, { cause, data: { problems } })
}
