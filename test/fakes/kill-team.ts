/**
 * A supervisor process under load, made to be killed: see kill-protocol.ts for its argument and its reports.
 *
 * A report is written with writeSync in the continuation of the call that it tells of, so that what this process was told is known
 * to its parent, whenever it is killed: nothing of it waits in a buffer of the process.
 */
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Agent, SessionInfo } from '../../src/api.ts'
import { assertNever, describeThrown } from '../../src/errors.ts'
import { createTeam } from '../../src/team.ts'
import type { StepsInput } from './kill-behavior.ts'
import { markedProcesses } from './kill-processes.ts'
import type { KillReport, KillTeamOptions, SessionOp } from './kill-protocol.ts'
import { SeededRandom } from './kill-random.ts'

/** A pipe of its own, which blocks: Node makes the standard output one that does not. */
const REPORTS_FD = 3

const STEPS_MODULE = fileURLToPath(new URL('kill-behavior.ts', import.meta.url))

/** As it comes, in a session and process group of its own, without the variable that names its turn, and two at once. */
const SLEEPS = [
  'sleep $S',
  'setsid sleep $S',
  'env -u AGENTRY_TURN sleep $S',
  `sh -c 'sleep $1 & sleep $1' sh $S`,
]

const { directory, effects, mark, run, load, seed } = JSON.parse(process.argv[2] ?? '') as KillTeamOptions
const random = new SeededRandom(seed)
let texts = 0
let updates = 0

const team = await createTeam({ data: directory })
report({
  type: 'up',
  epoch: team.epoch,
  sessions: team.sessions(),
  notes: team.health().notes.map(({ kind, message }) => `${kind}: ${message}`),
})
await work()
await finish()

/** Ends only where the load is `warm` or `none`. */
async function work(): Promise<void> {
  switch (load) {
    case 'mixed':
      await Promise.all([
        ...['echo-1', 'echo-2'].map(async (id) => {
          const agent = await wakeEcho(id)
          await Promise.all([
            forEver(() => talk(agent)),
            forEver(() => talk(agent)),
            forEver(() => changeOne(agent)),
          ])
        }),
        ...['shell-1', 'shell-2'].map(async (id) => {
          const agent = await wakeShell(id)
          await forEver(() => runCommand(agent))
        }),
        wakeSteps('steps').then((agent) => forEver(() => runSteps(agent))),
      ])
      return
    case 'saves':
      await Promise.all(
        ['echo-1', 'echo-2'].map(async (id) => {
          const agent = await wakeEcho(id)
          const save = (): Promise<void> => change(agent, 'save', agent.currentSession()?.id)
          await Promise.all([forEver(save), forEver(() => send(agent, text(30_000)))])
        }),
      )
      return
    case 'moves':
      await Promise.all(
        ['echo-1', 'echo-2'].map(async (id) => {
          const agent = await wakeEcho(id)
          await forEver(() => moveOne(agent))
        }),
      )
      return
    case 'commands':
      await Promise.all(
        ['shell-1', 'shell-2'].map(async (id) => {
          const agent = await wakeShell(id)
          await sleepLong(agent)
        }),
      )
      return
    case 'warm':
      await Promise.all([wakeEcho('echo-1'), wakeShell('shell-1'), wakeSteps('steps')])
      return
    case 'none':
      return
  }
}

async function forEver(action: () => Promise<void>): Promise<void> {
  for (;;) await action()
}

// --- agents

async function wakeEcho(id: string): Promise<Agent> {
  return wake(await team.spawn({ id, behavior: 'echo' }), text())
}

async function wakeShell(id: string): Promise<Agent> {
  return wake(await team.spawn({ id, behavior: 'shell' }), command('true'))
}

async function wakeSteps(id: string): Promise<Agent> {
  return wake(await team.spawn({ id, behavior: STEPS_MODULE }), steps())
}

/** The agent is back as soon as it has answered: what it had left running must be gone by then. */
async function wake(agent: Agent, input: string): Promise<Agent> {
  const outcome = await agent.send(input)
  const leftovers = markedProcesses('KILL_MARK', `${mark}/${agent.id}/`)
  report({ type: 'outcome', input, outcome })
  report({ type: 'back', agentId: agent.id, leftovers })
  return agent
}

// --- messages

async function talk(agent: Agent): Promise<void> {
  const batch = Array.from({ length: random.between(1, 4) }, () => text())
  await Promise.all(batch.map((input) => (random.next() < 0.3 ? post(agent, input) : send(agent, input))))
}

async function runCommand(agent: Agent): Promise<void> {
  const kind = random.next()
  if (kind < 0.4) await send(agent, command(`pwd; export N=${random.between(1, 1_000)}`))
  else if (kind < 0.6) await post(agent, command('cd / && pwd'))
  else if (kind < 0.7) await send(agent, command('exit 3'))
  else if (kind < 0.8) await send(agent, command('sleep 0.02'))
  else await Promise.all([send(agent, sleepCommand(agent, 3)), postSoon(agent)])
}

/** Accepted while a command runs: nothing but the acceptance itself makes it durable. */
async function postSoon(agent: Agent): Promise<void> {
  await sleep(random.between(0, 100))
  await post(agent, command('pwd'))
}

