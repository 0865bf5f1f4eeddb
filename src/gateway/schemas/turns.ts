/** Turns, what is in them, and what comes of them. */
import { z } from '@hono/zod-openapi'
import type { MemoryEntry, OpenTurn, SessionState, Usage, UsageTotal } from '../../core/session-state.ts'
import type { Message } from '../../core/record.ts'
import type { Outcome } from '../../protocol/from-agent.ts'
import { maybe, type ShapeOf } from '../maybe.ts'
import { approvalAnswerFields, askedBy } from './approvals.ts'
import { id, json, jsonObject, time, wireError } from './values.ts'

export const usage: z.ZodType<Usage> = z
  .object({
    inputTokens: z.number(),
    outputTokens: z.number(),
    cachedInputTokens: maybe(z.number()),
    reasoningTokens: maybe(z.number()),
    costUsd: maybe(z.number()),
  })
  .openapi('Usage')

export const totals: ShapeOf<UsageTotal> = {
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

const toolCall = z
  .object({ toolCallId: z.string(), name: z.string(), input: json, problem: maybe(z.string()) })
  .openapi('ToolCall')

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

export const messageFields: ShapeOf<Message> = {
  turnId: id,
  taskId: z.string(),
  input: z.string(),
  from: maybe(z.string()),
  metadata: maybe(jsonObject),
  mode: maybe(z.literal('steer')),
  askedBy: maybe(askedBy),
}

export const openTurn: z.ZodType<OpenTurn> = z
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
        answer: maybe(z.object({ ...approvalAnswerFields, subject: maybe(z.string()) })),
      }),
    ),
    steps: z.int(),
    usage: usageTotal,
    steered: z.array(z.object({ turnId: id, taskId: z.string() })),
  })
  .openapi('OpenTurn')

export const finishedTurns: z.ZodType<SessionState['tasks']> = z.array(
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
