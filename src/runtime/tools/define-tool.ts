/**
 * How a tool is made, by Agentry's own and by users' modules. Without imports of its own but for errors, so that a module which
 * uses it stays light: the schema object that it is given brings what is needed, from the author's own copy of zod.
 */
import type { z } from 'zod'
import { assertJson, type Json } from '../../core/json.ts'
import { AgentryError } from '../../errors.ts'
import type { Tool, ToolDefinition } from './tool.ts'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
/** How many faults of one input are told. */
const MAX_ISSUES = 8

/** What tells a tool made here from anything else a module may export, whichever copy of Agentry made it. */
const MARK = Symbol.for('agentry.tool')

/**
 * Makes a tool. `parse` refuses with `invalid_input`, in words by which a model can mend its call. Throws `invalid_input` where the
 * name is none that providers take, or where the schema is of no object or says what no JSON Schema can (a transform at its input).
 */
export function defineTool<Schema extends z.ZodType>(
  definition: ToolDefinition<Schema>,
): Tool<z.output<Schema>> {
  const { name, description, input, readOnly = false } = definition
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new AgentryError(
      'invalid_input',
      `name of a tool: expected 1 to 64 of A-Z, a-z, 0-9, _ and -, received ${JSON.stringify(name) ?? typeof name}`,
    )
  }
  if (typeof definition.execute !== 'function') {
    throw new AgentryError('invalid_input', `execute of tool ${name}: expected a function`)
  }
  const tool: Tool<z.output<Schema>> & { readonly [MARK]: true } = {
    [MARK]: true,
    name,
    description,
    inputSchema: jsonSchemaOf(input, name),
    readOnly,
    parse: (value) => parsed(input, value, name),
    ...(definition.subject && { subject: definition.subject.bind(definition) }),
    execute: async (value, context) => definition.execute(value, context),
  }
  return tool
}

/** True for what defineTool gave, in whichever copy of this module. */
export function isTool(value: unknown): value is Tool {
  return typeof value === 'object' && value !== null && MARK in value
}

function jsonSchemaOf(schema: z.ZodType, name: string): { [key: string]: Json } {
  const convert = (schema as Partial<z.ZodType> | undefined)?.['~standard']?.jsonSchema?.input
  if (convert === undefined) {
    throw new AgentryError('invalid_input', `input of tool ${name}: expected a schema of zod 4.2 or newer`)
  }
  const { '~standard': _own, ...converted } = convert({ target: 'draft-2020-12' })
  if (converted['type'] !== 'object') {
    throw new AgentryError('invalid_input', `input of tool ${name}: expected a schema of an object`)
  }
  assertJson(converted, `input schema of tool ${name}`)
  return isObject(converted) ? converted : {}
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown, name: string): z.output<Schema> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const told = issues
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => `- ${path.length === 0 ? 'the input' : path.join('.')}: ${message}`)
  if (issues.length > told.length) told.push(`- and ${issues.length - told.length} more`)
  throw new AgentryError(
    'invalid_input',
    `input of tool ${name} does not fit its schema:\n${told.join('\n')}`,
    {
      data: { tool: name, issues: issues.length },
    },
  )
}
