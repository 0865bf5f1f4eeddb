import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineTool, isTool } from '../../../src/runtime/tools/define-tool.ts'
import { errorWith } from '../../error-with.ts'
import { toolContext, text } from './tool-context.ts'

const greet = defineTool({
  name: 'greet',
  description: 'Greets.',
  input: z.strictObject({ name: z.string().describe('Whom.'), times: z.int().min(1).default(1) }),
  execute: ({ name, times }) => Array.from({ length: times }, () => `hello ${name}`).join('\n'),
})

test('has the JSON Schema of what a model may give, defaults optional', () => {
  expect(greet.inputSchema).toMatchObject({
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties: { name: { type: 'string', description: 'Whom.' }, times: { type: 'integer', default: 1 } },
    required: ['name'],
    additionalProperties: false,
  })
  expect(greet.readOnly).toBe(false)
  expect(isTool(greet)).toBe(true)
})

test('runs with what parse made of the input', async () => {
  expect(await text(greet, { name: 'you', times: 2 }, toolContext('/'))).toBe('hello you\nhello you')
  expect(await text(greet, { name: 'you' }, toolContext('/'))).toBe('hello you')
})

test('names every fault of an input, for the model to mend', () => {
  expect(() => greet.parse({ times: 0, more: 1 })).toThrow(
    errorWith(
      'invalid_input',
      /^input of tool greet .*\n- name: .*string.*\n- times: .*>=1\n- the input: .*"more"$/,
    ),
  )
  expect(() => greet.parse('hello')).toThrow(errorWith('invalid_input', 'the input: '))
})

test('tells eight faults and counts the rest', () => {
  const many = defineTool({
    name: 'many',
    description: '',
    input: z.object({ list: z.array(z.string()) }),
    execute: () => '',
  })
  expect(() => many.parse({ list: Array.from({ length: 20 }, () => 1) })).toThrow(
    /list\.7: .*\n- and 12 more$/,
  )
})

test.each([
  ['a name with a space', 'not good', z.object({}), 'name of a tool'],
  ['an empty name', '', z.object({}), 'name of a tool'],
  ['a schema of no object', 'ok', z.string(), 'a schema of an object'],
])('refuses %s', (_, name, input, part) => {
  expect(() => defineTool({ name, description: '', input, execute: () => '' })).toThrow(
    errorWith('invalid_input', part),
  )
})

test('passes what the author throws on as a rejection', async () => {
  const broken = defineTool({
    name: 'broken',
    description: '',
    input: z.object({}),
    execute() {
      throw new Error('no luck')
    },
  })
  await expect(broken.execute({}, toolContext('/'))).rejects.toThrow('no luck')
})
