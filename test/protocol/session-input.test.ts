import { describe, expect, it } from 'vitest'
import { assertAgentId, assertSessionId, assertTaskId } from '../../src/core/ids.ts'
import type { CreateSessionInput, SessionPatch } from '../../src/protocol/commands.ts'
import { assertCreateInput, assertSessionPatch } from '../../src/protocol/session-input.ts'

describe('what a caller gives for a session', () => {
  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'the session'],
    ['an array', [], 'the session'],
    ['no name', {}, 'name'],
    ['a name that is null', { name: null }, 'name'],
    ['a name of spaces', { name: '  ' }, 'name'],
    ['a name of 201 characters', { name: 'x'.repeat(201) }, 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['a name with a control character', { name: 'a\u009bb' }, 'name'],
    ['a lone surrogate', { name: '\ud800' }, 'name'],
    ['vars that are a number', { name: 'x', vars: 5 }, 'vars'],
    ['a var without a value', { name: 'x', vars: { K: null } }, 'vars.K'],
    ['a var that is a number', { name: 'x', vars: { K: 1 } }, 'vars.K'],
    ['a var with NUL', { name: 'x', vars: { K: 'a\0' } }, 'vars.K'],
    ['a var that no shell can name', { name: 'x', vars: { 'a b': '1' } }, 'vars'],
    ['a var named __proto__', { name: 'x', vars: JSON.parse('{"__proto__":"1"}') as unknown }, 'vars'],
    ['metadata that is text', { name: 'x', metadata: 'm' }, 'metadata'],
    ['metadata with a function', { name: 'x', metadata: { f: () => 1 } }, 'metadata.f'],
    ['a working directory with NUL', { name: 'x', workingDir: 'a\0' }, 'workingDir'],
    ['a prompt that is no text', { name: 'x', prompt: 5 }, 'prompt'],
  ])('is refused by name where it is %s', (_what, input, path) => {
    const check = () => assertCreateInput(input as CreateSessionInput)
    expect(check).toThrowError(expect.objectContaining({ code: 'invalid_input' }))
    expect(check).toThrowError(`${path}: expected`)
  })

  it('may take a var away, but only from a session that is there', () => {
    expect(() => assertSessionPatch({ vars: { K: null } })).not.toThrow()
    expect(() => assertSessionPatch(null as unknown as SessionPatch)).toThrowError(
      expect.objectContaining({ code: 'invalid_input' }),
    )
  })
})

describe('an id of the wrong type', () => {
  it.each([assertSessionId, assertAgentId, assertTaskId])('is refused by name (%o)', (assertId) => {
    for (const value of [undefined, null, 5, {}, []]) {
      expect(() => assertId(value)).toThrowError(expect.objectContaining({ code: 'invalid_id' }))
    }
  })
})
