/** Checks of what callers give for sessions: the same on every door and in behaviors. All throw `invalid_input`. */
import { assertJson, assertText } from '../core/json.ts'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'
import type { CreateSessionInput, SessionPatch } from './commands.ts'

const VAR_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/
// C0 with newlines and tabs, DEL and C1: a name is one line everywhere.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]/
const MAX_NAME = 200
const MAX_TEXT_BYTES = 1024 * 1024

export function assertCreateInput(input: CreateSessionInput): void {
  assertObject(input, 'the session')
  if (input.name === undefined) throw invalid('name', 'text', 'undefined')
  assertSessionPatch(input)
  for (const [key, value] of Object.entries(input.vars ?? {})) assertVar(key, value)
}

export function assertSessionPatch(patch: SessionPatch): void {
  assertObject(patch, 'the changes')
  const { name, description, workingDir, prompt, vars, metadata } = patch
  if (name !== undefined) {
    if (typeof name !== 'string') throw invalid('name', 'text', quote(name))
    if (name.trim() === '' || name.length > MAX_NAME) {
      throw invalid('name', `1 to ${MAX_NAME} characters, not only spaces`, quote(name))
    }
    assertText(name, 'name')
    if (CONTROLS.test(name)) throw invalid('name', 'text without control characters', quote(name))
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
  if (vars !== undefined) {
    assertObject(vars, 'vars')
    for (const [key, value] of Object.entries(vars)) {
      assertVarName(key)
      if (value !== null) assertVar(key, value)
    }
  }
  if (metadata !== undefined) {
    assertObject(metadata, 'metadata')
    assertJson(metadata, 'metadata')
  }
}

function assertVarName(key: string): void {
  if (VAR_NAME.test(key) && key !== '__proto__') return
  throw invalid('vars', 'names of letters, digits and _ that start with no digit', quote(key))
}

function assertVar(key: string, value: unknown): void {
  if (typeof value !== 'string') throw invalid(`vars.${key}`, 'text', quote(value))
  if (value.includes('\0')) throw invalid(`vars.${key}`, 'text without NUL', quote(value))
  assertText(value, `vars.${key}`)
}

function assertObject(value: unknown, path: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return
  throw invalid(path, 'an object', Array.isArray(value) ? 'an array' : quote(value))
}

function invalid(path: string, expected: string, received: string): AgentryError {
  return new AgentryError('invalid_input', `${path}: expected ${expected}, received ${received}`, {
    data: { path, expected, received },
  })
}
