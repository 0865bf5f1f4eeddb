/**
 * The forms of everything that goes over the wire, for validation, types and the OpenAPI document. Answers are the types of the
 * public interface (api.ts): an annotation holds each schema to its type, so the two cannot differ. One long file, because it is a list.
 */
import { z } from '@hono/zod-openapi'
import type { AgentInfo, AgentSpecInput, AgentState, ApprovalInfo, SessionInfo, TeamHealth } from '../api.ts'
import type { AgentSpec } from '../agent-spec.ts'
import { assertAgentId, assertSessionId, assertTaskId } from '../core/ids.ts'
import type { Json, JsonObject } from '../core/json.ts'
import { RESTART_TYPES } from '../core/restart-policy.ts'
import type { AskedBy } from '../core/record.ts'
import {
  type Approval,
  APPROVAL_DECISIONS,
  type ApprovalDecision,
  type MemoryEntry,
  SESSION_STATUSES,
  type SessionState,
  type SessionStatus,
  type Usage,
  type UsageTotal,
} from '../core/session-state.ts'
import { ERROR_CODES, type ErrorCode, isErrorCode, type WireError } from '../errors.ts'
import type { CreateSessionInput, ImportedSession, SessionPatch } from '../protocol/commands.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import type { RetentionPolicy } from '../store/retention.ts'
import type { SessionNote } from '../store/session-store.ts'
import { issueOf, strictObject } from '../validation.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from './cursor.ts'
import type { Problem } from './http-errors.ts'
import { limitFields, llmInput, llmSpec } from './llm-schemas.ts'
import { maybe } from './maybe.ts'

const isPresent = (value: unknown): boolean => value !== undefined
/** Any JSON: the body was checked as a whole (body.ts, B2). */
const json: z.ZodType<Json> = z.any().refine(isPresent).openapi({ description: 'Any JSON value.' })
const jsonObject: z.ZodType<JsonObject> = z.record(z.string(), json)
const time = z.string().openapi({ format: 'date-time' })
const id = z.string().openapi({ format: 'uuid' })
const vars = z.record(z.string(), z.string())

export const errorCode: z.ZodType<ErrorCode> = z
  .custom<ErrorCode>((value) => typeof value === 'string' && isErrorCode(value))
  .openapi('ErrorCode', { type: 'string', enum: Object.keys(ERROR_CODES) })

const wireError: z.ZodType<WireError> = z
  .object({ code: errorCode, message: z.string(), data: maybe(z.record(z.string(), z.unknown())) })
  .openapi('Error')

export const problem: z.ZodType<Problem> = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: errorCode,
    data: maybe(z.record(z.string(), z.unknown())),
  })
  .openapi('Problem', { description: 'RFC 9457, with the code of the error and the values behind it.' })

export const usage: z.ZodType<Usage> = z
  .object({
    inputTokens: z.number(),
    outputTokens: z.number(),
    cachedInputTokens: maybe(z.number()),
    reasoningTokens: maybe(z.number()),
    costUsd: maybe(z.number()),
  })
  .openapi('Usage')

const totals = {
  steps: z.number(),
  inputTokens: z.number(),
  outputTokens: z.number(),
  cachedInputTokens: z.number(),
  reasoningTokens: z.number(),
  costUsd: z.number(),
  unpricedSteps: z.number(),
}
export const usageTotal: z.ZodType<UsageTotal> = z.object(totals).openapi('UsageTotal')

export const outcome: z.ZodType<Outcome> = z
  .object({
    status: z.enum(['accepted', 'running', 'completed', 'failed', 'cancelled', 'interrupted']),
    result: z.string(),
    error: maybe(wireError),
    exitCode: maybe(z.int()),
    turnId: id,
    taskId: z.string(),
    agentId: z.string(),
    sessionId: id,
    usage: maybe(usageTotal),
  })
  .openapi('Outcome')

const toolCall = z.object({ toolCallId: z.string(), name: z.string(), input: json }).openapi('ToolCall')

export const memoryEntry: z.ZodType<MemoryEntry> = z
  .object({
    seq: z.int(),
    at: time,
    turnId: z.string(),
    role: z.enum(['user', 'assistant', 'tool']),
    content: z.string(),
    toolCalls: maybe(z.array(toolCall)),
    toolCallId: maybe(z.string()),
    model: maybe(z.string()),
    reasoning: maybe(z.string()),
    outcome: maybe(z.enum(['ok', 'error', 'unknown'])),
    usage: maybe(usage),
  })
  .openapi('MemoryEntry')

