/** What killed supervisors had acknowledged: the part of their reports that must be true for ever. */
import type { SessionInfo } from '../../src/api.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { KillReport, SessionOp } from '../fakes/kill-protocol.ts'

export interface Acknowledgement {
  input: string
  outcome: Outcome
}

export interface AcknowledgedSession {
  id: string
  /** As the last answered command gave it. */
  terminated: boolean
  trashed: boolean
  /** The last value that was acknowledged for `metadata.n`; commands that were given later may have set a higher one. */
  n: number | undefined
  highestTriedN: number | undefined
  /** A move that was asked for after the last answer: it may have happened or not. */
  pendingMove: boolean
}

export class KillLedger {
  /** Finished turns by turnId. */
  readonly finished: Map<string, Acknowledgement> = new Map()
  /** Accepted messages by turnId. */
  readonly accepted: Map<string, Acknowledgement> = new Map()
  readonly sessions: Map<string, AcknowledgedSession> = new Map()
  /** Of each agent whose last command was answered and made a session current: that session. */
  readonly current: Map<string, string> = new Map()

  add(reports: readonly KillReport[]): void {
    for (const report of reports) this.#take(report)
  }

  #take(report: KillReport): void {
    switch (report.type) {
      case 'outcome':
        this.finished.set(report.outcome.turnId, report)
        return
      case 'accepted':
        this.accepted.set(report.outcome.turnId, report)
        return
      case 'try': {
        this.current.delete(report.agentId)
        const session = this.sessions.get(report.sessionId ?? '')
        if (session === undefined) return
        if (report.op === 'trash' || report.op === 'restore') session.pendingMove = true
        if (report.n !== undefined) session.highestTriedN = report.n
        return
      }
      case 'done':
        this.#done(report.op, report.session, report.n)
        return
      case 'up':
      case 'back':
      case 'running':
      case 'quiet':
      case 'failed':
        return
    }
  }

  #done(op: SessionOp, info: SessionInfo, n: number | undefined): void {
    const { id, agentId } = info
    const session = this.sessions.get(id) ?? {
      id,
      terminated: false,
      trashed: false,
      n: undefined,
      highestTriedN: undefined,
      pendingMove: false,
    }
    this.sessions.set(id, session)
    if (op === 'trash' || op === 'restore') session.pendingMove = false
    if (op === 'trash') session.trashed = true
    if (op === 'restore') session.trashed = false
    session.terminated ||= op === 'trash' || op === 'terminate'
    if (n !== undefined) {
      session.n = n
      session.highestTriedN = n
    }
    if (op === 'create' || op === 'load') this.current.set(agentId, id)
  }
}
