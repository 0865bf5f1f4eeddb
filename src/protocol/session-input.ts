/** Checks of what callers give for sessions: the same on every door and in behaviors. All throw `invalid_input`. */
import { assertJson, assertText } from '../core/json.ts'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'
import type { CreateSessionInput, SessionPatch } from './commands.ts'

const VAR_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
const MAX_NAME = 200
const MAX_TEXT_BYTES = 1024 * 1024

export function assertCreateInput(input: CreateSessionInput): void {
  if (typeof input.name !== 'string') throw invalid('name', 'text', typeof input.name)
  assertFields(input)
}

export function assertSessionPatch(patch: SessionPatch): void {
  assertFields(patch)
}

function assertFields(fields: SessionPatch): void {
  const { name, description, workingDir, prompt, vars, metadata } = fields
  if (name !== undefined) {
    if (name.trim() === '' || name.length > MAX_NAME) {
      throw invalid('name', `1 to ${MAX_NAME} characters, not only spaces`, quote(name))
    }
    assertText(name, 'name')
  }
  for (const [key, value] of Object.entries({ description, workingDir, prompt })) {
    if (value === undefined) continue
    if (typeof value !== 'string') throw invalid(key, 'text', typeof value)
    if (Buffer.byteLength(value) > MAX_TEXT_BYTES) {
      throw invalid(key, `at most ${MAX_TEXT_BYTES} bytes`, `${Buffer.byteLength(value)} bytes`)
    }
    assertText(value, key)
  }
  if (workingDir !== undefined && (workingDir === '' || workingDir.includes('\0'))) {
    throw invalid('workingDir', 'a path', quote(workingDir))
  }
  for (const [key, value] of Object.entries(vars ?? {})) {
    if (!VAR_NAME.test(key) || key === '__proto__') {
      throw invalid('vars', 'names of letters, digits and _ that start with no digit', quote(key))
    }
    if (value === null) continue
    if (typeof value !== 'string') throw invalid(`vars.${key}`, 'text', typeof value)
    if (value.includes('\0')) throw invalid(`vars.${key}`, 'text without NUL', quote(value))
    assertText(value, `vars.${key}`)
  }
  if (metadata !== undefined) assertJson(metadata, 'metadata')
}

function invalid(path: string, expected: string, received: string): AgentryError {
  return new AgentryError('invalid_input', `${path}: expected ${expected}, received ${received}`, {
    data: { path, expected, received },
  })
}