const askedBy: z.ZodType<AskedBy> = z
  .object({ agentId: z.string(), turnId: id, depth: z.int() })
  .openapi('AskedBy')

const grant = z.object({ tool: z.string(), pattern: maybe(z.string()) }).openapi('Grant')

const approvalFields = {
  approvalId: id,
  turnId: id,
  toolCallId: z.string(),
  tool: z.string(),
  subject: z.string(),
  reason: z.string(),
  grant,
  askedAt: time,
  expiresAt: time,
}
const approval: z.ZodType<Approval> = z.object(approvalFields).openapi('Approval')

export const approvalInfo: z.ZodType<ApprovalInfo> = z
  .object({
    ...approvalFields,
    agentId: z.string(),
    sessionId: id,
    sessionName: z.string(),
    askedBy: maybe(askedBy),
  })
  .openapi('ApprovalInfo')

const approvalAnswer = z.object({
  decision: z.enum(APPROVAL_DECISIONS),
  reason: maybe(z.string()),
  by: z.enum(['person', 'timeout']),
})

const messageFields = {
  turnId: id,
  taskId: z.string(),
  input: z.string(),
  from: maybe(z.string()),
  metadata: maybe(jsonObject),
  mode: maybe(z.literal('steer')),
  askedBy: maybe(askedBy),
}

const openTurn = z
  .object({
    ...messageFields,
    startedAt: time,
    attempt: z.int(),
    calls: z.array(
      z.object({
        toolCallId: z.string(),
        name: z.string(),
        state: z.enum(['announced', 'running', 'ok', 'error', 'unknown']),
        asked: maybe(z.object({ agentId: z.string(), taskId: z.string() })),
        answer: maybe(approvalAnswer),
      }),
    ),
    steps: z.int(),
    usage: usageTotal,
    steered: z.array(z.object({ turnId: id, taskId: z.string() })),
  })
  .openapi('OpenTurn')

const headerFields = {
  formatVersion: z.int(),
  id,
  agentId: z.string(),
  name: z.string(),
  description: z.string(),
  status: z.enum(SESSION_STATUSES),
  createdAt: time,
  lastAccessedAt: time,
  seq: z.int(),
  epoch: z.int(),
  journalOffset: z.int(),
  activation: z.int(),
  trashedAt: maybe(time),
  forkedFrom: maybe(z.object({ sessionId: id, seq: z.int() })),
  counts: z.object({ turns: z.int(), entries: z.int(), ...totals }),
  workingDir: z.string(),
  prompt: z.string(),
  vars,
  metadata: jsonObject,
  summary: maybe(z.object({ text: z.string(), throughSeq: z.int() })),
  grants: z.array(grant),
  approvals: z.array(approval),
  turn: z.union([openTurn, z.null()]),
  queue: z.array(z.object(messageFields)),
}

const finishedTurns = z.array(
  z.object({
    taskId: z.string(),
    turnId: id,
    status: z.enum(['completed', 'failed', 'cancelled', 'interrupted']),
    error: maybe(wireError),
    exitCode: maybe(z.int()),
    into: maybe(id),
    usage: maybe(usageTotal),
  }),
)

/** A map, so that the compiler holds it complete. */
const NOTE_KINDS: { [Kind in SessionNote['kind']]: Kind } = {
  'torn-tail': 'torn-tail',
  'snapshot-rebuilt': 'snapshot-rebuilt',
  'stale-record': 'stale-record',
  damage: 'damage',
  'foreign-file': 'foreign-file',
  'newer-format': 'newer-format',
  'journal-missing': 'journal-missing',
  'journal-truncated': 'journal-truncated',
  'move-finished': 'move-finished',
  'temp-removed': 'temp-removed',
  'working-dir-missing': 'working-dir-missing',
  'append-failed': 'append-failed',
  'sync-failed': 'sync-failed',
  'snapshot-failed': 'snapshot-failed',
  'suspend-failed': 'suspend-failed',
  'agent-fault': 'agent-fault',
}
const note: z.ZodType<SessionNote> = z
  .object({
    kind: z.enum(NOTE_KINDS),
    sessionId: maybe(z.string()),
    message: z.string(),
  })
  .openapi('Note')

export const sessionInfo: z.ZodType<SessionInfo> = z
  .object({ ...headerFields, current: z.boolean(), diskBytes: z.int(), problem: maybe(note) })
  .openapi('Session')

export const sessionState: z.ZodType<SessionState> = z
  .object({ ...headerFields, tasks: finishedTurns, memory: z.array(memoryEntry) })
  .openapi('SessionState')

