/**
 * What the supervisor knows of all sessions, kept up by what the threads report: the catalog, and the sessions in the trash.
 *
 * VW1  A report that does not fit what is known (a session that appeared on disk, a gap) harms nobody: the agent's sessions are read
 *      from disk again.
 * VW2  After a stay was cut off its agent's sessions are read from disk before the next stay starts: the thread may have made
 *      durable what it could not report any more. That flag goes only when the reading has succeeded.
 * VW3  The end of a turn is told once, whichever way it comes to be known: by a report, or from disk.
 */
import type { SessionInfo } from '../api.ts'
import type { OpenTurn } from '../core/session-state.ts'
import { assertNever } from '../errors.ts'
import type { FromAgent } from '../protocol/from-agent.ts'
import { type Catalog, infoOf } from '../store/catalog.ts'
import type { ListedSession, SessionPlace, SessionStore } from '../store/session-store.ts'

type Report = Extract<FromAgent, { type: 'session' | 'records' | 'saved' }>

export interface SessionChange {
  session: SessionInfo
  gone: boolean
}

export class SessionView {
  readonly #catalog: Catalog
  readonly #store: SessionStore
  readonly #trash: Map<string, SessionInfo>
  readonly #stale = new Set<string>()
  readonly #onTurnEnded: (agentId: string, turn: OpenTurn) => void

  /** `onTurnEnded` gets the turn as it was known last, right after the catalog has its end (VW3). */
  constructor(
    catalog: Catalog,
    store: SessionStore,
    trash: readonly SessionInfo[],
    onTurnEnded: (agentId: string, turn: OpenTurn) => void = () => undefined,
  ) {
    this.#catalog = catalog
    this.#store = store
    this.#onTurnEnded = onTurnEnded
    this.#trash = new Map(trash.map((session) => [session.id, session]))
  }

  trash(): SessionInfo[] {
    return [...this.#trash.values()]
  }

  /** A session was deleted from the trash. */
  purged(sessionId: string): void {
    this.#trash.delete(sessionId)
  }

  /** Takes a report over; returns what changed for readers of events. Throws for one that does not fit (VW1). */
  take(report: Report): SessionChange | undefined {
    const catalog = this.#catalog
    switch (report.type) {
      case 'session': {
        const { header, gone = false } = report
        const known = catalog.get(header.id)
        const diskBytes = (known?.diskBytes ?? 0) + header.journalOffset - (known?.journalOffset ?? 0)
        this.#follow(header.id, () => {
          if (gone) catalog.remove(header.id)
          else catalog.update(header, diskBytes)
        })
        const session = catalog.get(header.id) ?? infoOf(header, { current: false, diskBytes })
        if (session.trashedAt === undefined) this.#trash.delete(session.id)
        else this.#trash.set(session.id, session)
        return { session, gone }
      }
      case 'records': {
        const { sessionId, records, journalOffset } = report
        this.#follow(sessionId, () => catalog.append(sessionId, records, journalOffset))
        const session = catalog.get(report.sessionId)
        return session && { session, gone: false }
      }
      case 'saved': {
        catalog.saved(report.sessionId, report.snapshotBytes)
        return undefined
      }
      default:
        return assertNever(report)
    }
  }

  /** VW3 */
  #follow(sessionId: string, change: () => void): void {
    const before = this.#catalog.get(sessionId)
    change()
    const turn = before?.turn
    if (!before || !turn || this.#catalog.get(sessionId)?.turn?.turnId === turn.turnId) return
    this.#onTurnEnded(before.agentId, turn)
  }

  isStale(agentId: string): boolean {
    return this.#stale.has(agentId)
  }

  /** What is known of the agent's sessions may be behind the disk. */
  markStale(agentId: string): void {
    this.#stale.add(agentId)
  }

  /** Reads the sessions of a stale agent, and those that nobody knew, from disk. Throws `storage_failed`; the agent stays stale then. */
  async refresh(agentId: string): Promise<void> {
    if (!this.#stale.has(agentId)) return
    await this.#refreshCatalog(agentId)
    await this.#refreshTrash(agentId)
    this.#stale.delete(agentId)
  }

  async #refreshCatalog(agentId: string): Promise<void> {
    const there = await this.#store.ids('sessions')
    const known = this.#catalog.list({ agentId }).map(({ id }) => id)
    for (const id of known) if (!there.has(id)) this.#follow(id, () => this.#catalog.remove(id))
    const wanted = [...there].filter((id) => (this.#catalog.get(id)?.agentId ?? agentId) === agentId)
    for await (const { header, diskBytes, problem } of this.#read(wanted, 'sessions')) {
      if (header?.agentId !== agentId) continue
      this.#follow(header.id, () => this.#catalog.update(header, diskBytes, problem))
    }
  }

  async #refreshTrash(agentId: string): Promise<void> {
    const there = await this.#store.ids('trash')
    for (const id of this.#trash.keys()) if (!there.has(id)) this.#trash.delete(id)
    const unknown = [...there].filter((id) => !this.#trash.has(id))
    for await (const { header, diskBytes } of this.#read(unknown, 'trash')) {
      if (header?.agentId !== agentId) continue
      this.#follow(header.id, () => this.#catalog.remove(header.id))
      this.#trash.set(header.id, infoOf(header, { current: false, diskBytes }))
    }
  }

  #read(ids: readonly string[], place: SessionPlace): AsyncIterable<ListedSession> {
    return place === 'sessions' ? this.#store.list(ids) : this.#store.listTrash(ids)
  }
}
