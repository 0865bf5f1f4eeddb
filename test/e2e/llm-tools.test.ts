/** Tools beside the built-in ones for files and commands, through the whole stack: other agents, modules of users, MCP servers. */
import { createRequire } from 'node:module'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { ModelRequest, Reply } from '../fakes/model-server.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'
import { call, llmTeam } from './llm-team.ts'

function results({ messages }: ModelRequest): string[] {
  return messages.filter(({ role }) => role === 'tool').map(({ content }) => content)
}

/** Answers by the name of the model that is asked: its first request in a turn, and those behind it. */
function byModel(script: { [model: string]: Reply }): (request: ModelRequest) => Reply {
  return (request) => {
    const given = results(request)
    const first = script[request.model] ?? 'nothing to say'
    return given.length === 0 ? first : `${request.model} heard: ${given.join(' | ')}`
  }
}

describe('agents that reach each other', () => {
  test('list, ask and tell: the answer is a result, and what was told is a turn of its own', async () => {
    const { agent, server, memory } = await llmTeam(
      byModel({
        lead: [
          call('list_agents', {}),
          call('ask_agent', { agent: 'worker', message: 'how many?' }),
          call('tell_agent', { agent: 'scribe', message: 'write it down' }),
        ],
        worker: 'seven',
        scribe: 'written',
      }),
      {
        lead: { model: 'fake/lead' },
        worker: { model: 'fake/worker', role: 'Counts' },
        scribe: { model: 'fake/scribe' },
      },
    )
    const outcome = await agent('lead').send('begin')
    expect(outcome.status).toBe('completed')
    const [list, answer, told] = outcome.result.replace('lead heard: ', '').split(' | ')
    expect(list).toMatch(/worker \(Counts\): \w+\nscribe \(llm\): \w+/)
    expect(answer).toBe('seven')
    expect(told).toBe('agent scribe has the message')
    await until('the scribe has answered', async () => {
      const id = agent('scribe').currentSession()?.id
      return id !== undefined && (await memory('scribe')).at(-1)?.content === 'written'
    })
    expect(server.refused).toEqual([])
  })

  test('are told by name that a ring of questions could never end', async () => {
    const { agent } = await llmTeam(
      byModel({
        a: call('ask_agent', { agent: 'b', message: 'x' }),
        b: call('ask_agent', { agent: 'a', message: 'y' }),
      }),
      { a: { model: 'fake/a' }, b: { model: 'fake/b' } },
    )
    const { status, result } = await agent('a').send('begin')
    expect(status).toBe('completed')
    expect(result).toContain('a heard: b heard: agent b cannot ask a: a waits for b')
  })
})

describe('a tool of a module', () => {
  const ROOT = new URL('../..', import.meta.url).pathname
  const zod = createRequire(import.meta.url).resolve('zod')

  function moduleOf(body: string): string {
    const path = join(temporaryDirectory(), 'tool.mjs')
    const imports = `import { defineTool } from '${join(ROOT, 'src/behavior.ts')}'\nimport { z } from '${zod}'\n`
    writeFileSync(path, `${imports}export default defineTool({${body}})\n`)
    return path
  }

  test('is offered with its schema, checked and run', async () => {
    const path = moduleOf(`
      name: 'deploy',
      description: 'Deploys.',
      input: z.strictObject({ target: z.enum(['staging', 'production']) }),
      execute: async ({ target }, { agentId }) => agentId + ' deployed to ' + target,
    `)
    const { agent, server } = await llmTeam(
      byModel({ m: [call('deploy', { target: 'staging' }), call('deploy', { target: 'moon' })] }),
      { coder: { tools: [path] } },
    )
    const { result } = await agent().send('begin')
    expect(result).toMatch(/^m heard: coder deployed to staging \| [^]*target/)
    expect(server.requests[0]?.tools).toMatchObject([
      { name: 'deploy', inputSchema: { type: 'object', required: ['target'] } },
    ])
  })

  test('that throws, or cannot say what it is about, is a result for the model and not the end of the turn', async () => {
    const path = moduleOf(`
      name: 'broken',
      description: 'Breaks.',
      input: z.strictObject({ late: z.boolean() }),
      subject: ({ late }) => { if (!late) throw new Error('no subject'); return { kind: 'text', text: 'x' } },
      execute: () => { throw new Error('no luck') },
    `)
    const { agent } = await llmTeam(
      byModel({ m: [call('broken', { late: false }), call('broken', { late: true })] }),
      { coder: { tools: [path] } },
    )
    const { status, result } = await agent().send('begin')
    expect([status, result]).toEqual([
      'completed',
      expect.stringMatching(/^m heard: not allowed: .*no subject.* \| .*no luck/),
    ])
  })
})

test('the tools of an MCP server are offered under its name and run', async () => {
  const server = createRequire(import.meta.url).resolve(
    '@modelcontextprotocol/server-everything/dist/index.js',
  )
  const { agent, server: models } = await llmTeam(
    byModel({ m: call('every__echo', { message: 'over there' }) }),
    {
      coder: {
        tools: ['list'],
        mcpServers: {
          every: { type: 'stdio', command: process.execPath, args: [server, 'stdio'], startMs: 30_000 },
        },
      },
    },
  )
  expect((await agent().send('begin')).result).toContain('over there')
  expect(models.requests[0]?.tools.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['list', 'every__echo']),
  )
})