const agentSpec: z.ZodType<AgentSpec> = z
  .object({
    id: z.string(),
    role: z.string(),
    behavior: z.string(),
    instructions: z.string(),
    workingDir: z.string(),
    restart: z.object({ type: z.enum(RESTART_TYPES), maxRestarts: z.int(), withinMs: z.int() }),
    limits: z.object({ memoryMb: z.number(), turnMs: z.int(), ...limitFields }),
    llm: maybe(llmSpec),
  })
  .openapi('AgentSpec')

const AGENT_STATES = [
  'starting',
  'idle',
  'working',
  'waiting',
  'restarting',
  'hibernated',
  'failed',
  'stopped',
] as const satisfies readonly AgentState[]

export const agentInfo: z.ZodType<AgentInfo> = z
  .object({
    id: z.string(),
    role: z.string(),
    behavior: z.string(),
    state: z.enum(AGENT_STATES),
    currentSessionId: maybe(id),
    queueDepth: z.int(),
    restarts: z.int(),
    lastError: maybe(wireError),
    lastActivityAt: maybe(time),
    usage: maybe(
      z.object({
        heapBytes: z.number(),
        externalBytes: z.number(),
        cpuMs: z.number(),
        loopUtilization: z.number(),
      }),
    ),
    spent: usageTotal,
    spec: agentSpec,
  })
  .openapi('Agent')

export const teamHealth: z.ZodType<TeamHealth> = z
  .object({
    status: z.enum(['ok', 'degraded']),
    agents: z.record(z.enum(AGENT_STATES), z.int()),
    sessions: z.int(),
    diskBytes: z.int(),
    rssBytes: z.int(),
    notes: z.array(note),
  })
  .openapi('TeamHealth')

// What comes in. The team checks the values (`invalid_input`, `invalid_config`); here the forms are checked. The examples are what the page
// of the routes proposes: they can be sent as they are.

export interface MessageBody {
  input: string
  from?: string
  taskId?: string
  /** The same, as clients of the original Agentry write it. */
  task_id?: string
  metadata?: JsonObject
  sessionId?: string
  mode?: 'queue' | 'steer'
}

/**
 * Clients of the original Agentry send keys that have no value: null for a map, and null or "" for a text. What `isNothing` is true for
 * is taken for left out.
 */
function withoutNothings<T>(
  isNothing: (value: unknown, key: string) => boolean,
  schema: z.ZodType<T>,
): z.ZodType<T> {
  return z.preprocess((body) => {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
    return Object.fromEntries(Object.entries(body).filter(([key, value]) => !isNothing(value, key)))
  }, schema)
}

export const messageBody: z.ZodType<MessageBody> = withoutNothings(
  (value, key) => value === null || (value === '' && key !== 'input'),
  strictObject({
    input: z.string(),
    from: maybe(z.string()),
    taskId: maybe(z.string()),
    task_id: maybe(z.string()),
    metadata: maybe(jsonObject),
    sessionId: maybe(z.string()),
    mode: maybe(z.enum(['queue', 'steer'])),
  }).openapi('Message', { example: { input: 'echo hello' } }),
)

const sessionFields = {
  description: maybe(z.string()),
  workingDir: maybe(z.string()),
  prompt: maybe(z.string()),
}

export const createSessionBody: z.ZodType<CreateSessionInput> = withoutNothings(
  (value) => value === null,
  strictObject({
    name: z.string(),
    ...sessionFields,
    vars: maybe(vars),
    metadata: maybe(jsonObject),
  }).openapi('CreateSession', { example: { name: 'work' } }),
)

export const sessionPatchBody: z.ZodType<SessionPatch> = strictObject({
  name: maybe(z.string()),
  ...sessionFields,
  vars: maybe(z.record(z.string(), z.union([z.string(), z.null()]))),
  metadata: maybe(z.record(z.string(), json)),
}).openapi('SessionPatch', {
  description: 'A merge patch: null removes a var or a key.',
  example: { name: 'renamed', vars: { KEY: null } },
})

export const importBody: z.ZodType<ImportedSession> = strictObject({
  name: z.string(),
  ...sessionFields,
  vars: maybe(vars),
  metadata: maybe(jsonObject),
  status: z.enum(SESSION_STATUSES),
  memory: z.array(memoryEntry),
}).openapi('ImportedSession', { example: { name: 'imported', status: 'suspended', memory: [] } })

export const forkBody: z.ZodType<{ name?: string }> = strictObject({
  name: maybe(z.string()),
}).openapi('Fork', { example: { name: 'branch' } })

