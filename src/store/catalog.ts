/**
 * What the supervisor knows of all sessions: their headers, read from disk once at the start and kept up by what the agents'
 * threads report. It answers at once, wakes nobody and writes nothing. Sessions in the trash are not in it.
 *
 * Invariants:
 * K1  at most one session of an agent is `current`: of its active ones, that with the highest activation.
 * K2  a SessionInfo that was handed out never changes; a change makes a new one. Treat them as frozen: they are shared. Finished
 *     turns are not in it: there can be hundreds.
 * K3  taskOwner finds every taskId and turnId that a header holds, and no other.
 * K4  `asking` gives every session that holds a question, and no other.
 * K5  what sessions use while the catalog follows them is counted once and never uncounted, whatever becomes of them.
 */
import type { SessionFilter, SessionInfo } from '../api.ts'
import { fold, foldFirst, headerOf } from '../core/fold.ts'
import type { SessionRecord } from '../core/record.ts'
import { byActivation, byLastAccess } from '../core/session-order.ts'
import type { SessionHeader, SessionState, TaskEntry } from '../core/session-state.ts'
import { findTask, type KnownTask } from '../core/turn.ts'
import { noUsage, sumUsage, type UsageTotal, usedSince } from '../core/usage.ts'
import { AgentryError, type ErrorCode } from '../errors.ts'
import { MAX_TOKEN } from './claims.ts'
import { findSession, notFound } from './find-session.ts'
import type { SessionNote, SessionStore } from './session-store.ts'
import { TaskIndex } from './task-index.ts'

export interface TaskOwner {
  sessionId: string
  agentId: string
  turnId: string
}

/** Of one agent. */
interface AgentSessions {
  /** All of them. */
  ids: Set<string>
  active: Set<string>
  currentId: string | undefined
  /** Never falls, so that it also outranks sessions that have gone since. */
  highestActivation: number
  /** Worked out when it is next asked for, where undefined. */
  usage: UsageTotal | undefined
}

interface Entry {
  info: SessionInfo
  /** Its finished turns. */
  tasks: TaskEntry[]
}

interface Unreadable {
  note: SessionNote
  diskBytes: number
}

export class Catalog {
  readonly #sessions = new Map<string, Entry>()
  readonly #agents = new Map<string, AgentSessions>()
  readonly #unreadable = new Map<string, Unreadable>()
  readonly #tasks = new TaskIndex()
  /** The ids of those that hold a question (K4). */
  readonly #asking = new Set<string>()
  /** K5 */
  #used = noUsage()
  #highestEpoch = 0

  /** A catalog of everything in the store. A session that cannot be read becomes a problem, not an error. */
  static async open(store: Pick<SessionStore, 'list'>): Promise<Catalog> {
    const catalog = new Catalog()
    for await (const { header, sessionId, diskBytes, problem } of store.list()) {
      if (header !== undefined) catalog.update(header, diskBytes, problem)
      if (problem !== undefined) {
        catalog.#unreadable.set(sessionId, { note: problem, diskBytes: header === undefined ? diskBytes : 0 })
      }
    }
    return catalog
  }

  /**
   * Takes over a header, new or changed: the caller must not change it afterwards. A trashed one is removed. `problem`: why the
   * session cannot be loaded, where that is so.
   */
  update(header: SessionHeader, diskBytes: number, problem?: SessionNote): void {
    const previous = this.#sessions.get(header.id)
    if (previous !== undefined) this.#use(usedSince(previous.info.counts, header.counts))
    if (header.trashedAt !== undefined) return this.remove(header.id)
    const agent = this.#agentOf(header.agentId)
    const current = agent.currentId === header.id
    const info = infoOf(header, { current, diskBytes, ...(problem && { problem }) })
    const { tasks } = header
    const entry: Entry = { info, tasks }
    this.#unreadable.delete(info.id)
    this.#sessions.set(info.id, entry)
    this.#tasks.replace(previous, entry)
    shareIds(tasks)
    if (info.approvals.length > 0) this.#asking.add(info.id)
    else this.#asking.delete(info.id)
    agent.usage = undefined
    agent.ids.add(info.id)
    if (info.status === 'active') agent.active.add(info.id)
    else agent.active.delete(info.id)
    agent.highestActivation = Math.max(agent.highestActivation, info.activation)
    if (info.epoch <= MAX_TOKEN) this.#highestEpoch = Math.max(this.#highestEpoch, info.epoch)
    this.#settleCurrent(agent)
  }

