/**
 * A process with a team of llm agents, for tests that kill it. Arguments: data directory, working directory, base URL of the model, ids
 * of the agents with commas between. It says `ready`, and for each line `{agent, taskId, input}` of its input, once the turn has ended,
 * `{taskId, outcome}` or `{taskId, error}`. It ends with its input.
 */
import { createInterface } from 'node:readline'
import { toAgentryError } from '../../src/errors.ts'
import { createTeam } from '../../src/team.ts'

const [data = '', workingDir = '', baseURL = '', ids = ''] = process.argv.slice(2)

const team = await createTeam({
  data,
  providers: { fake: { type: 'openai-compatible', baseURL } },
  agents: ids.split(',').map((id) => ({
    id,
    behavior: 'llm',
    model: 'fake/model',
    tools: ['shell'],
    permissions: { shell: 'allow' },
    workingDir,
  })),
})

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)

say({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const { agent, taskId, input } = JSON.parse(line) as { agent: string; taskId: string; input: string }
  team
    .agent(agent)
    ?.send(input, { taskId })
    .then(
      (outcome) => say({ taskId, outcome }),
      (error: unknown) => say({ taskId, error: toAgentryError(error).toJSON() }),
    )
}
await team.close({ graceMs: 0 })
