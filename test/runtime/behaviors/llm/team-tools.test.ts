import { expect, test } from 'vitest'
import type { BehaviorContext } from '../../../../src/behavior.ts'
import { createTeamTools, teamCallOf } from '../../../../src/runtime/behaviors/llm/team-tools.ts'
import type { ToolContext } from '../../../../src/runtime/tools/tool.ts'
import { errorWith } from '../../../error-with.ts'

type Teammates = Awaited<ReturnType<BehaviorContext['teammates']>>

async function listed(teammates: Teammates): Promise<unknown> {
  const context = { teammates: async () => teammates } as BehaviorContext
  return createTeamTools(() => context)
    .get('list_agents')
    ?.execute({}, {} as ToolContext)
}

test('the list says of every other agent what it is for and what it does now', async () => {
  expect(
    await listed([
      { id: 'reviewer', role: 'Reviews code', behavior: 'llm', state: 'idle' },
      { id: 'ops', role: '', behavior: 'shell', state: 'hibernated' },
    ]),
  ).toBe('reviewer (Reviews code): idle\nops (shell): hibernated')
  expect(await listed([])).toBe('there are no other agents')
})

test('who is asked is what permissions are judged by', () => {
  const tools = createTeamTools(() => ({}) as BehaviorContext)
  for (const name of ['ask_agent', 'tell_agent']) {
    const tool = tools.get(name)
    const input = tool?.parse({ agent: 'ops', message: 'hello' })
    expect(tool?.subject?.(input, { workingDir: '/' })).toEqual({ kind: 'agent', text: 'ops' })
    expect(tool?.readOnly).toBe(false)
  }
})

test('a call without an agent, without a message, or with more is refused in words that mend it', () => {
  const ask = createTeamTools(() => ({}) as BehaviorContext).get('ask_agent')
  for (const input of [
    { message: 'x' },
    { agent: 'a', message: '' },
    { agent: 'a', message: 'x', more: 1 },
    'a',
  ]) {
    expect(() => ask?.parse(input)).toThrow(errorWith('invalid_input', 'ask_agent'))
  }
})

test('only questions and messages to agents are run by the turn itself', () => {
  const input = { agent: 'ops', message: 'hello' }
  expect(teamCallOf('ask_agent', input)).toEqual({ tool: 'ask', ...input })
  expect(teamCallOf('tell_agent', input)).toEqual({ tool: 'tell', ...input })
  expect(teamCallOf('list_agents', {})).toBeUndefined()
  expect(teamCallOf('shell', { command: 'ls' })).toBeUndefined()
})
