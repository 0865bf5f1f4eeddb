/** Messages to agents. */
import { z } from '@hono/zod-openapi'
import type { JsonObject } from '../../core/json.ts'
import { strictObject } from '../../validation.ts'
import { maybe } from '../maybe.ts'
import { withoutNothings } from './original-clients.ts'
import { jsonObject } from './values.ts'

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

export const cancelBody: z.ZodType<{ turnId?: string }> = strictObject({
  turnId: maybe(z.string()),
}).openapi('Cancel', { example: {} })
