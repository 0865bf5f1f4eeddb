/** The behavior `llm` with a model whose answers a test wrote, and tools that note what they are given. */
import { z } from 'zod'
import type { Behavior } from '../../src/behavior.ts'
import type { ToolCall } from '../../src/core/session-state.ts'
import type { PermissionRules } from '../../src/core/permissions/rule-types.ts'
import { resolveAgentSpec } from '../../src/options.ts'
import { createJudge } from '../../src/runtime/behaviors/llm/judge.ts'
import { createLlmBehavior } from '../../src/runtime/behaviors/llm/llm-behavior.ts'
import { createTeamTools } from '../../src/runtime/behaviors/llm/team-tools.ts'
import type { ModelStep } from '../../src/runtime/models/model-step.ts'
import { defineTool } from '../../src/runtime/tools/define-tool.ts'
import type { Tool } from '../../src/runtime/tools/tool.ts'

export interface ScriptedLlmOptions {
  /** One after the other; behind the last one the model answers `end`. */
  steps?: Partial<ModelStep>[]
  tools: readonly Tool[]
  permissions?: PermissionRules
}

export function scriptedLlm({ steps = [], tools, permissions = {} }: ScriptedLlmOptions): Behavior {
  const left = [...steps]
  const spec = resolveAgentSpec({ id: 'probed', behavior: 'llm', model: 'openai/none' }, '/')
  const { llm } = spec
  if (llm === undefined) throw new Error('expected settings of a model')
  const own = tools.map((tool): [string, Tool] => [tool.name, tool])
  return createLlmBehavior({
    spec,
    llm,
    models: {
      step: async () => ({
        model: llm.model,
        content: 'end',
        toolCalls: [],
        finishReason: 'stop',
        ...left.shift(),
      }),
    },
    tools: async (context) => new Map([...createTeamTools(() => context), ...own]),
    judge: createJudge(permissions),
    teamLimits: {},
    close: () => Promise.resolve(),
  })
}

/** A step that asks for these calls. */
export function calling(...toolCalls: ToolCall[]): Partial<ModelStep> {
  return { content: '', toolCalls, finishReason: 'tool-calls' }
}

export interface NotedTool {
  name: string
  /** What permission rules look at, asked for each time a call is judged. */
  subject?: () => string
  run?: () => Promise<string> | string
}

/** A tool that takes any object, and adds its name and its input to `ran` when it is run. */
export function notedTool(ran: [name: string, input: object][], { name, subject, run }: NotedTool): Tool {
  return defineTool({
    name,
    description: 'Notes.',
    input: z.looseObject({}),
    ...(subject && { subject: () => ({ kind: 'text', text: subject() }) }),
    execute(input) {
      ran.push([name, input])
      return run?.() ?? 'done'
    },
  })
}
