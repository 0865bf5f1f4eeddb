/** Headers, paths and queries. */
import { z } from '@hono/zod-openapi'
import { assertAgentId, assertApprovalId, assertSessionId, assertTaskId } from '../../core/ids.ts'
import { SESSION_STATUSES, type SessionStatus } from '../../core/session-state.ts'
import { issueOf } from '../../validation.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../cursor.ts'

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
  .superRefine(issueOf(assertApprovalId))
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

/** Of those of one agent, where it is named. */
export const approvalListQuery: z.ZodObject<{
  limit: typeof limit
  cursor: typeof cursor
  agent: z.ZodOptional<z.ZodType<string, string>>
}> = z.object({ limit, cursor, agent: z.string().superRefine(issueOf(assertAgentId)).optional() })

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
