import type { SessionNote } from '../store/session-store.ts'

/** Notes kept. Where there are more at the start, those stay: each new one takes the place of the oldest. */
const MAX_NOTES = 200
/** What comes back with every try, until the disk is well. */
const REPEATED: ReadonlySet<SessionNote['kind']> = new Set([
  'append-failed',
  'sync-failed',
  'snapshot-failed',
])

/**
 * The notes for health reports, oldest first: the latest of them only, and of what comes back with every try one for each session, where
 * it came last.
 */
export class NoteLog {
  readonly #notes: SessionNote[]

  constructor(notes: readonly SessionNote[]) {
    this.#notes = [...notes]
  }

  all(): readonly SessionNote[] {
    return this.#notes
  }

  add(note: SessionNote): void {
    const { kind, sessionId } = note
    if (REPEATED.has(kind)) {
      const before = this.#notes.findIndex((kept) => kept.kind === kind && kept.sessionId === sessionId)
      if (before !== -1) this.#notes.splice(before, 1)
    }
    this.#notes.push(note)
    if (this.#notes.length > MAX_NOTES) this.#notes.shift()
  }
}
