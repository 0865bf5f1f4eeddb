import type { ToolResult } from '../../../behavior.ts'
import { describeThrown } from '../../../errors.ts'
import { CommandOutput } from '../../processes/command-output.ts'
import type { Tool } from '../../tools/tool.ts'

/** The least that CommandOutput takes. */
const MIN_BYTES = 128

/**
 * The same tool with results that a model can read: text of more than `maxBytes` in UTF-8, and what the tool throws, is cut in the
 * middle, and marked. What is no text is passed on, for whoever records it to refuse.
 */
export function cappedTool(tool: Tool, maxBytes: number): Tool {
  const cut = (text: string): string => {
    if (typeof text !== 'string' || Buffer.byteLength(text) <= maxBytes) return text
    const kept = new CommandOutput(Math.max(maxBytes, MIN_BYTES))
    kept.write(text)
    return kept.text()
  }
  return {
    ...tool,
    async execute(input, context): Promise<ToolResult | string> {
      try {
        const result = await tool.execute(input, context)
        return typeof result === 'string' ? cut(result) : { ...result, content: cut(result.content) }
      } catch (error) {
        const told = describeThrown(error)
        const content = cut(told)
        if (content === told) throw error
        return { content, outcome: 'error' }
      }
    },
  }
}
