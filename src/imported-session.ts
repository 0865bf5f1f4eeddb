/** The form of a session that comes from elsewhere, whole: from a program, or out of a file. */
import { z } from 'zod'
import { assertJson, type Json, type JsonObject } from './core/json.ts'
import { SESSION_STATUSES } from './core/session-state.ts'
import { AgentryError } from './errors.ts'
import type { ImportedSession } from './protocol/commands.ts'
import { assertCreateInput } from './protocol/session-input.ts'
import { issueOf, pathText, problemsOf } from './validation.ts'

const text = z.string().refine((value) => value.isWellFormed(), 'expected well-formed Unicode text')
const time = z.iso.datetime('expected a time in ISO 8601 and UTC')
// Not z.json(): that overflows the stack where a value is nested deeply.
const json = z.unknown().transform(issueOf(asJson))
const tokens = z.number().nonnegative()

/** An object whose unknown keys are left out, and whose keys may hold undefined where they may be missing. */
function openObject<T extends z.core.$ZodLooseShape>(shape: T): z.ZodPreprocess<z.ZodObject<T>> {
  return z.preprocess(withoutUndefined, z.object(shape))
}

function asJson(value: unknown): Json {
  assertJson(value, 'value')
  return value
}

function asJsonObject(value: unknown): JsonObject {
  const object = asJson(value)
  if (typeof object === 'object' && object !== null && !Array.isArray(object)) return object
  throw new AgentryError('invalid_input', 'expected an object')
}

function withoutUndefined(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined))
}

const memoryEntry = openObject({
  at: time,
  turnId: text,
  role: z.enum(['user', 'assistant', 'tool']),
  content: text,
  toolCalls: z
    .array(openObject({ toolCallId: text, name: text, input: json, problem: text.exactOptional() }))
    .exactOptional(),
  toolCallId: text.exactOptional(),
  usage: z.object({ inputTokens: tokens, outputTokens: tokens }).exactOptional(),
}).transform((entry) => ({ seq: 1, ...entry }))

const schema = openObject({
  name: text,
  description: text.exactOptional(),
  workingDir: text.exactOptional(),
  prompt: text.exactOptional(),
  vars: z.record(text, text).exactOptional(),
  metadata: z.unknown().transform(issueOf(asJsonObject)).exactOptional(),
  status: z.enum(SESSION_STATUSES),
  memory: z.array(memoryEntry),
})

/**
 * The session in `value`, without keys that a session has not: a SessionState can be given as it is. Throws `invalid_input` with a
 * line for everything that is wrong.
 */
export function parseImportedSession(value: unknown): ImportedSession {
  const parsed = schema.safeParse(value, { reportInput: true })
  if (!parsed.success) {
    const problems = problemsOf(parsed.error)
    const lines = problems.map(({ path, message }) => `${pathText(path) || 'session'}: ${message}`)
    throw new AgentryError('invalid_input', lines.join('\n'), { data: { problems } })
  }
  assertCreateInput(parsed.data)
  return parsed.data
}
