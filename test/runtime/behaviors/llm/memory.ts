/** Conversations for tests, as sessions keep them. */
import type { Json } from '../../../../src/core/json.ts'
import type { MemoryEntry, ToolCall } from '../../../../src/core/session-state.ts'
import type { Usage } from '../../../../src/core/usage.ts'

type Body = Omit<MemoryEntry, 'seq' | 'at' | 'turnId'> & Partial<Pick<MemoryEntry, 'seq' | 'turnId'>>

/** With the seqs 1, 2, … where none is given. */
export function memoryOf(bodies: readonly Body[]): MemoryEntry[] {
  return bodies.map((body, index) => ({
    seq: index + 1,
    at: '2026-01-01T00:00:00.000Z',
    turnId: 't',
    ...body,
  }))
}

export function user(content: string): Body {
  return { role: 'user', content }
}

export function assistant(content: string, calls: readonly string[] = [], usage?: Usage): Body {
  const toolCalls = calls.map((id) => callOf(id))
  return { role: 'assistant', content, ...(calls.length > 0 && { toolCalls }), ...(usage && { usage }) }
}

export function result(toolCallId: string, content = 'done'): Body {
  return { role: 'tool', toolCallId, content, outcome: 'ok' }
}

export function callOf(toolCallId: string, name = 'read', input: Json = { path: toolCallId }): ToolCall {
  return { toolCallId, name, input }
}
