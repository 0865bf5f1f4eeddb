/**
 * Where replays have come to, so that who follows a session does not read it from its snapshot on for every new record.
 *
 * BM1  a bookmark is used only where the record before it is still there, whole: a replay can have read what an append that failed
 *      had left, and that is cut and written over.
 * BM2  bounded: the session that was put longest ago is forgotten first.
 */
import type { DurableFile } from './durable-fs.ts'
import { decodeRecord, type JournalPosition } from './journal.ts'

/** A record, by its bytes in the journal, newline included. */
export interface Bookmark {
  start: number
  end: number
  seq: number
  epoch: number
}

const MAX_BOOKMARKS = 1_000
const NEWLINE = 0x0a

export class Bookmarks {
  readonly #bookmarks = new Map<string, Bookmark>()

  /** One that is behind what is known already changes nothing: who keeps up counts, not who reads old records. */
  put(sessionId: string, bookmark: Bookmark): void {
    const known = this.#bookmarks.get(sessionId)
    this.#bookmarks.delete(sessionId)
    this.#bookmarks.set(sessionId, known === undefined || known.seq < bookmark.seq ? bookmark : known)
    if (this.#bookmarks.size <= MAX_BOOKMARKS) return
    for (const oldest of this.#bookmarks.keys()) {
      this.#bookmarks.delete(oldest)
      return
    }
  }

  /** Where to read on for the records behind `afterSeq`, if that is known. */
  find(sessionId: string, afterSeq: number, journal: DurableFile): JournalPosition | undefined {
    const bookmark = this.#bookmarks.get(sessionId)
    if (bookmark === undefined || bookmark.seq > afterSeq) return undefined
    if (isThere(bookmark, journal)) return { offset: bookmark.end, seq: bookmark.seq, epoch: bookmark.epoch }
    this.#bookmarks.delete(sessionId)
    return undefined
  }
}

/** BM1 */
function isThere({ start, end, seq, epoch }: Bookmark, journal: DurableFile): boolean {
  const line = journal.read(end - start, start)
  if (line.length !== end - start || line.at(-1) !== NEWLINE) return false
  const decoded = decodeRecord(line.subarray(0, -1))
  return decoded.kind === 'record' && decoded.record.seq === seq && decoded.record.epoch === epoch
}
