/**
 * Three agents mend a bug in a git repository: one plans and asks the other two, one edits and tests, one reviews. What they may not do
 * unasked is asked of this program, which stands in for a person.
 *
 *   node examples/bug-fix-team/main.ts
 *
 * The model is a scripted server on this machine. With a real one, give `providers` and `model` what the README shows, and leave out
 * the server; the rest stays as it is.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTeam, type Team } from '../../src/index.ts'
import { startModelServer } from '../../test/fakes/model-server.ts'
import { createRepository, git, runTests } from './repository.ts'
import { reply } from './script.ts'

const folder = mkdtempSync(join(tmpdir(), 'agentry-example-'))
const repository = join(folder, 'prices')
const server = await startModelServer({ reply })
try {
  createRepository(repository)
  console.log(`before: ${runTests(repository).failed} tests fail`)

  await using team = await createTeam({
    data: join(folder, 'sessions'),
    providers: { scripted: { type: 'openai-compatible', baseURL: server.openaiURL } },
    prices: { 'scripted/model': { input: 3, output: 15 } },
    agents: [
      agent('planner', 'plans, and asks the others', ['list_agents', 'ask_agent']),
      {
        ...agent('coder', 'edits and tests', ['read', 'edit', 'shell']),
        permissions: {
          edit: 'allow',
          shell: { allow: ['node --test *'], deny: ['git push *'], default: 'ask' },
        },
      },
      {
        ...agent('reviewer', 'reviews changes', ['read', 'shell']),
        permissions: { shell: { allow: ['git show *', 'git log *'], default: 'deny' } },
      },
    ],
  })
  const answering = answerQuestions(team)

  for await (const event of team.agent('planner')?.stream('The total of an order is wrong. Mend it.') ?? []) {
    if (event.type === 'agent-asked') console.log(`planner asks ${event.agentId}`)
    if (event.type === 'turn-finished') {
      const { status, result, usage } = event.outcome
      console.log(`planner, ${status} after ${usage?.steps} steps: ${result}`)
    }
  }
  await answering.stop()

  const { failed, output } = runTests(repository)
  console.log(`after: ${failed} tests fail`)
  console.log(git(repository, 'log', '--format=%s', '--stat', '-1').trim())
  if (failed !== 0) {
    console.error(output)
    process.exitCode = 1
  }
} finally {
  await server.close()
  rmSync(folder, { recursive: true, force: true })
}

function agent(id: string, role: string, tools: string[]) {
  return { id, role, behavior: 'llm', model: 'scripted/model', tools, workingDir: repository }
}

/** Allows commits, and nothing else. */
function answerQuestions(team: Team): { stop: () => Promise<void> } {
  const stopped = new AbortController()
  const answered = (async () => {
    for await (const event of team.events({ signal: stopped.signal })) {
      if (event.type !== 'turn' || event.event.type !== 'approval-asked') continue
      const { approvalId, subject } = event.event.approval
      const decision = subject.startsWith('git commit ') ? 'once' : 'deny'
      console.log(`${event.agentId} may ${subject}? ${decision}`)
      await team.answerApproval(approvalId, { decision, reason: 'only commits' })
    }
  })()
  return {
    async stop() {
      stopped.abort()
      await answered
    },
  }
}
