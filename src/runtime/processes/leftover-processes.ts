/** Ends what a turn left running: the marker in the environment finds processes that their process group does not. */
import { type Clock, systemClock } from '../../core/clock.ts'
import { AgentryError } from '../../errors.ts'
import { type COMMAND_MARKER, TURN_MARKER } from './command-environment.ts'
import { signalProcesses } from './process-group.ts'
import { environmentOf, groupOf, processIds } from './proc-files.ts'
import { removeStateFiles } from './state-file.ts'

export interface LeftoverOptions {
  clock?: Clock
  /** How long killed processes may take to be gone. Default 5,000. */
  deadlineMs?: number
  /** The variable whose value the id is. Default: that of turns. */
  marker?: typeof TURN_MARKER | typeof COMMAND_MARKER
}

/** Ends all that the commands of a turn that was cut off left: processes and temporary files. Throws like killLeftovers. */
export async function endLeftovers(turnId: string): Promise<void> {
  await killLeftovers(turnId)
  removeStateFiles(turnId)
}

/**
 * Kills (SIGKILL) every process that was started under the turn, or what else `marker` names, and resolves with their number once all are gone. 0 where
 * there is no /proc. Does not find a process that both left its process group and cleared its environment.
 *
 * Throws `leftover_processes` if some live on past the deadline (stuck in the kernel, or multiplying faster than they die).
 */
export async function killLeftovers(id: string, options: LeftoverOptions = {}): Promise<number> {
  const { clock = systemClock, deadlineMs = 5_000, marker = TURN_MARKER } = options
  const startMs = clock.monotonicMs()
  const killed = new Set<number>()
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 100)) {
    for (const pid of processesWith(marker, id)) {
      signalProcesses(pid, 'SIGKILL')
      killed.add(pid)
    }
    // Of a process that is ending, the environment is gone before its open files are.
    const left = [...killed].filter((pid) => groupOf(pid) !== undefined)
    if (left.length === 0) return killed.size
    if (clock.monotonicMs() - startMs >= deadlineMs) {
      throw new AgentryError(
        'leftover_processes',
        `processes with ${marker}=${id} were killed and still run after ${deadlineMs} ms: ${left.join(', ')}`,
        { data: { marker, id, pids: left } },
      )
    }
    await new Promise<void>((resolve) => clock.setTimer(pauseMs, resolve))
  }
}

/** Never this process, which may itself have been started by a command. */
function processesWith(name: string, value: string): number[] {
  const marker = Buffer.from(`\0${name}=${value}\0`)
  const before = Buffer.alloc(1)
  return processIds().filter((pid) => {
    if (pid === process.pid) return false
    const environment = environmentOf(pid)
    return environment !== undefined && Buffer.concat([before, environment]).includes(marker)
  })
}
