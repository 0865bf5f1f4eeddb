/**
 * The clockwork that watches all agents: heartbeats every second, memory of running user code every MEMORY_MS, of the others
 * every second.
 *
 * W1  A missing answer counts only while this timer itself ran on time: after a laptop's sleep or a SIGSTOP no thread is ended for it.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { ResourceUsage } from '../api.ts'
import type { SupervisedAgent } from './supervised-agent.ts'

/** Fast enough that a heap growing by a gigabyte a second is ended well before the process is in danger. */
const MEMORY_MS = 50
const BEAT_MS = 1_000
/** A beat that comes later than this after the one before was held up. */
const LATE_MS = 2_000

export interface HealthOptions {
  clock: Clock
  agents(): Iterable<SupervisedAgent>
  /** Once a second. */
  onBeat(): void
  /** Once a second for each agent on a thread. */
  onUsage(agent: SupervisedAgent, usage: ResourceUsage): void
  onFault(agent: SupervisedAgent, error: unknown): void
}

/** Starts watching; the returned function ends it. */
export function watchHealth(options: HealthOptions): () => void {
  const { clock } = options
  let timer: Timer
  let lastBeatMs = clock.monotonicMs()
  let closed = false

  const read = async (agent: SupervisedAgent, report: boolean): Promise<void> => {
    try {
      const usage = await agent.watchMemory()
      if (usage && report) options.onUsage(agent, usage)
    } catch (error) {
      options.onFault(agent, error)
    }
  }

  const tick = (): void => {
    if (closed) return
    const now = clock.monotonicMs()
    const beatDue = now - lastBeatMs >= BEAT_MS
    for (const agent of options.agents()) {
      if (!agent.hasThread) continue
      if (beatDue) agent.beat(now - lastBeatMs < LATE_MS)
      if (beatDue || agent.runsUserCode) void read(agent, beatDue)
    }
    if (beatDue) {
      lastBeatMs = now
      options.onBeat()
    }
    timer = clock.setTimer(MEMORY_MS, tick)
  }

  timer = clock.setTimer(MEMORY_MS, tick)
  return () => {
    closed = true
    timer.cancel()
  }
}
