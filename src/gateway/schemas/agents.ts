/** Agents, and the team that they make. */
import { z } from '@hono/zod-openapi'
import type { AgentSpec } from '../../agent-spec.ts'
import type { AgentInfo, AgentSpecInput, AgentState, TeamHealth } from '../../api.ts'
import { RESTART_TYPES } from '../../core/restart-policy.ts'
import type { RetentionPolicy } from '../../store/retention.ts'
import { strictObject } from '../../validation.ts'
import { maybe } from '../maybe.ts'
import { limitFields, llmInput, llmSpec } from './llm.ts'
import { note } from './sessions.ts'
import { usageTotal } from './turns.ts'
import { id, time, wireError } from './values.ts'

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

export type CleanupBody = RetentionPolicy & { dryRun?: boolean }

export const cleanupBody: z.ZodType<CleanupBody> = strictObject({
  maxAgeMs: maybe(z.number().nonnegative()),
  maxCount: maybe(z.int().nonnegative()),
  includeSuspended: maybe(z.boolean()),
  dryRun: maybe(z.boolean()),
}).openapi('Cleanup', { example: { maxCount: 100, dryRun: true } })
