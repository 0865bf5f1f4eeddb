/** `agentry.yaml`: its schema, and its reading. Every problem is named with its line and column. */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import type { AgentSpec } from './agent-spec.ts'
import { DURATION_PATTERN, parseDuration } from './core/duration.ts'
import { quote } from './core/ids.ts'
import { didYouMean } from './core/suggest.ts'
import { AgentryError, describeThrown } from './errors.ts'
import { type Environment, priceProblems, providerProblems } from './model-options.ts'
import type { TeamModels } from './llm-spec.ts'
import {
  agentSchema,
  pricesSchema,
  providersSchema,
  FSYNC_MODES,
  type FsyncMode,
  pathSchema,
  TEAM_DEFAULTS,
  type TeamLimits,
  teamLimitsSchema,
} from './options.ts'
import type { RetentionPolicy } from './store/retention.ts'
import { issueOf, pathText, type Problem, problemsOf, strictObject } from './validation.ts'

/** A configuration file with all defaults filled in and all paths absolute. */
export interface TeamConfig {
  /** The data directory. */
  data: string
  agents: AgentSpec[]
  /** One of `agents`; undefined where the file names none. */
  defaultAgent?: string
  /** Undefined where the file has none: then nothing is ever taken. */
  retention?: RetentionPolicy & { trashAgeMs: number }
  fsync: FsyncMode
  limits: TeamLimits
  providers: TeamModels['providers']
  prices: TeamModels['prices']
}

const duration = z
  .string()
  .transform(issueOf(parseDuration))
  .meta({ pattern: DURATION_PATTERN.source, examples: ['30d', '12h', '1h 30m'] })

const retentionSchema = strictObject({
  maxAge: duration.optional().describe('Take sessions that were not accessed for longer than this.'),
  maxCount: z
    .int()
    .nonnegative()
    .optional()
    .describe('Of the sessions that may be taken, keep this many per agent.'),
  trashAge: duration.optional().describe('How long the trash keeps what was taken. Default: 30d.'),
  includeSuspended: z
    .boolean()
    .default(false)
    .describe('Take suspended sessions too. Without it only terminated ones.'),
}).transform(({ maxAge, maxCount, trashAge, includeSuspended }) => ({
  ...(maxAge !== undefined && { maxAgeMs: maxAge }),
  ...(maxCount !== undefined && { maxCount }),
  includeSuspended,
  trashAgeMs: trashAge ?? TEAM_DEFAULTS.trashAgeMs,
}))

function configSchema(baseDir: string, environment: Environment): z.ZodType<TeamConfig> {
  return strictObject({
    defaultAgent: z
      .string()
      .optional()
      .describe('The agent that is used where none is named. Default: the first.'),
    data: pathSchema(baseDir).prefault(TEAM_DEFAULTS.data).describe('The data directory.'),
    agents: z
      .array(agentSchema(baseDir, environment))
      .default([])
      .superRefine((agents, context) => {
        for (const [index, { id }] of agents.entries()) {
          if (agents.findIndex((agent) => agent.id === id) < index) {
            context.addIssue({
              code: 'custom',
              path: [index, 'id'],
              message: `there are two agents ${quote(id)}`,
            })
          }
        }
      })
      .describe('The team, in the order in which it starts.'),
    retention: retentionSchema
      .optional()
      .describe('Which sessions go to the trash, at start and daily. Without it: none.'),
    fsync: z
      .enum(FSYNC_MODES)
      .default(TEAM_DEFAULTS.fsync)
      .describe('always: what is acknowledged is on disk. interval: a power cut can lose the last moments.'),
    limits: teamLimitsSchema.prefault({}).describe('Limits of the team as a whole.'),
    providers: providersSchema
      .default({})
      .describe('Where models are asked, by the name before the slash. Some are built in.'),
    prices: pricesSchema.default({}).describe('Prices by provider/model, for what turns cost.'),
  })
    .superRefine(({ agents, providers, prices }, context) => {
      for (const [index, { llm }] of agents.entries()) {
        for (const { path, message } of llm === undefined ? [] : providerProblems(llm, providers)) {
          context.addIssue({ code: 'custom', path: ['agents', index, ...path], message })
        }
      }
      for (const problem of priceProblems({ providers, prices })) {
        context.addIssue({ code: 'custom', ...problem })
      }
    })
    .superRefine(({ defaultAgent, agents }, context) => {
      const ids = agents.map((agent) => agent.id)
      if (defaultAgent === undefined || ids.includes(defaultAgent)) return
      const message = `expected the id of one of the agents, received ${quote(defaultAgent)}${didYouMean(defaultAgent, ids)}`
      context.addIssue({ code: 'custom', path: ['defaultAgent'], message })
    })
    .transform(({ defaultAgent, retention, ...rest }) => ({
      ...rest,
      ...(defaultAgent !== undefined && { defaultAgent }),
      ...(retention !== undefined && { retention }),
    }))
}

/** The JSON Schema of the file, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  const title = 'Configuration of an Agentry team (agentry.yaml)'
  return { title, ...z.toJSONSchema(configSchema('.', {}), { io: 'input' }) }
}

/**
 * Reads the file at `path`; relative paths in it resolve from its folder. An empty file is one with all defaults. An llm agent that
 * names no model has the one that `environment` has a key for.
 *
 * Throws `invalid_config`: the file cannot be read, is not YAML, or does not fit the schema. The message has one line for each
 * problem, `file:line:column: what`, and `data.problems` has them apart.
 */
export function loadConfig(path: string, environment: Environment = process.env): TeamConfig {
  const file = resolve(path)
  const lines = new LineCounter()
  const document = parseDocument(readText(file), { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw invalidFile(
      file,
      document.errors.map((error) => ({ path: [], message: error.message, ...lines.linePos(error.pos[0]) })),
    )
  }
  const parsed = configSchema(dirname(file), environment).safeParse(valueOf(file, document), {
    reportInput: true,
  })
  if (parsed.success) return parsed.data
  throw invalidFile(
    file,
    problemsOf(parsed.error).map((problem) => ({
      ...problem,
      ...lines.linePos(offsetOf(document, problem.path)),
    })),
  )
}

interface LocatedProblem extends Problem {
  line: number
  col: number
}

function invalidFile(file: string, problems: LocatedProblem[], cause?: unknown): AgentryError {
  const message = problems
    .toSorted((a, b) => a.line - b.line || a.col - b.col)
    .map(({ path, message, line, col }) => {
      const place = path.length === 0 ? '' : `${pathText(path)}: `
      return `${file}:${line}:${col}: ${place}${message}`
    })
    .join('\n')
  return new AgentryError('invalid_config', message, { cause, data: { file, problems } })
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    const message = `cannot read the configuration file ${file}: ${describeThrown(cause)}`
    throw new AgentryError('invalid_config', message, { cause, data: { file } })
  }
}

function valueOf(file: string, document: Document): unknown {
  try {
    return document.toJS() ?? {}
  } catch (error) {
    // Aliases that lead nowhere, or multiply beyond all measure, show only here.
    throw invalidFile(file, [{ path: [], message: describeThrown(error), line: 1, col: 1 }], error)
  }
}

/** The offset of the key that a path ends with, else of the nearest thing around it. */
function offsetOf(document: Document, path: Problem['path']): number {
  for (let length = path.length; length > 0; length--) {
    const parent = document.getIn(path.slice(0, length - 1), true)
    const key = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key)
      if (isNode(pair?.key) && pair.key.range) return pair.key.range[0]
    }
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return document.contents?.range?.[0] ?? 0
}
