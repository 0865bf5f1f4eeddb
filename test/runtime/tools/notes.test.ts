import { expect, test } from 'vitest'
import { BUILT_IN_TOOLS, DEFAULT_TOOLS } from '../../../src/llm-spec.ts'
import { Reaper } from '../../../src/runtime/processes/reaper.ts'
import { commandEnvironment } from '../../../src/runtime/processes/command-environment.ts'
import { assertSessionPatch } from '../../../src/protocol/session-input.ts'
import { createBuiltInTools } from '../../../src/runtime/tools/built-in-tools.ts'
import { errorWith } from '../../error-with.ts'
import { toolBench } from './file-tools.ts'

test('a note is recalled by its name until it is removed', async () => {
  const { run } = toolBench()
  expect(await run('recall', {})).toBe('[there are no notes]')
  expect(await run('remember', { name: 'branch', value: 'fix-1' })).toBe('noted branch')
  await run('remember', { name: 'api', value: 'v2' })
  expect(await run('recall', { name: 'branch' })).toBe('fix-1')
  expect(await run('recall', {})).toBe('api\nbranch')
  expect(await run('remember', { name: 'branch' })).toBe('removed branch')
  expect(await run('remember', { name: 'branch' })).toBe('there is no note branch')
  await expect(run('recall', { name: 'branch' })).rejects.toThrow(errorWith('tool_failed', 'there are: api'))
})

test('a variable of the session is recalled too, and stays as it is where a note has its name', async () => {
  const { run, context } = toolBench()
  context.vars['ISSUE'] = '42'
  expect(await run('recall', { name: 'ISSUE' })).toBe('42')
  await run('remember', { name: 'ISSUE', value: 'mine' })
  expect(await run('recall', { name: 'ISSUE' })).toBe('mine')
  expect(context.vars['ISSUE']).toBe('42')
})

test('no note gets into the environment of commands', async () => {
  const { run, context } = toolBench()
  for (const name of ['PATH', 'LD_PRELOAD', 'GIT_SSH_COMMAND'])
    await run('remember', { name, value: '/evil' })
  assertSessionPatch({ vars: context.vars })
  const environment = commandEnvironment(new Map(), context.vars, {
    agentId: 'a',
    sessionId: 's',
    turnId: 't',
  })
  expect([...environment.values()]).not.toContain('/evil')
})

test.each([
  ['a name with a space', { name: 'a b', value: '' }, 'name: expected 1 to 64 letters'],
  ['no name', { value: '' }, 'name: '],
])('a note with %s is refused', async (_, input, part) => {
  await expect(toolBench().run('remember', input)).rejects.toThrow(errorWith('invalid_input', part))
})

test('notes are bounded in size and number', async () => {
  const { run, context } = toolBench()
  await expect(run('remember', { name: 'a', value: 'x'.repeat(16 * 1024 + 1) })).rejects.toThrow(
    errorWith('invalid_input', '16384 bytes'),
  )
  for (let i = 0; i < 200; i++) await run('remember', { name: `n${i}`, value: '1' })
  await expect(run('remember', { name: 'more', value: '1' })).rejects.toThrow(
    errorWith('tool_failed', '200 notes'),
  )
  await run('remember', { name: 'n7', value: '2' })
  expect(Object.keys(context.vars)).toHaveLength(200)
})

test('the list of what to do is replaced as a whole, kept in the metadata, and answered', async () => {
  const { run, context } = toolBench()
  expect(await run('todo', {})).toBe('[the list is empty]')
  const items = [
    { text: 'read', status: 'done' },
    { text: 'write', status: 'in_progress' },
    { text: 'test', status: 'pending' },
  ]
  expect(await run('todo', { items })).toBe('[x] read\n[>] write\n[ ] test')
  expect(context.metadata).toEqual({ todo: items })
  expect(await run('todo', {})).toBe('[x] read\n[>] write\n[ ] test')
  await run('todo', { items: [] })
  expect(context.metadata).toEqual({})
  await expect(run('todo', { items: [{ text: 'a', status: 'open' }] })).rejects.toThrow(
    errorWith('invalid_input', 'items.0.status'),
  )
})

test('a key of the metadata that holds something else is no list', async () => {
  const { run, context } = toolBench()
  context.metadata['todo'] = 'buy milk'
  expect(await run('todo', {})).toBe('[the list is empty]')
})

test('the built-in tools are those that are named, without the ones of the team, and read-only where they read', () => {
  const reaper = new Reaper()
  const tools = createBuiltInTools({ reaper, allowedPaths: [], outputBytes: 4096 })
  const ofTheTeam = ['list_agents', 'ask_agent', 'tell_agent']
  expect([...tools.keys()].sort()).toEqual(BUILT_IN_TOOLS.filter((name) => !ofTheTeam.includes(name)).sort())
  expect(DEFAULT_TOOLS).not.toContain('fetch')
  const readOnly = [...tools.values()].filter((tool) => tool.readOnly).map(({ name }) => name)
  expect(readOnly).toEqual(['read', 'list', 'glob', 'grep', 'recall'])
})
