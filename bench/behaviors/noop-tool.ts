import { z } from 'zod'
import { defineTool } from '../../src/runtime/tools/define-tool.ts'
import type { Tool } from '../../src/runtime/tools/tool.ts'

const noop: Tool<{ value: number }> = defineTool({
  name: 'noop',
  description: 'Gives back what it is given.',
  input: z.strictObject({ value: z.number() }),
  execute: ({ value }) => String(value),
})

export default noop
