/** Modules of users that import `agentry` and `zod` from a folder where neither is installed, on agents' threads. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type ModelServer, type Reply, startModelServer } from '../fakes/model-server.ts'
import { openTeam } from '../fakes/open-team.ts'
import { runCli, temporaryFolder } from './built-cli.ts'
import { providersOf } from './llm-team.ts'

const BEHAVIOR = `import { defineBehavior } from 'agentry/behavior'
import { z } from 'zod'
export default defineBehavior({ run: (message: string) => 'read ' + z.coerce.number().parse(message) })
`

const TOOL = `import { defineTool } from 'agentry/behavior'
import { z } from 'zod'
export default defineTool({
  name: 'deploy',
  description: 'Deploys.',
  input: z.strictObject({ target: z.enum(['staging', 'production']) }),
  execute: async ({ target }) => 'deployed to ' + target,
})
`

const AWAITS = 'await Promise.resolve()\n'

async function modelServer(): Promise<ModelServer> {
  const server = await startModelServer({
    reply: ({ messages }): Reply => {
      const last = messages.at(-1)
      if (last?.role === 'tool') return `heard: ${last.content}`
      return { toolCall: { name: 'deploy', input: { target: 'staging' } } }
    },
  })
  onTestFinished(() => server.close())
  return server
}

/** What an agent of that folder answers, once by the built command, once by threads that run the sources. */
const RUNS: [how: string, answer: (cwd: string, agent: object, server?: ModelServer) => Promise<string>][] = [
  [
    'the built command',
    async (cwd, agent, server) => {
      const config = { agents: [{ id: 'main', ...agent }], ...(server && { providers: providersOf(server) }) }
      writeFileSync(join(cwd, 'agentry.yaml'), JSON.stringify(config))
      const env = { FAKE_CLAUDE_KEY: 'key' }
      const { code, stdout, stderr } = await runCli(['send', 'main', '7'], { cwd, env })
      return code === 0 ? stdout : stderr
    },
  ],
  [
    'a team from sources',
    async (_cwd, agent, server) => {
      process.env['FAKE_CLAUDE_KEY'] = 'key'
      const team = await openTeam(server && { providers: providersOf(server) })
      try {
        const spawned = await team.spawn({ id: 'main', behavior: 'echo', ...agent })
        return (await spawned.send('7')).result
      } catch (error) {
        return String(error)
      }
    },
  ],
]

describe.each(RUNS)('with %s', (_, answer) => {
  function written(name: string, text: string): { cwd: string; path: string } {
    const cwd = temporaryFolder()
    const path = join(cwd, name)
    writeFileSync(path, text)
    return { cwd, path }
  }

  test.each([
    ['a behavior', BEHAVIOR],
    ['a behavior that awaits at its top level', AWAITS + BEHAVIOR],
  ])('%s loads and runs', async (_what, text) => {
    const { cwd, path } = written('behavior.ts', text)
    expect(await answer(cwd, { behavior: path })).toMatch(/^read 7\n?$/)
  })

  test.each([
    ['a tool', TOOL],
    ['a tool that awaits at its top level', AWAITS + TOOL],
  ])('%s is offered and runs', async (_what, text) => {
    const { cwd, path } = written('tool.ts', text)
    const server = await modelServer()
    const agent = { behavior: 'llm', model: 'fake/m', tools: [path], permissions: { '*': 'allow' } }
    expect(await answer(cwd, { ...agent, workingDir: cwd }, server)).toMatch(
      /^heard: deployed to staging\n?$/,
    )
  })

  test('a package that is not installed fails with its own message', async () => {
    const { cwd, path } = written('behavior.ts', `import 'unheard-of'\n${BEHAVIOR}`)
    expect(await answer(cwd, { behavior: path })).toContain(
      `does not load: Cannot find package 'unheard-of' imported from ${path}`,
    )
  })
})