  /**
   * Folds records that became durable into the header of their session; `journalOffset` is the journal's length behind them.
   * Records that the header holds already are skipped.
   *
   * Throws `session_not_found` for an unknown session whose first record is not among them, `session_damaged` for a gap.
   */
  append(sessionId: string, records: readonly SessionRecord[], journalOffset: number): void {
    const known = this.#sessions.get(sessionId)
    let state: SessionState | undefined = known && {
      ...headerOf({ ...known.info, tasks: known.tasks, memory: [] }),
      memory: [],
    }
    for (const record of records) {
      if (state !== undefined) {
        if (record.seq > state.seq) fold(state, record)
      } else if (record.type === 'session.created') {
        state = foldFirst(record)
      } else {
        throw notFound(sessionId)
      }
    }
    if (state === undefined) return
    // Its records are here from the first one on: all that it has used was used now.
    if (known === undefined) this.#use(state.counts)
    const { memory: _memory, ...header } = state
    const grownBytes = Math.max(0, journalOffset - header.journalOffset)
    this.update({ ...header, journalOffset }, (known?.info.diskBytes ?? 0) + grownBytes)
  }

  /** The snapshot of a session was written, with so many bytes. */
  saved(sessionId: string, snapshotBytes: number): void {
    const entry = this.#sessions.get(sessionId)
    if (entry === undefined) return
    const { info } = entry
    entry.info = { ...info, diskBytes: info.journalOffset + snapshotBytes }
  }

  /** Idempotent. */
  remove(sessionId: string): void {
    this.#unreadable.delete(sessionId)
    const entry = this.#sessions.get(sessionId)
    if (entry === undefined) return
    this.#sessions.delete(sessionId)
    this.#tasks.remove(entry)
    this.#asking.delete(sessionId)
    const agent = this.#agentOf(entry.info.agentId)
    agent.ids.delete(sessionId)
    agent.active.delete(sessionId)
    agent.usage = undefined
    this.#settleCurrent(agent)
  }

  get(sessionId: string): SessionInfo | undefined {
    return this.#sessions.get(sessionId)?.info
  }

  /** The sessions that fit, last accessed first (of the same time: last created first). */
  list(filter: Omit<SessionFilter, 'trashed'> = {}): SessionInfo[] {
    return sessionsThatFit(
      this.#sessions.values().map(({ info }) => info),
      filter,
    )
  }

  /**
   * The session that a person means: see findSession. Throws `session_not_found`, `session_ambiguous`, and for the id of a session
   * that cannot be read the code that says why.
   */
  find(reference: string, agentId?: string): SessionInfo {
    const exact = this.get(reference)
    if (exact !== undefined && (agentId === undefined || exact.agentId === agentId)) return exact
    const unreadable = this.#unreadable.get(reference)
    if (unreadable !== undefined) throw unreadableError(unreadable.note)
    return findSession(this.list(), reference, agentId)
  }

  /** The agent's current session (K1). */
  currentOf(agentId: string): SessionInfo | undefined {
    const id = this.#agents.get(agentId)?.currentId
    return id === undefined ? undefined : this.get(id)
  }

  /** Active sessions beside the current one: a crash came between making that one current and suspending these. */
  strayActiveOf(agentId: string): SessionInfo[] {
    return this.#activeOf(this.#agents.get(agentId)).filter((info) => !info.current)
  }

  /** The highest activation that any session of the agent has had; 0 where there is none. */
  highestActivation(agentId: string): number {
    return this.#agents.get(agentId)?.highestActivation ?? 0
  }

  /** The highest record epoch (a claim's token) in any header; 0 where there is none. */
  highestEpoch(): number {
    return this.#highestEpoch
  }

