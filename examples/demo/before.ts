/** The first supervisor. It puts a team of three to work on this repository, and is killed while the third is at it. */
import { dirname } from 'node:path'
import { type Agent, createTeam, type Outcome } from '../../src/index.ts'
import {
  claim,
  type Handover,
  heading,
  logged,
  logLine,
  REPOSITORY,
  say,
  showCommand,
  showOutput,
  showSessions,
  stageOf,
} from './stage.ts'

const stage = stageOf(process.argv.slice(2))
const outcomes: Outcome[] = []

heading(`1  A team of three goes to work (supervisor: process ${process.pid})`)

const team = await createTeam({ data: stage.data })
const common = { behavior: 'shell', workingDir: REPOSITORY }
const historian = await team.spawn({ id: 'historian', role: 'reads the history', ...common })
const counter = await team.spawn({ id: 'counter', role: 'counts and searches', ...common })
const builder = await team.spawn({ id: 'builder', role: 'runs what takes long', ...common })

// Variables of a session are the environment of its commands. The second keeps git from looking above this repository.
const vars = { DEMO_LOG: stage.log, GIT_CEILING_DIRECTORIES: dirname(REPOSITORY) }
await historian.createSession({ name: 'history', description: 'Who changed what', vars })
await counter.createSession({ name: 'sources', description: 'The size of the sources', vars })
await builder.createSession({ name: 'build', description: 'Long commands', vars })

const [log, files] = await Promise.all([
  historian.send(logged('git log --oneline --max-count=4'), { taskId: 'history-1' }),
  counter.send(logged('cd src && export KIND=ts && find . -name "*.$KIND" | wc -l'), { taskId: 'count-1' }),
])
outcomes.push(log, files)
showCommand('historian', 'git log --oneline --max-count=4', log.result)
if (log.exitCode !== 0) {
  say('There is no git history here, says the historian: it looks at the files that changed last instead.')
  await run(historian, 'ls -t src/*/*.ts | head -4')
}
showCommand('counter', 'cd src && export KIND=ts && find . -name "*.$KIND" | wc -l', files.result)
await run(counter, 'grep -rn "fdatasync" --include="*.$KIND" . | head -3')

say('The counter begins a second session, and the first one is suspended.')
await counter.createSession({ name: 'tests', description: 'The size of the tests', workingDir: 'test', vars })
await run(counter, 'pwd; find . -name "*.test.ts" | wc -l; echo "KIND is \'$KIND\'"')

say('Back in the first session its directory and its variable are there again.')
const sources = team.findSession('sources')
await counter.loadSession(sources.id)
const back = await run(counter, 'pwd; echo "KIND is \'$KIND\'"')
claim(
  'a switch of sessions keeps each one’s directory and variables',
  back.result.endsWith("/src\nKIND is 'ts'\n"),
)

await historian.suspendSession()
say('The historian is done for today: its session is suspended.')
showSessions(team.sessions())

heading('2  The builder starts a long command, and the supervisor is killed in the middle of it')

const step = `lines=$(find "$part" -name "*.ts" -exec cat {} + | wc -l); echo "$part: $lines lines"; sleep 0.4`
const long = `for part in src/*/; do ${logLine('$part')}; ${step}; done`
const events = builder.stream(long, { taskId: 'long-1' })
showCommand('builder', long, '')

let queued: Outcome[] | undefined
let printedLines = 0
for await (const event of events) {
  if (event.type !== 'text') continue
  showOutput(event.text)
  printedLines += event.text.trimEnd().split('\n').length
  // Two more messages, which wait their turn: `post` resolves as soon as they are safe in the queue.
  queued ??= await Promise.all([
    builder.post(logged('du -sh src'), { taskId: 'after-1' }),
    builder.post(logged('echo "the queue went on at $(date +%T)"'), { taskId: 'after-2' }),
  ])
  const handover: Handover = { sessions: team.sessions(), outcomes, queued, longTask: 'long-1', printedLines }
  process.send?.(handover)
}
claim('this supervisor is killed before the long command ends', false)

/** One command of an agent, shown with its output. */
async function run(agent: Agent, command: string): Promise<Outcome> {
  const outcome = await agent.send(logged(command))
  outcomes.push(outcome)
  showCommand(agent.id, command, outcome.result)
  return outcome
}
