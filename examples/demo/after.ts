/** The second supervisor. It opens the directory of the one that was killed, and looks at what is there. */
import { existsSync, readFileSync } from 'node:fs'
import { createTeam, type SessionInfo } from '../../src/index.ts'
import {
  claim,
  type Handover,
  heading,
  logged,
  type LogLine,
  readLog,
  say,
  showCommand,
  showOutput,
  showSessions,
  stageOf,
} from './stage.ts'

const stage = stageOf(process.argv.slice(2))
const before = await new Promise<Handover>((resolve) => process.once('message', resolve))

heading(`3  A new supervisor opens the same directory (process ${process.pid})`)

await using team = await createTeam({ data: stage.data })
showSessions(team.sessions())
claim(
  `all ${before.sessions.length} sessions are back, with their status, directory and variables`,
  before.sessions.every((session) => isAsBefore(session, team.session(session.id))),
)

const builder = team.agent('builder')
const historian = team.agent('historian')
const counter = team.agent('counter')
if (!builder || !historian || !counter) throw new Error('expected the three agents to be registered')

let found = 0
for (const { turnId, sessionId, result } of before.outcomes) {
  const { memory } = await team.readSession(sessionId)
  const entry = memory.findLast((entry) => entry.turnId === turnId)
  if (entry?.content === result) found += 1
}
claim(
  `every answer that was given is in its session’s conversation (${found})`,
  found === before.outcomes.length,
)

say('The turn that was cut off:')
const cutOff = await builder.send('', { taskId: before.longTask }) // a known taskId: answers what became of it
showOutput(`${cutOff.status}: ${cutOff.error?.message}\n${cutOff.result.replace('; ', '\n')}`)
const outcomes: string[] = []
for await (const record of team.records(cutOff.sessionId)) {
  if (record.type === 'tool.finished' && record.turnId === cutOff.turnId) outcomes.push(record.outcome)
}
claim('it ended as interrupted', cutOff.status === 'interrupted')
claim('its command was recorded once, its outcome unknown', outcomes.join() === 'unknown')
const steps = readLog(stage).filter((line) => line.turnId === cutOff.turnId)
const [{ pid } = { pid: 0 }] = steps
claim(`the command’s process (${pid}) is gone`, pid > 0 && !isRunning(pid))

say('What had waited in the queue ran by itself:')
for (const { taskId } of before.queued) {
  const outcome = await builder.send('', { taskId })
  showOutput(outcome.result)
  claim(`${taskId} is ${outcome.status}`, outcome.status === 'completed')
}

say('The first question is asked again, under the same taskId:')
const [first] = before.outcomes
const lines = readLog(stage).length
const again = await historian.send('', { taskId: first?.taskId ?? '' })
showOutput(again.result)
claim(
  'the recorded answer came, and nothing ran',
  again.result === first?.result && readLog(stage).length === lines,
)

say('And the work goes on where it was:')
const command = 'pwd; grep -rl "export class" --include="*.$KIND" . | wc -l'
const next = await counter.send(logged(command))
showCommand('counter', command, next.result)

const log = readLog(stage)
const commands = new Set(log.map((line) => line.turnId))
claim(
  `${commands.size} commands left ${log.length} lines in the log: no command and no step ran twice`,
  isUnique(log),
)
claim(
  `of the long command there are ${steps.length} steps, those before the kill and no more`,
  log.filter((line) => line.turnId === cutOff.turnId).length === steps.length,
)

function isAsBefore(then: SessionInfo, now: SessionInfo | undefined): boolean {
  return (
    now !== undefined &&
    now.name === then.name &&
    now.status === then.status &&
    now.current === then.current &&
    now.workingDir === then.workingDir &&
    JSON.stringify(now.vars) === JSON.stringify(then.vars)
  )
}

function isUnique(lines: readonly LogLine[]): boolean {
  return new Set(lines.map(({ turnId, what }) => `${turnId} ${what}`)).size === lines.length
}

/** A zombie is gone too: it only waits for its parent to take note, which in a container may be never. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'utf8'))
}
