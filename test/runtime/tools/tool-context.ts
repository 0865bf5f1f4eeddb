/** What tests of tools call them with. */
import { createId } from '../../../src/core/ids.ts'
import type { Json } from '../../../src/core/json.ts'
import type { ToolResult } from '../../../src/behavior.ts'
import type { Tool, ToolContext } from '../../../src/runtime/tools/tool.ts'

export interface FakeToolContext extends ToolContext {
  vars: Record<string, string>
  metadata: Record<string, Json>
  emitted: string[]
}

/** The context of one session; updates change its vars and metadata as a session does. */
export function toolContext(workingDir: string, overrides: Partial<ToolContext> = {}): FakeToolContext {
  const context: FakeToolContext = {
    agentId: 'coder',
    sessionId: createId(),
    turnId: createId(),
    toolCallId: createId(),
    workingDir,
    signal: new AbortController().signal,
    emitted: [],
    emit: (text) => void context.emitted.push(text),
    updateSession({ vars = {}, metadata = {} }) {
      apply(context.vars, vars)
      apply(context.metadata, metadata)
      return Promise.resolve()
    },
    ...overrides,
    vars: { ...overrides.vars },
    metadata: { ...overrides.metadata },
  }
  return context
}

function apply<T>(target: Record<string, T>, changes: Record<string, T | null>): void {
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete target[key]
    else target[key] = value
  }
}

/** Parses the input as the loop does, and runs the tool. */
export async function use(tool: Tool | undefined, input: unknown, context: ToolContext): Promise<ToolResult> {
  if (tool === undefined) throw new Error('expected a tool')
  const result = await tool.execute(tool.parse(input), context)
  return typeof result === 'string' ? { content: result } : result
}

/** As `use`, the content alone. */
export async function text(tool: Tool | undefined, input: unknown, context: ToolContext): Promise<string> {
  return (await use(tool, input, context)).content
}
