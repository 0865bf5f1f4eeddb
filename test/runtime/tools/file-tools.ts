import { onTestFinished } from 'vitest'
import { Reaper } from '../../../src/runtime/processes/reaper.ts'
import { type BuiltInToolOptions, createBuiltInTools } from '../../../src/runtime/tools/built-in-tools.ts'
import { scratchDirectory } from '../processes/processes.ts'
import { type FakeToolContext, text, toolContext, use } from './tool-context.ts'
import type { ToolResult } from '../../../src/behavior.ts'

export interface ToolBench {
  /** The working directory. */
  directory: string
  context: FakeToolContext
  /** Runs a tool in the session. */
  run: (name: string, input: unknown, context?: FakeToolContext) => Promise<string>
  /** As `run`, the whole result. */
  result: (name: string, input: unknown, context?: FakeToolContext) => Promise<ToolResult>
  subject: (name: string, input: unknown) => unknown
  /** Another session in the same directory. */
  otherSession: () => FakeToolContext
}

/** The built-in tools in a directory of their own. */
export function toolBench(options: Partial<BuiltInToolOptions> & { directory?: string } = {}): ToolBench {
  const directory = options.directory ?? scratchDirectory()
  const reaper = new Reaper()
  onTestFinished(() => reaper.close())
  const tools = createBuiltInTools({ reaper, allowedPaths: [], outputBytes: 64 * 1024, ...options })
  const context = toolContext(directory)
  return {
    directory,
    context,
    run: (name, input, other = context) => text(tools.get(name), input, other),
    result: (name, input, other = context) => use(tools.get(name), input, other),
    subject(name, input) {
      const tool = tools.get(name)
      return tool?.subject?.(tool.parse(input), context)
    },
    otherSession: () => toolContext(directory),
  }
}
