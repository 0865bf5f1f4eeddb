/** The open questions of agents, and the answers. */
import { z } from '@hono/zod-openapi'
import type { ApprovalInfo } from '../../api.ts'
import type { AskedBy } from '../../core/record.ts'
import {
  type Approval,
  type ApprovalAnswer,
  APPROVAL_DECISIONS,
  type ApprovalDecision,
  type Grant,
} from '../../core/session-state.ts'
import { strictObject } from '../../validation.ts'
import { maybe, type ShapeOf } from '../maybe.ts'
import { id, time } from './values.ts'

export const askedBy: z.ZodType<AskedBy> = z
  .object({ agentId: z.string(), turnId: id, depth: z.int() })
  .openapi('AskedBy')

export const grant: z.ZodType<Grant> = z
  .object({ tool: z.string(), pattern: maybe(z.string()) })
  .openapi('Grant')

const approvalFields = {
  approvalId: id,
  turnId: id,
  toolCallId: z.string(),
  tool: z.string(),
  subject: z.string(),
  detail: maybe(z.string()),
  reason: z.string(),
  grant,
  askedAt: time,
  expiresAt: time,
}
export const approval: z.ZodType<Approval> = z.object(approvalFields).openapi('Approval')

export const approvalInfo: z.ZodType<ApprovalInfo> = z
  .object({
    ...approvalFields,
    agentId: z.string(),
    sessionId: id,
    sessionName: z.string(),
    askedBy: maybe(askedBy),
  })
  .openapi('ApprovalInfo', {
    example: {
      approvalId: '0199c0de-0000-7000-8000-000000000001',
      turnId: '0199c0de-0000-7000-8000-000000000002',
      toolCallId: 'call-1',
      tool: 'shell',
      subject: 'npm publish',
      reason: 'no rule allows it',
      grant: { tool: 'shell', pattern: 'npm publish' },
      askedAt: '2026-11-30T09:00:00.000Z',
      expiresAt: '2026-11-30T10:00:00.000Z',
      agentId: 'coder',
      sessionId: '0199c0de-0000-7000-8000-000000000003',
      sessionName: 'work',
    },
  })

export const approvalAnswerFields: ShapeOf<ApprovalAnswer> = {
  decision: z.enum(APPROVAL_DECISIONS),
  reason: maybe(z.string()),
  by: z.enum(['person', 'timeout']),
}

export const answerBody: z.ZodType<{ decision: ApprovalDecision; reason?: string }> = strictObject({
  decision: z.enum(APPROVAL_DECISIONS),
  reason: maybe(z.string()),
}).openapi('Answer', { example: { decision: 'deny', reason: 'not on a Friday' } })
