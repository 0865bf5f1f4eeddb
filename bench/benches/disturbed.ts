import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Team } from '../../src/api.ts'
import type { Disturbance } from '../behaviors/disturb.ts'
import { type Bench, pairedRow, plainRow } from '../harness/bench.ts'
import { bytesPerTurn, echoTurn, MESSAGE } from '../harness/echo-agents.ts'
import { library } from '../harness/library.ts'
import { measurePairs } from '../harness/rounds.ts'
import { percentile } from '../harness/stats.ts'
import { withDirectory } from '../harness/workspace.ts'
import { disturbRaw, type Supervision } from '../raw/raw-disturber.ts'
import { RawEcho } from '../raw/raw-worker.ts'

const ROUNDS = 5
const RUN_MS = 15_000
const KINDS: readonly Disturbance[] = ['loop', 'exit', 'heap']
/** What the library's supervision does: missed heartbeats, reading of memory, the first delay of a restart. */
const SUPERVISION: Supervision = { loopMs: 5_000, memoryPollMs: 50, memoryMb: 256, restartMs: 180 }
const DISTURBER = fileURLToPath(new URL('../behaviors/disturber.ts', import.meta.url))

interface Run {
  timesMs: number[]
  /** How often each disturber was at it. */
  starts: number[]
}

export const disturbed: Bench = {
  name: 'disturbed',
  title:
    'Turns of an `echo` agent, one after the other, while three other agents loop for ever, call process.exit, and fill their memory, each restarted and sent its message again and again. Raw: the same with bare worker threads, whose disturbers run the same code and are ended and started again by the same rules.',
  notMeasured:
    'disturbers that fill memory outside the heap or in single allocations of gigabytes; more disturbers than cores beyond these three.',
  run: () =>
    withDirectory(async (directory) => {
      let recordBytes = 0
      let number = 0
      const withLibrary = async (): Promise<Run> => {
        number += 1
        await using team = await library.createTeam({ data: join(directory, `sessions-${number}`) })
        const agent = await team.spawn({ id: 'echo', behavior: 'echo' })
        recordBytes = await bytesPerTurn(team, agent, 50)
        // Awaited here: the team must not be closed before.
        return await runBeside(
          (signal) => KINDS.map((kind) => disturbTeam(team, kind, signal)),
          () => echoTurn(agent),
        )
      }
      const withRaw = async (): Promise<Run> => {
        number += 1
        const raw = new RawEcho(join(directory, `raw-${number}.log`), recordBytes)
        const run = await runBeside(
          (signal) => KINDS.map((kind) => disturbRaw(kind, SUPERVISION, signal)),
          () => raw.send(MESSAGE),
        )
        await raw.close()
        return run
      }
      const runs = await measurePairs(ROUNDS, withLibrary, withRaw)
      const at = (part: number) =>
        runs.map(({ subject, baseline }) => ({
          subject: percentile(subject.timesMs, part),
          baseline: percentile(baseline.timesMs, part),
        }))
      const starts = (runs: Run[]) => runs.map((run) => run.starts.join('/')).join(', ')
      const turns = runs.reduce((sum, { subject }) => sum + subject.timesMs.length, 0)
      const samples =
        `${ROUNDS} pairs of ${RUN_MS / 1_000} s, ${turns} turns of the library in all; ` +
        `starts of ${KINDS.join('/')}: ${starts(runs.map((run) => run.subject))}; ` +
        `raw: ${starts(runs.map((run) => run.baseline))}`
      return [
        pairedRow('`echo` turn beside three disturbers, median', 'ms', at(0.5), samples),
        pairedRow('`echo` turn beside three disturbers, p99', 'ms', at(0.99), samples, { most: 2 }),
        pairedRow('`echo` turn beside three disturbers, longest', 'ms', at(1), samples, { most: 2 }),
        plainRow(
          '`echo` turn beside three disturbers, longest (median of the runs)',
          'ms',
          at(1).map((pair) => pair.subject),
          samples,
          250,
        ),
      ]
    }),
}

async function runBeside(
  start: (signal: AbortSignal) => Promise<number>[],
  turn: () => Promise<unknown>,
): Promise<Run> {
  const stop = new AbortController()
  const disturbers = start(stop.signal)
  const timesMs: number[] = []
  const endMs = performance.now() + RUN_MS
  for (let nowMs = performance.now(); nowMs < endMs;) {
    await turn()
    const doneMs = performance.now()
    timesMs.push(doneMs - nowMs)
    nowMs = doneMs
  }
  stop.abort()
  const starts = await Promise.all(disturbers)
  return { timesMs: timesMs.toSorted((a, b) => a - b), starts }
}

/** Sends the message again after each crash. Resolves with how often, once the agent is stopped. */
async function disturbTeam(team: Team, kind: Disturbance, signal: AbortSignal): Promise<number> {
  const agent = await team.spawn({
    id: kind,
    behavior: DISTURBER,
    // A window of 1 ms forgets every crash at once: each restart comes after the first, shortest delay.
    restart: { maxRestarts: 1, withinMs: 1 },
    limits: { memoryMb: SUPERVISION.memoryMb },
  })
  let sent = 0
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve(agent.stop({ graceMs: 0 })), { once: true })
  })
  while (!signal.aborted) {
    sent += 1
    try {
      await agent.send(kind)
    } catch (error) {
      if (!isCrash(error) && !signal.aborted) throw error
    }
    await sleep(1)
  }
  await stopped
  return sent
}

/** The built library's errors are known by their code: their class is not that of the sources. */
function isCrash(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'agent_crashed'
}
