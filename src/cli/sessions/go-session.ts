/**
 * Session files of the original Agentry, written in Go. Pure.
 *
 * Its form (`SessionState` of internal/sessions, `Step` of internal/memory and `ToolCall` of internal/model in
 * github.com/marcodenic/agentry), as encoding/json writes it: snake_case names at the top, Go's own names inside `memory`, null for
 * nil slices and maps, base64 for the bytes of Arguments, `0001-01-01T00:00:00Z` for a time that was never set. Of a turn it
 * keeps what the model said, its tool calls and their results by call id, but not the message that asked for it.
 *
 * The reading is liberal: names in any case and with or without underscores, parts left out, strings where JSON could be.
 */
import { createId } from '../../core/ids.ts'
import { assertJson, type Json, type JsonObject } from '../../core/json.ts'
import type { MemoryEntry, ToolCall } from '../../core/session-state.ts'
import { plainLine } from '../../core/terminal-text.ts'
import type { FileOrigin, SessionFile } from './session-file.ts'

type Fields = ReadonlyMap<string, Json>

const MARKS = ['agentid', 'workingdir', 'lastaccessedat', 'memory', 'vars']
const GO_ZERO_MS = Date.parse('0001-01-01T00:00:00Z')
const VAR_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** True where at least two of the fields that such a file has are there. */
export function looksLikeGoSession(value: Json): boolean {
  const fields = fieldsOf(value)
  return MARKS.filter((mark) => fields.has(mark)).length >= 2
}

export function goSession(value: Json, origin: FileOrigin): SessionFile {
  const fields = fieldsOf(value)
  const createdAt = timeOf(fields.get('createdat'))
  const at = timeOf(fields.get('lastaccessedat')) ?? createdAt ?? new Date(origin.nowMs).toISOString()
  const agentId = textOf(fields.get('agentid'))
  const { vars, unusable } = varsOf(fields.get('vars'))
  const notes = Object.keys(unusable).map(
    (name) =>
      `the var ${JSON.stringify(name)} cannot be an environment variable: it is kept in metadata.importedFrom.vars`,
  )
  const importedFrom: JsonObject = {
    format: 'go',
    id: textOf(fields.get('id')),
    agentId,
    ...(createdAt !== undefined && { createdAt }),
    ...(Object.keys(unusable).length > 0 && { vars: unusable }),
  }
  return {
    session: {
      name: plainLine(textOf(fields.get('name'))) || plainLine(origin.name),
      description: textOf(fields.get('description')),
      status: textOf(fields.get('status')).toLowerCase() === 'terminated' ? 'terminated' : 'suspended',
      ...(textOf(fields.get('workingdir')) !== '' && { workingDir: textOf(fields.get('workingdir')) }),
      prompt: textOf(fields.get('prompt')),
      vars,
      metadata: { ...objectOf(fields.get('metadata')), importedFrom },
      memory: listOf(fields.get('memory')).flatMap((step) => entriesOf(step, at, origin.nowMs)),
    },
    ...(agentId !== '' && { agentId }),
    notes,
  }
}

/** One step: what the model said with its calls, then a result for each call. */
function entriesOf(step: Json, at: string, nowMs: number): MemoryEntry[] {
  const fields = fieldsOf(step)
  const turnId = createId(nowMs)
  const toolCalls = listOf(fields.get('toolcalls')).map(toolCallOf)
  const answer: MemoryEntry = {
    seq: 1,
    at,
    turnId,
    role: 'assistant',
    content: textOf(fields.get('output')),
    ...(toolCalls.length > 0 && { toolCalls }),
  }
  const results = Object.entries(objectOf(fields.get('toolresults'))).map(
    ([toolCallId, content]): MemoryEntry => ({
      seq: 1,
      at,
      turnId,
      role: 'tool',
      content: textOf(content),
      toolCallId,
    }),
  )
  // Go writes maps in the order of their keys: the order of the calls is the one in which they came.
  const order = toolCalls.map((call) => call.toolCallId)
  const place = (entry: MemoryEntry): number => order.indexOf(entry.toolCallId ?? '') + 1 || order.length + 1
  return [answer, ...results.toSorted((a, b) => place(a) - place(b))]
}

function toolCallOf(value: Json): ToolCall {
  const fields = fieldsOf(value)
  const called = fieldsOf(fields.get('function'))
  return {
    toolCallId: textOf(fields.get('id')) || createId(),
    name: textOf(fields.get('name') ?? called.get('name')),
    input: argumentsOf(fields.get('arguments') ?? called.get('arguments')),
  }
}

/** JSON, JSON in a string, or JSON in base64 (how Go writes bytes); any other text stays text. */
function argumentsOf(value: Json | undefined): Json {
  if (typeof value !== 'string') return value ?? {}
  return jsonIn(value) ?? jsonIn(Buffer.from(value, 'base64').toString('utf8')) ?? value
}

function jsonIn(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    assertJson(value, 'arguments')
    return value
  } catch {
    return undefined // No JSON that can be kept: there are other readings of the text.
  }
}

/** Those that can be environment variables, and the others; what is not text becomes JSON text. */
function varsOf(value: Json | undefined): { vars: Record<string, string>; unusable: JsonObject } {
  const vars: Record<string, string> = {}
  const unusable: JsonObject = {}
  for (const [name, content] of Object.entries(objectOf(value))) {
    const text = textOf(content)
    if (VAR_NAME.test(name) && !text.includes('\0')) vars[name] = text
    else unusable[name] = text
  }
  return { vars, unusable }
}

/** An object's values by name, in lower case and without underscores; empty for anything but an object. */
function fieldsOf(value: Json | undefined): Fields {
  return new Map(
    Object.entries(objectOf(value)).map(([name, item]) => [name.toLowerCase().replaceAll('_', ''), item]),
  )
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {}
}

function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: Json | undefined): string {
  if (value === undefined || value === null) return ''
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** ISO 8601 in UTC; undefined for no time, and for Go's zero time, which stands for a time that was never set. */
function timeOf(value: Json | undefined): string | undefined {
  const ms = typeof value === 'string' ? Date.parse(value) : Number.NaN
  return Number.isNaN(ms) || ms <= GO_ZERO_MS ? undefined : new Date(ms).toISOString()
}
