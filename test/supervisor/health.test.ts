import { describe, expect, test } from 'vitest'
import type { ResourceUsage } from '../../src/api.ts'
import { watchHealth } from '../../src/supervisor/health.ts'
import type { SupervisedAgent } from '../../src/supervisor/supervised-agent.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

const USAGE: ResourceUsage = { heapBytes: 1, externalBytes: 1, cpuMs: 1, loopUtilization: 0 }

class WatchedAgent {
  beats: boolean[] = []
  readings = 0
  hasThread = true
  runsUserCode: boolean
  #fault: Error | undefined

  constructor(runsUserCode: boolean, fault?: Error) {
    this.runsUserCode = runsUserCode
    this.#fault = fault
  }

  beat(onTime: boolean): void {
    this.beats.push(onTime)
  }

  async watchMemory(): Promise<ResourceUsage> {
    this.readings += 1
    if (this.#fault) throw this.#fault
    return USAGE
  }
}

function watch(
  clock: SimulatedClock,
  ...agents: WatchedAgent[]
): { reports: WatchedAgent[]; faults: unknown[]; end: () => void } {
  const reports: WatchedAgent[] = []
  const faults: unknown[] = []
  const end = watchHealth({
    clock,
    agents: () => agents as unknown as SupervisedAgent[],
    onBeat: () => undefined,
    onUsage: (agent) => reports.push(agent as unknown as WatchedAgent),
    onFault: (_agent, error) => faults.push(error),
  })
  return { reports, faults, end }
}

describe('the clockwork of health', () => {
  test('beats and reports once a second; reads the memory of user code twenty times as often', async () => {
    const clock = new SimulatedClock()
    const [own, user] = [new WatchedAgent(false), new WatchedAgent(true)]
    const { reports } = watch(clock, own, user)
    await clock.advanceAsync(10_000)
    expect([own.beats.length, user.beats.length]).toEqual([10, 10])
    expect([own.readings, user.readings]).toEqual([10, 200])
    expect(reports).toHaveLength(20)
  })

  test('leaves agents without a thread alone, and stops when it is ended', async () => {
    const clock = new SimulatedClock()
    const agent = new WatchedAgent(true)
    agent.hasThread = false
    const { end } = watch(clock, agent)
    await clock.advanceAsync(5_000)
    expect(agent.beats.length + agent.readings).toBe(0)
    agent.hasThread = true
    end()
    await clock.advanceAsync(5_000)
    expect(agent.beats.length + agent.readings).toBe(0)
    expect(clock.timers).toBe(0)
  })

  test('reports a reading that failed, and goes on', async () => {
    const clock = new SimulatedClock()
    const fault = new Error('no reading')
    const [faulty, sound] = [new WatchedAgent(false, fault), new WatchedAgent(false)]
    const { reports, faults } = watch(clock, faulty, sound)
    await clock.advanceAsync(2_000)
    expect(faults).toEqual([fault, fault])
    expect(reports).toEqual([sound, sound])
  })
})
