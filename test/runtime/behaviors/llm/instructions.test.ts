import { expect, test } from 'vitest'
import { instructionsOf } from '../../../../src/runtime/behaviors/llm/instructions.ts'

const spec = { id: 'coder', role: 'Writes code' }

function instructions(prompt: string, vars: Record<string, string> = {}): string {
  return instructionsOf(spec, { name: 'work', prompt, vars, workingDir: '/home/me' })
}

test('vars of the session stand in their places, as often as they come', () => {
  expect(instructions('{{LANG}} and {{ LANG }}, {{a.b-c}}', { LANG: 'Go', 'a.b-c': 'x' })).toMatch(
    /^Go and Go, x\n\n/,
  )
})

test('a name that nobody knows stays as it is', () => {
  expect(instructions('{{unknown}} {{}} {{a b}} {single} {{constructor}} {{__proto__}}')).toMatch(
    /^\{\{unknown}} \{\{}} \{\{a b}} \{single} \{\{constructor}} \{\{__proto__}}\n\n/,
  )
})

test('agent and session are known by name, and a var of the session comes before them', () => {
  const prompt = '{{agent.id}}, {{agent.role}}, {{session.name}}, {{session.workingDir}}'
  expect(instructions(prompt)).toMatch(/^coder, Writes code, work, \/home\/me\n\n/)
  expect(instructions('{{agent.id}}', { 'agent.id': 'mine' })).toMatch(/^mine\n\n/)
})

test('what a var holds is text: no place in it is filled in, and no pattern of a replacement counts', () => {
  expect(instructions('<{{a}}>', { a: '{{b}} $& $1', b: 'x' })).toMatch(/^<\{\{b}} \$& \$1>\n\n/)
})

test('says where the agent finds itself, also without a prompt and a role', () => {
  expect(instructions('')).toBe('You are the agent coder (Writes code). Your working directory is /home/me.')
  const bare = { name: 'work', prompt: '', vars: {}, workingDir: '/' }
  expect(instructionsOf({ id: 'a', role: '' }, bare)).toBe(
    'You are the agent a. Your working directory is /.',
  )
})