/** Says when the command is running: it writes a line then. */
async function sleepLong(agent: Agent): Promise<void> {
  for await (const event of agent.stream(sleepCommand(agent, 60))) {
    if (event.type === 'text') report({ type: 'running', agentId: agent.id })
  }
}

async function runSteps(agent: Agent): Promise<void> {
  await (random.next() < 0.5 ? send(agent, steps()) : post(agent, steps()))
}

function text(length: number = random.next() < 0.05 ? 20_000 : random.between(0, 300)): string {
  return `run ${run}, text ${++texts} `.padEnd(length, '.')
}

function command(rest: string): string {
  return `printf '%s\\n' "$AGENTRY_TURN" >> '${effects}'; ${rest}`
}

function sleepCommand(agent: Agent, seconds: number): string {
  return command(`echo running; S=${seconds}; KILL_MARK='${mark}/${agent.id}/' ${random.pick(SLEEPS)}`)
}

function steps(): string {
  const input: StepsInput = { effects, steps: random.between(1, 4), stepMs: random.between(0, 15) }
  return JSON.stringify(input)
}

async function send(agent: Agent, input: string): Promise<void> {
  await reportFailure('send', async () =>
    report({ type: 'outcome', input, outcome: await agent.send(input) }),
  )
}

async function post(agent: Agent, input: string): Promise<void> {
  await reportFailure('post', async () =>
    report({ type: 'accepted', input, outcome: await agent.post(input) }),
  )
}

// --- session commands: one at a time for each agent, so that they took effect in the order of their reports

async function changeOne(agent: Agent): Promise<void> {
  const live = agent.sessions().filter((session) => session.status !== 'terminated')
  const chosen = random.pick(live)?.id
  const trashed = random.pick(team.sessions({ agentId: agent.id, trashed: true }))?.id
  const kind = random.next()
  if (live.length < 3 || kind < 0.1) await change(agent, 'create')
  else if (kind < 0.4) await change(agent, 'load', chosen)
  else if (kind < 0.55) await change(agent, 'update', chosen)
  else if (kind < 0.65) await change(agent, 'save', chosen)
  else if (kind < 0.75) await change(agent, 'suspend', chosen)
  else if (kind < 0.8) await change(agent, 'fork', chosen)
  else if (kind < 0.85) await change(agent, 'terminate', chosen)
  else if (kind < 0.95 || trashed === undefined)
    await change(agent, 'trash', random.pick(agent.sessions())?.id)
  else await change(agent, 'restore', trashed)
}

async function moveOne(agent: Agent): Promise<void> {
  const trashed = team.sessions({ agentId: agent.id, trashed: true })
  const present = agent.sessions().filter((session) => !session.current)
  if (trashed.length + present.length < 4) {
    await change(agent, 'create')
    await send(agent, text())
  } else if (random.between(1, trashed.length + present.length) > trashed.length) {
    await change(agent, 'trash', random.pick(present)?.id)
  } else {
    await change(agent, 'restore', random.pick(trashed)?.id)
  }
}

async function change(agent: Agent, op: SessionOp, sessionId?: string): Promise<void> {
  const n = run * 1_000_000 + ++updates
  const counted = op === 'update' || op === 'create' ? { n } : {}
  report({ type: 'try', agentId: agent.id, op, ...(sessionId !== undefined && { sessionId }), ...counted })
  await reportFailure(`${op} ${sessionId}`, async () => {
    const session = await give(agent, op, sessionId ?? '', n)
    report({ type: 'done', agentId: agent.id, op, session, ...counted })
  })
}

function give(agent: Agent, op: SessionOp, sessionId: string, n: number): Promise<SessionInfo> {
  switch (op) {
    case 'create':
      return agent.createSession({ name: `session ${n}`, vars: { N: String(n) }, metadata: { n } })
    case 'load':
      return agent.loadSession(sessionId)
    case 'suspend':
      return agent.suspendSession(sessionId)
    case 'update':
      return agent.updateSession(sessionId, { metadata: { n } })
    case 'save':
      return agent.saveSession(sessionId)
    case 'fork':
      return agent.forkSession(sessionId)
    case 'terminate':
      return agent.terminateSession(sessionId)
    case 'trash':
      return agent.deleteSession(sessionId)
    case 'restore':
      return agent.restoreSession(sessionId)
    default:
      return assertNever(op)
  }
}

// --- reports

function report(line: KillReport): void {
  writeSync(REPORTS_FD, `${JSON.stringify(line)}\n`)
}

async function reportFailure(what: string, call: () => Promise<void>): Promise<void> {
  try {
    await call()
  } catch (error) {
    report({ type: 'failed', what, error: describeThrown(error) })
    throw error
  }
}

/** Waits until the work that earlier runs left is done, tells what there is, and closes the team when the input ends. */
async function finish(): Promise<void> {
  const isDone = (): boolean =>
    team.agents().every(({ state }) => state === 'idle' || state === 'hibernated') &&
    team.sessions().every(({ turn, queue }) => turn === null && queue.length === 0)
  const events = team.events()[Symbol.asyncIterator]()
  while (!isDone()) await events.next()
  report({ type: 'quiet', sessions: team.sessions(), trash: team.sessions({ trashed: true }) })
  process.stdin.resume()
  await once(process.stdin, 'end')
  await team.close()
}
