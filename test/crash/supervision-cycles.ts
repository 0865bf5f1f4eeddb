/** Agents that end in every way there is and come back, again and again: for the short tests and the long campaigns. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, onTestFinished, vi } from 'vitest'
import type { Agent, Team } from '../../src/api.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { StayOptions } from '../../src/protocol/stay.ts'
import type { Stay } from '../../src/supervisor/agent-host.ts'
import { ThreadHost } from '../../src/supervisor/thread-host.ts'
import { fakeBehavior, openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

/** Follows every stay on a thread, and notes two of one agent that are alive at once, or under claims that do not grow. */
class StayLedger {
  stays = 0
  readonly faults: string[] = []
  readonly #alive = new Map<string, StayOptions>()
  readonly #tokens = new Map<string, number>()

  begin(options: StayOptions): void {
    const { spec, claim } = options
    this.stays += 1
    const other = this.#alive.get(spec.id)
    if (other !== undefined) {
      this.faults.push(`${spec.id}: ${claim.token} began while ${other.claim.token} was alive`)
    }
    const last = this.#tokens.get(spec.id) ?? 0
    if (claim.token <= last) this.faults.push(`${spec.id}: token ${claim.token} after ${last}`)
    this.#alive.set(spec.id, options)
    this.#tokens.set(spec.id, claim.token)
  }

  end(options: StayOptions): void {
    if (this.#alive.get(options.spec.id) === options) this.#alive.delete(options.spec.id)
  }
}

/** A ledger of all stays on threads until the running test has finished. */
function followStays(): StayLedger {
  const ledger = new StayLedger()
  const start: (this: ThreadHost, ...args: Parameters<ThreadHost['start']>) => Stay = Reflect.get(
    ThreadHost.prototype,
    'start',
  )
  const spy = vi.spyOn(ThreadHost.prototype, 'start').mockImplementation(function (
    this: ThreadHost,
    options,
    receive,
  ) {
    ledger.begin(options)
    const stay = start.call(this, options, receive)
    void stay.exited.then(() => ledger.end(options))
    return stay
  })
  onTestFinished(() => spy.mockRestore())
  return ledger
}

/**
 * Ends agents `cycles` times in the middle of a turn, and has them back: cancelled, stopped, hibernated, removed; every tenth time
 * crashed. Fails where two stays of one agent were alive at once, an epoch in a journal falls, or a turn was run twice.
 */
export async function cancelAndRespawn(cycles: number): Promise<void> {
  const ledger = followStays()
  const team = await openTeam({ limits: { hibernateAfterMs: 5 } })
  const each = Math.ceil(cycles / 5)
  await Promise.all([
    crashAgain(team, each / 2),
    ...['one', 'two', 'three', 'four', 'five'].map((id) => endAgain(team, id, each)),
  ])
  expect(ledger.faults).toEqual([])
  expect(ledger.stays).toBeGreaterThan(cycles / 2)
  const damage = team.health().notes.filter(({ kind }) => kind !== 'snapshot-rebuilt')
  expect(damage).toEqual([])
  await expectSoundJournals(team)
}

async function endAgain(team: Team, id: string, cycles: number): Promise<void> {
  const spawn = (): Promise<Agent> => team.spawn({ id, behavior: 'shell' })
  let agent = await spawn()
  const ways: ((turn: Promise<Outcome>) => Promise<unknown>)[] = [
    async () => {
      const switched = agent.createSession({ name: 'next' })
      await agent.cancel()
      await switched
    },
    () => Promise.all([agent.stop({ graceMs: 0 }), agent.start()]),
    async (turn) => {
      await agent.cancel()
      await turn
      await until('it hibernates', () => agent.info().state === 'hibernated')
    },
    async () => {
      await team.removeAgent(id)
      agent = await spawn()
    },
  ]
  for (let cycle = 0; cycle < cycles; cycle++) {
    const turn = agent.send('sleep 1000')
    await until('it runs', () => agent.info().state === 'working')
    await ways[cycle % ways.length]?.(turn)
    expect((await turn).status).toMatch(/cancelled|interrupted/)
  }
  expect(await agent.send('true')).toMatchObject({ status: 'completed' })
}

async function crashAgain(team: Team, cycles: number): Promise<void> {
  const gate = join(temporaryDirectory(), 'gate')
  writeFileSync(gate, '')
  const agent = await team.spawn({
    id: 'crashing',
    behavior: fakeBehavior('waiting'),
    restart: { maxRestarts: cycles, withinMs: 1_000 },
  })
  for (let cycle = 0; cycle < cycles; cycle++) {
    await expect(agent.send(`crash ${gate}`)).rejects.toMatchObject({ code: 'agent_crashed' })
    await agent.start()
  }
  expect(await agent.send('true')).toMatchObject({ status: 'completed' })
}

async function expectSoundJournals(team: Team): Promise<void> {
  for (const { id } of team.sessions()) {
    const records = await Array.fromAsync(team.records(id))
    const epochs = records.map(({ epoch }) => epoch)
    expect(epochs).toEqual(epochs.toSorted((a, b) => a - b))
    const started = records.flatMap((record) => (record.type === 'turn.started' ? [record.turnId] : []))
    expect(new Set(started).size).toBe(started.length)
  }
}

/** Starts and stops agents `cycles` times, and fails where descriptors, threads, listeners or memory do not come back to what they were. */
export async function startAndStop(cycles: number): Promise<void> {
  const warnings: Error[] = []
  const onWarning = (warning: Error): number => warnings.push(warning)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))

  const team = await openTeam({ limits: { threads: 4 } })
  const agents = [
    await team.spawn({ id: 'echo', behavior: 'echo' }),
    await team.spawn({ id: 'other', behavior: 'echo' }),
  ]
  const cycle = async (count: number): Promise<void> => {
    for (let round = 0; round < count; round++) {
      await Promise.all(
        agents.map(async (agent) => {
          await agent.stop()
          await agent.start()
          if (round % 10 === 0) await agent.send(`${round}`)
        }),
      )
    }
  }
  await cycle(50) // what is kept for the next start is there now
  const before = resources()
  await cycle(Math.ceil(cycles / agents.length))
  const after = resources()
  expect(after.descriptors).toBeLessThanOrEqual(before.descriptors)
  expect(after.threads).toBeLessThanOrEqual(before.threads)
  expect(after.listeners).toEqual(before.listeners)
  expect(after.heapBytes - before.heapBytes).toBeLessThan(4 * 2 ** 20)
  expect(warnings).toEqual([])
}

interface Resources {
  descriptors: number
  threads: number
  listeners: [event: string | symbol, count: number][]
  /** After a full garbage collection. */
  heapBytes: number
}

function resources(): Resources {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    listeners: process.eventNames().map((event) => [event, process.listenerCount(event)]),
    heapBytes: process.memoryUsage().heapUsed,
  }
}