  /** `diskBytes` counts the files of unreadable sessions too, `sessions` does not. */
  totals(): { sessions: number; diskBytes: number } {
    let diskBytes = 0
    for (const { info } of this.#sessions.values()) diskBytes += info.diskBytes
    for (const unreadable of this.#unreadable.values()) diskBytes += unreadable.diskBytes
    return { sessions: this.#sessions.size, diskBytes }
  }

  /** The sessions that hold questions to people, in no order. */
  asking(): SessionInfo[] {
    return [...this.#asking].flatMap((id) => this.get(id) ?? [])
  }

  /** What the sessions of an agent have used in all their time; those in the trash are not counted. */
  usage(agentId: string): UsageTotal {
    const agent = this.#agents.get(agentId)
    if (agent === undefined) return noUsage()
    agent.usage ??= sumUsage([...agent.ids].flatMap((id) => this.get(id)?.counts ?? []))
    return agent.usage
  }

  /** What all sessions have used since the catalog was opened, those that have gone since included. */
  used(): UsageTotal {
    return this.#used
  }

  /** One note for each session that could not be read. */
  problems(): SessionNote[] {
    return this.#unreadable
      .values()
      .map(({ note }) => note)
      .toArray()
  }

  /** Where a task is, running, queued or finished; `taskId` may be the turnId of any turn. */
  taskOwner(taskId: string): TaskOwner | undefined {
    const found = this.#tasks.find(this.#sessions, taskId)
    if (found === undefined) return undefined
    const { id: sessionId, agentId } = found.session.info
    return { sessionId, agentId, turnId: found.turnId }
  }

  /** The session that a task is in, and what that knows of it. */
  findTask(taskId: string): { session: SessionInfo; known: KnownTask } | undefined {
    const found = this.#tasks.find(this.#sessions, taskId)
    if (found === undefined) return undefined
    const { info: session, tasks } = found.session
    const known = findTask({ turn: session.turn, queue: session.queue, tasks }, taskId)
    return known && { session, known }
  }

  #agentOf(agentId: string): AgentSessions {
    let agent = this.#agents.get(agentId)
    if (agent === undefined) {
      agent = {
        ids: new Set(),
        active: new Set(),
        currentId: undefined,
        highestActivation: 0,
        usage: undefined,
      }
      this.#agents.set(agentId, agent)
    }
    return agent
  }

  #use(usage: UsageTotal): void {
    this.#used = sumUsage([this.#used, usage])
  }

  /** Highest activation first. */
  #activeOf(agent: AgentSessions | undefined): SessionInfo[] {
    return [...(agent?.active ?? [])].flatMap((id) => this.get(id) ?? []).sort(byActivation)
  }

  #settleCurrent(agent: AgentSessions): void {
    const before = agent.currentId
    agent.currentId = this.#activeOf(agent)[0]?.id
    if (before !== undefined && before !== agent.currentId) this.#flag(before, false)
    if (agent.currentId !== undefined) this.#flag(agent.currentId, true)
  }

  #flag(sessionId: string, current: boolean): void {
    const entry = this.#sessions.get(sessionId)
    if (entry !== undefined && entry.info.current !== current) entry.info = { ...entry.info, current }
  }
}

/** What lists and events give of a session. */
export function infoOf(
  { tasks: _tasks, ...header }: SessionHeader,
  rest: Pick<SessionInfo, 'current' | 'diskBytes' | 'problem'>,
): SessionInfo {
  return { ...header, ...rest }
}

/** The sessions that fit, last accessed first (of the same time: last created first). */
export function sessionsThatFit(
  sessions: Iterable<SessionInfo>,
  filter: Omit<SessionFilter, 'trashed'>,
): SessionInfo[] {
  const { agentId, status } = filter
  const search = filter.search?.toLowerCase()
  const fits = (info: SessionInfo): boolean =>
    (agentId === undefined || info.agentId === agentId) &&
    (status === undefined || info.status === status) &&
    (search === undefined ||
      info.name.toLowerCase().includes(search) ||
      info.description.toLowerCase().includes(search))
  return Array.from(sessions).filter(fits).sort(byLastAccess)
}

/** Lets equal ids of a finished turn be one string: as parsed they are two, and there are very many of them. */
function shareIds(tasks: readonly TaskEntry[]): void {
  for (const task of tasks) if (task.taskId === task.turnId) task.taskId = task.turnId
}

const UNREADABLE_CODES: Partial<Record<SessionNote['kind'], ErrorCode>> = {
  'foreign-file': 'session_unreadable',
  'newer-format': 'unsupported_format',
  'journal-missing': 'journal_missing',
  'journal-truncated': 'journal_truncated',
}

function unreadableError(note: SessionNote): AgentryError {
  const data = note.sessionId === undefined ? {} : { data: { sessionId: note.sessionId } }
  return new AgentryError(UNREADABLE_CODES[note.kind] ?? 'session_damaged', note.message, data)
}
