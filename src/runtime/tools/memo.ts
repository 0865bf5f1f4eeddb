/**
 * What an agent notes down for later turns, in the session's vars.
 *
 * Notes have a prefix of their own: vars are the environment of the session's commands, and a model that could set PATH or LD_PRELOAD
 * there would turn every command that a rule allows into any other. Names with AGENTRY_ are never handed to commands.
 */
import { z } from 'zod'
import { AgentryError } from '../../errors.ts'
import { defineTool } from './define-tool.ts'
import type { Tool } from './tool.ts'

const MEMO_PREFIX = 'AGENTRY_MEMO_'

const MAX_VALUE_BYTES = 16 * 1024
const MAX_NOTES = 200

const NAME = z
  .string()
  .regex(/^[A-Za-z0-9_]{1,64}$/, { error: 'expected 1 to 64 letters, digits and _' })
  .describe('Name of the note: letters, digits and _.')

export const rememberTool: Tool = defineTool({
  name: 'remember',
  description:
    'Notes something down under a name for later turns of this session. Without a value, or with null, the note is removed.',
  input: z.strictObject({ name: NAME, value: z.string().nullable().default(null) }),
  subject: ({ name }) => ({ kind: 'text', text: name }),
  async execute({ name, value }, context) {
    const { vars } = context
    const key = MEMO_PREFIX + name
    if (value !== null) checkSize(value, Object.hasOwn(vars, key) ? 0 : notesOf(vars).length)
    if (value === null && !Object.hasOwn(vars, key)) return `there is no note ${name}`
    await context.updateSession({ vars: { [key]: value } })
    return value === null ? `removed ${name}` : `noted ${name}`
  },
})

export const recallTool: Tool = defineTool({
  name: 'recall',
  description:
    'Gives a note of this session, or a variable that was set for it; without a name the names of all.',
  input: z.strictObject({ name: NAME.optional() }),
  readOnly: true,
  subject: ({ name = '' }) => ({ kind: 'text', text: name }),
  execute({ name }, { vars }) {
    if (name === undefined) {
      const names = [...notesOf(vars), ...Object.keys(vars).filter((key) => !key.startsWith(MEMO_PREFIX))]
      return names.length === 0 ? '[there are no notes]' : names.sort().join('\n')
    }
    for (const key of [MEMO_PREFIX + name, name]) if (Object.hasOwn(vars, key)) return vars[key] ?? ''
    throw new AgentryError(
      'tool_failed',
      `there is no note ${name}; there are: ${notesOf(vars).sort().join(', ') || 'none'}`,
    )
  },
})

function notesOf(vars: Readonly<Record<string, string>>): string[] {
  return Object.keys(vars)
    .filter((key) => key.startsWith(MEMO_PREFIX))
    .map((key) => key.slice(MEMO_PREFIX.length))
}

function checkSize(value: string, notes: number): void {
  const bytes = Buffer.byteLength(value)
  if (bytes > MAX_VALUE_BYTES) {
    throw new AgentryError(
      'invalid_input',
      `value: expected at most ${MAX_VALUE_BYTES} bytes, received ${bytes}`,
    )
  }
  if (notes >= MAX_NOTES) {
    throw new AgentryError(
      'tool_failed',
      `there are ${notes} notes already, the most there can be: remove some`,
    )
  }
}
