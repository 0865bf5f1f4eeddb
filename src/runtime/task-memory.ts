import type { Message } from '../core/record.ts'
import type { Outcome } from '../protocol/from-agent.ts'

/** Longer results are not kept here: they are read from the session. */
const MAX_RESULT = 4_096

/** Finished turns that are remembered beside the sessions' own lists: enough until the supervisor's catalog has them. */
const MAX_FINISHED = 500

export interface KnownTask {
  turnId: string
  sessionId: string
  finished: boolean
  /** Of a finished turn with a short result. */
  outcome?: Outcome
}

/**
 * The taskIds that one stay has accepted, over all its sessions: a message repeated right after another session became current
 * must find its turn although that session is not open any more.
 */
export class TaskMemory {
  readonly #tasks = new Map<string, KnownTask>()
  readonly #finished: string[] = []

  add({ taskId, turnId }: Message, sessionId: string): void {
    this.#tasks.set(taskId, { turnId, sessionId, finished: false })
  }

  find(taskId: string): KnownTask | undefined {
    return this.#tasks.get(taskId)
  }

  finish(outcome: Outcome): void {
    const { taskId, turnId, sessionId } = outcome
    const short = outcome.result.length <= MAX_RESULT
    this.#tasks.set(taskId, { turnId, sessionId, finished: true, ...(short && { outcome }) })
    this.#finished.push(taskId)
    if (this.#finished.length <= MAX_FINISHED) return
    const oldest = this.#finished.shift()
    if (oldest !== undefined) this.#tasks.delete(oldest)
  }

  /** After a failed write: what was not finished may not be on disk. */
  forgetUnfinished(): void {
    for (const [taskId, task] of this.#tasks) if (!task.finished) this.#tasks.delete(taskId)
  }
}
