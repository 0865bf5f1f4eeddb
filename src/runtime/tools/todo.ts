import { z } from 'zod'
import { defineTool } from './define-tool.ts'
import type { Tool } from './tool.ts'

/** The key of the session's metadata that the list is kept under. */
const TODO_KEY = 'todo'

/** An entry of the list, as it stands in the session's metadata. */
// oxlint-disable-next-line typescript/consistent-type-definitions -- an interface is no Json
type TodoItem = { text: string; status: 'pending' | 'in_progress' | 'done' }

const LIST = z
  .array(
    z.strictObject({
      text: z.string().min(1).max(500),
      status: z.enum(['pending', 'in_progress', 'done']),
    }),
  )
  .max(100)

const MARKS: Readonly<Record<TodoItem['status'], string>> = {
  pending: '[ ]',
  in_progress: '[>]',
  done: '[x]',
}

export const todoTool: Tool = defineTool({
  name: 'todo',
  description:
    'Keeps the list of what you have to do in this session. Give the whole list to replace it, nothing to read it. Answers the list.',
  input: z.strictObject({ items: LIST.optional() }),
  async execute({ items }, context) {
    if (items === undefined) return shown(todoListOf(context.metadata))
    await context.updateSession({ metadata: { [TODO_KEY]: items.length === 0 ? null : items } })
    return shown(items)
  },
})

/** The list in a session's metadata; empty where there is none, or something else is kept under its key. */
function todoListOf(metadata: Readonly<Record<string, unknown>>): TodoItem[] {
  const kept = LIST.safeParse(metadata[TODO_KEY])
  return kept.success ? kept.data : []
}

function shown(items: readonly TodoItem[]): string {
  if (items.length === 0) return '[the list is empty]'
  return items.map(({ text, status }) => `${MARKS[status]} ${text}`).join('\n')
}
