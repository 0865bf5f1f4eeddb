import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { AgentInfo } from '../../src/api.ts'
import { createCli } from './harness.ts'

const agentsOf = async (cli: ReturnType<typeof createCli>): Promise<AgentInfo[]> =>
  (await cli.json<{ agents: AgentInfo[] }>('agents', 'list')).agents

describe('a team without a configuration', () => {
  test('begins with a shell alone where there is no key', async () => {
    const agents = await agentsOf(createCli({ env: { ANTHROPIC_API_KEY: '' } }))
    expect(agents.map(({ id, behavior }) => ({ id, behavior }))).toEqual([{ id: 'ops', behavior: 'shell' }])
  })

  test('begins with an assistant, who comes first, where there is a key, and keeps no key', async () => {
    const cli = createCli({ env: { OPENROUTER_API_KEY: 'sk-or-5d41402abc4b2a76' } })
    const agents = await agentsOf(cli)
    expect(agents.map(({ id, behavior }) => ({ id, behavior }))).toEqual([
      { id: 'assistant', behavior: 'llm' },
      { id: 'ops', behavior: 'shell' },
    ])
    expect(agents[0]?.spec).toMatchObject({
      workingDir: cli.cwd,
      llm: { model: expect.stringMatching(/^openrouter\/./) as string, permissions: {} },
    })
    expect(agents[0]?.spec.instructions).not.toBe('')
    expect(JSON.stringify(agents)).not.toContain('5d41402abc4b2a76')
  })

  test('stays as it is when a key comes or goes', async () => {
    const env: Record<string, string> = {}
    const cli = createCli({ env })
    expect((await agentsOf(cli)).map(({ id }) => id)).toEqual(['ops'])
    env['OPENAI_API_KEY'] = 'k'
    expect((await agentsOf(cli)).map(({ id }) => id)).toEqual(['ops'])
  })
})

test('an agent of the configuration file that names no model has the one of the environment of the command', async () => {
  const env = { GOOGLE_GENERATIVE_AI_API_KEY: 'k' }
  const cli = createCli({ env })
  writeFileSync(join(cli.cwd, 'agentry.yaml'), 'agents: [{ id: a, behavior: llm }]\n')
  expect((await agentsOf(cli))[0]?.spec.llm?.model).toMatch(/^google\/./)
})
