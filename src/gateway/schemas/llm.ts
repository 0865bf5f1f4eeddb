/** The forms of what llm agents are set to. */
import { z } from '@hono/zod-openapi'
import type { AgentLimits } from '../../agent-spec.ts'
import type { LlmSpecInput } from '../../api.ts'
import { PERMISSIONS, type PermissionRules } from '../../core/permissions/rule-types.ts'
import type { LlmSpec, McpServerSpec } from '../../llm-spec.ts'
import { strictObject } from '../../validation.ts'
import { maybe } from '../maybe.ts'

const words = z.record(z.string(), z.string())
const patterns = z.array(z.string())
const permission = z.enum(PERMISSIONS)

const permissions: z.ZodType<PermissionRules> = z
  .record(
    z.string(),
    z.union([
      permission,
      strictObject({
        allow: maybe(patterns),
        ask: maybe(patterns),
        deny: maybe(patterns),
        default: maybe(permission),
      }),
    ]),
  )
  .openapi('Permissions')

const stdio = { type: z.literal('stdio'), command: z.string() }
const stdioRest = { args: z.array(z.string()), env: words, envFrom: z.array(z.string()), startMs: z.int() }
const http = { type: z.literal('http'), url: z.string(), tokenEnv: maybe(z.string()) }
const httpRest = { headers: words, startMs: z.int() }

const mcpServer: z.ZodType<McpServerSpec> = z.discriminatedUnion('type', [
  z.object({ ...stdio, ...stdioRest }),
  z.object({ ...http, ...httpRest }),
])

export const llmSpec: z.ZodType<LlmSpec> = z
  .object({
    model: z.string(),
    fallbacks: z.array(z.string()),
    tools: z.array(z.string()),
    permissions,
    mcpServers: z.record(z.string(), mcpServer),
    allowedPaths: z.array(z.string()),
    maxOutputTokens: maybe(z.int()),
    temperature: maybe(z.number()),
    contextTokens: z.int(),
    approvalMs: z.int(),
  })
  .openapi('LlmSpec')

const mcpServerInput: z.ZodType<NonNullable<LlmSpecInput['mcpServers']>[string]> = z.discriminatedUnion(
  'type',
  [
    strictObject({
      ...stdio,
      args: maybe(stdioRest.args),
      env: maybe(words),
      envFrom: maybe(stdioRest.envFrom),
      startMs: maybe(z.int()),
    }),
    strictObject({ ...http, headers: maybe(words), startMs: maybe(z.int()) }),
  ],
)

type Optional<T> = z.ZodExactOptional<z.ZodType<T>>
type ShapeOf<T> = { [Key in keyof T]-?: Optional<NonNullable<T[Key]>> }
type LlmInputShape = ShapeOf<LlmSpecInput>
type LimitShape = ShapeOf<Omit<AgentLimits, 'memoryMb' | 'turnMs'>>

/** The keys of a spawned llm agent, beside `behavior`. */
export const llmInput: LlmInputShape = {
  model: maybe(z.string().openapi({ example: 'ollama/qwen3-coder' })),
  fallbacks: maybe(z.array(z.string())),
  tools: maybe(z.array(z.string())),
  permissions: maybe(permissions),
  mcpServers: maybe(z.record(z.string(), mcpServerInput)),
  allowedPaths: maybe(z.array(z.string())),
  maxOutputTokens: maybe(z.int()),
  temperature: maybe(z.number()),
  contextTokens: maybe(z.int()),
  approvalMs: maybe(z.int()),
}

/** What an agent may use. */
export const limitFields: LimitShape = {
  maxSteps: maybe(z.int()),
  maxTokens: maybe(z.int()),
  maxCostUsd: maybe(z.number()),
  sessionTokens: maybe(z.int()),
  sessionCostUsd: maybe(z.number()),
}
