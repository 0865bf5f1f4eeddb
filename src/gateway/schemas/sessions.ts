/** Sessions: what of them is shown, and what they are made and changed with. */
import { z } from '@hono/zod-openapi'
import type { SessionInfo } from '../../api.ts'
import { SESSION_STATUSES, type SessionState } from '../../core/session-state.ts'
import type { CreateSessionInput, ImportedSession, SessionPatch } from '../../protocol/commands.ts'
import type { SessionNote } from '../../store/session-store.ts'
import { strictObject } from '../../validation.ts'
import { maybe } from '../maybe.ts'
import { approval, grant } from './approvals.ts'
import { withoutNothings } from './original-clients.ts'
import { finishedTurns, memoryEntry, messageFields, openTurn, totals } from './turns.ts'
import { id, json, jsonObject, time, vars } from './values.ts'

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
  summary: maybe(z.object({ text: z.string(), throughSeq: z.int(), seq: maybe(z.int()) })),
  grants: z.array(grant),
  approvals: z.array(approval),
  turn: z.union([openTurn, z.null()]),
  queue: z.array(z.object(messageFields)),
}

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
export const note: z.ZodType<SessionNote> = z
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
