/**
 * Which session a task is in, over all sessions.
 *
 * Memory counts here: ten thousand sessions hold hundreds of thousands of finished turns. Most have no taskId of their own (it is
 * the turnId); those are searched for in the headers, which hold them already. Only taskIds that clients gave are indexed.
 */
import { isId } from '../core/ids.ts'
import type { SessionHeader } from '../core/session-state.ts'

/** A session as the index needs it. */
export interface SessionTurns {
  info: Pick<SessionHeader, 'id' | 'turn' | 'queue'>
  tasks: SessionHeader['tasks']
}

/** A turn that a header knows by id: finished, running, taken into the running one, or queued. */
interface KnownTurn {
  taskId: string
  turnId: string
}

/** The lowest and the highest turnId of a header: UUIDv7s sort as text, so a turnId outside is not in it. */
interface TurnRange {
  first: string
  last: string
}

export class TaskIndex {
  /** taskId -> sessionId. */
  readonly #sessionIds = new Map<string, string>()
  /** sessionId -> range; undefined until the next search where the session has changed. */
  readonly #ranges = new Map<string, TurnRange | undefined>()

  /** Follows a change of a session: `previous` is the header that `next` replaces. Costs what the change added. */
  replace(previous: SessionTurns | undefined, next: SessionTurns): void {
    const { id } = next.info
    this.#ranges.set(id, undefined)
    // Finished turns are forgotten from the oldest on, and added behind the newest.
    const oldest = next.tasks[0]?.turnId
    for (const task of previous?.tasks ?? []) {
      if (task.turnId === oldest) break
      this.#forget(task.taskId, id)
    }
    const newest = previous?.tasks.at(-1)?.turnId
    const added = next.tasks.slice(next.tasks.findLastIndex((task) => task.turnId === newest) + 1)
    for (const { taskId, turnId } of [...added, ...unfinishedOf(next.info)]) {
      if (taskId !== turnId) this.#sessionIds.set(taskId, id)
    }
  }

  remove(session: SessionTurns): void {
    const { id } = session.info
    this.#ranges.delete(id)
    for (const { taskId } of turnsOf(session)) this.#forget(taskId, id)
  }

  /** The session whose header holds `taskId`, as a taskId or as the turnId of any turn; and that turn. */
  find<T extends SessionTurns>(
    sessions: ReadonlyMap<string, T>,
    taskId: string,
  ): { session: T; turnId: string } | undefined {
    const session = sessions.get(this.#sessionIds.get(taskId) ?? '') ?? this.#sessionOfTurn(sessions, taskId)
    if (session === undefined) return undefined
    const turn = turnsOf(session).findLast((turn) => turn.taskId === taskId || turn.turnId === taskId)
    return turn && { session, turnId: turn.turnId }
  }

  #sessionOfTurn<T extends SessionTurns>(sessions: ReadonlyMap<string, T>, turnId: string): T | undefined {
    if (!isId(turnId)) return undefined
    for (const [sessionId, known] of this.#ranges) {
      const range = known ?? this.#measure(sessionId, sessions.get(sessionId))
      if (turnId < range.first || turnId > range.last) continue
      const session = sessions.get(sessionId)
      if (session && turnsOf(session).some((turn) => turn.turnId === turnId)) return session
    }
    return undefined
  }

  #measure(sessionId: string, session: SessionTurns | undefined): TurnRange {
    const range: TurnRange = { first: '~', last: '' }
    for (const { turnId } of session ? turnsOf(session) : []) {
      if (turnId < range.first) range.first = turnId
      if (turnId > range.last) range.last = turnId
    }
    this.#ranges.set(sessionId, range)
    return range
  }

  #forget(taskId: string, sessionId: string): void {
    if (this.#sessionIds.get(taskId) === sessionId) this.#sessionIds.delete(taskId)
  }
}

/** Oldest first. */
function turnsOf({ info, tasks }: SessionTurns): KnownTurn[] {
  return [...tasks, ...unfinishedOf(info)]
}

function unfinishedOf({ turn, queue }: SessionTurns['info']): KnownTurn[] {
  return turn === null ? queue : [turn, ...turn.steered, ...queue]
}