export const cancelBody: z.ZodType<{ turnId?: string }> = strictObject({
  turnId: maybe(z.string()),
}).openapi('Cancel', { example: {} })

export const answerBody: z.ZodType<{ decision: ApprovalDecision; reason?: string }> = strictObject({
  decision: z.enum(APPROVAL_DECISIONS),
  reason: maybe(z.string()),
}).openapi('Answer', { example: { decision: 'once' } })

export const spawnBody: z.ZodType<AgentSpecInput> = strictObject({
  id: z.string(),
  behavior: z.string(),
  role: maybe(z.string()),
  instructions: maybe(z.string()),
  workingDir: maybe(z.string()),
  ...llmInput,
  restart: maybe(
    strictObject({
      type: maybe(z.enum(RESTART_TYPES)),
      maxRestarts: maybe(z.int()),
      withinMs: maybe(z.int()),
    }),
  ),
  limits: maybe(strictObject({ memoryMb: maybe(z.number()), turnMs: maybe(z.int()), ...limitFields })),
}).openapi('SpawnAgent', { example: { id: 'ops', behavior: 'shell', role: 'runs commands' } })

export type CleanupBody = RetentionPolicy & { dryRun?: boolean }

export const cleanupBody: z.ZodType<CleanupBody> = strictObject({
  maxAgeMs: maybe(z.number().nonnegative()),
  maxCount: maybe(z.int().nonnegative()),
  includeSuspended: maybe(z.boolean()),
  dryRun: maybe(z.boolean()),
}).openapi('Cleanup', { example: { maxCount: 100, dryRun: true } })

// Headers, paths and queries.

/** Of an answer. */
export const locationHeader: z.ZodObject<{ location: z.ZodString }> = z.object({
  location: z.string().openapi({ description: 'A path of this gateway.' }),
})

export const preferHeader: z.ZodObject<{ prefer: z.ZodOptional<z.ZodString> }> = z.object({
  prefer: z
    .string()
    .optional()
    .openapi({ description: 'With `respond-async` the answer does not wait for the turn.' }),
})

export const agentId: z.ZodType<string, string> = z
  .string()
  .superRefine(issueOf(assertAgentId))
  .openapi({ param: { name: 'agent', in: 'path' }, example: 'ops' })

export const sessionId: z.ZodType<string, string> = z
  .string()
  .superRefine(issueOf(assertSessionId))
  .openapi({ param: { name: 'id', in: 'path' }, format: 'uuid' })

export const taskId: z.ZodType<string, string> = z
  .string()
  .superRefine(issueOf(assertTaskId))
  .openapi({ param: { name: 'taskId', in: 'path' } })

export const approvalId: z.ZodType<string, string> = z
  .string()
  .superRefine(issueOf(assertSessionId))
  .openapi({ param: { name: 'id', in: 'path' }, format: 'uuid' })

const limit: z.ZodType<number> = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'expected a whole number from 1 on')
  .transform((text) => Math.min(Number(text), MAX_LIMIT))
  .optional()
  .transform((value) => value ?? DEFAULT_LIMIT)
  .openapi({ type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })

const cursor: z.ZodType<string | undefined> = z
  .string()
  .optional()
  .openapi({ description: 'The `nextCursor` of the page before.' })

const flag: z.ZodType<boolean> = z
  .enum(['true', 'false'])
  .optional()
  .transform((text) => text === 'true')
  .openapi({ type: 'boolean', default: false })

type Flag = z.ZodType<boolean>

export const pageQuery: z.ZodObject<{ limit: typeof limit; cursor: typeof cursor }> = z.object({
  limit,
  cursor,
})

export const sessionListQuery: z.ZodObject<{
  limit: typeof limit
  cursor: typeof cursor
  status: z.ZodOptional<z.ZodType<SessionStatus>>
  search: z.ZodOptional<z.ZodString>
  trashed: Flag
}> = z.object({
  limit,
  cursor,
  status: z.enum(SESSION_STATUSES).optional(),
  search: z.string().max(1_000).optional().openapi({ description: 'In name and description, in any case.' }),
  trashed: flag,
})

export type SessionListQuery = z.output<typeof sessionListQuery>

/** `cancel`: end the running turn and the queue first, instead of waiting for them. */
export const commandQuery: z.ZodObject<{ cancel: Flag }> = z.object({ cancel: flag })
export const terminateQuery: z.ZodObject<{ cancel: Flag; purge: Flag }> = z.object({
  cancel: flag,
  purge: flag,
})
export const removeQuery: z.ZodObject<{ remove: Flag }> = z.object({ remove: flag })
