/**
 * A team in a program: one agent, two sessions, a turn that is followed while it runs, and all of it again after a restart.
 *
 *   node examples/library.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTeam } from '../src/index.ts'

// For good, this would be a directory that stays: './sessions' is the default.
const data = mkdtempSync(join(tmpdir(), 'agentry-example-'))
try {
  await work()
  await comeBack()
} finally {
  rmSync(data, { recursive: true })
}

async function work(): Promise<void> {
  await using team = await createTeam({ data })
  const ops = await team.spawn({ id: 'ops', role: 'runs commands', behavior: 'shell' })

  // A session has a conversation, a working directory and variables of its own.
  await ops.createSession({ name: 'release', description: 'Getting 1.0 out', vars: { VERSION: '1.0' } })
  const outcome = await ops.send('cd / && echo "releasing $VERSION from $(pwd)"')
  console.log(outcome.status, outcome.exitCode, outcome.result.trim())

  // Another one becomes current; the first is suspended, and has everything when it is loaded again.
  await ops.createSession({ name: 'support', description: 'A question in between' })
  for await (const event of ops.stream('for n in 1 2 3; do echo "looking, $n"; sleep 0.1; done')) {
    if (event.type === 'text') process.stdout.write(event.text)
    else console.log(`(${event.type})`)
  }
  await ops.loadSession(team.findSession('release').id)

  // A message that need not be waited for is safe as soon as `post` resolves. The taskId is for asking later.
  const { status } = await ops.post('sleep 0.2; echo released', { taskId: 'release-1.0' })
  console.log(`release-1.0 is ${status}`)
}

async function comeBack(): Promise<void> {
  await using team = await createTeam({ data })
  for (const { name, status, workingDir, counts } of team.sessions()) {
    console.log(`${name}: ${status}, in ${workingDir}, ${counts.turns} turns`)
  }
  // A taskId that is known is never run again: it answers what became of it.
  const released = await team.agent('ops')?.send('echo this is not run', { taskId: 'release-1.0' })
  console.log(`release-1.0 ${released?.status}: ${released?.result.trim()}`)
}
