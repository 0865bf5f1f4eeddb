/** Reads a journal from its first byte to its last, and compares what it adds up to with the snapshot. */
import { isDeepStrictEqual } from 'node:util'
import { fold, foldFirst } from '../core/fold.ts'
import type { SessionState } from '../core/session-state.ts'
import { describeThrown } from '../errors.ts'
import type { DurableFile } from './durable-fs.ts'
import { type JournalItem, readJournal } from './journal.ts'
import type { SnapshotFound } from './read-session.ts'

/** What a journal holds, read from its first byte. */
export interface WholeJournal {
  lastSeq: number
  /** Undefined where the journal does not reach the snapshot's record, or there is no good snapshot. */
  agrees: boolean | undefined
  stale: JournalItem[]
  torn: JournalItem | undefined
  damage: { start: number; reason: string } | undefined
  newer: string | undefined
}

export function readWholeJournal(
  sessionId: string,
  journal: DurableFile,
  snapshot: SnapshotFound,
): WholeJournal {
  const whole: WholeJournal = {
    lastSeq: 0,
    agrees: undefined,
    stale: [],
    torn: undefined,
    damage: undefined,
    newer: undefined,
  }
  let state: SessionState | undefined
  for (const item of readJournal(journal)) {
    switch (item.kind) {
      case 'record':
        try {
          state = state === undefined ? foldFirst(item.record) : fold(state, item.record)
          if (state.id !== sessionId) throw new Error(`it is the journal of session ${state.id}`)
        } catch (error) {
          whole.damage = { start: item.start, reason: describeThrown(error) }
          return whole
        }
        whole.lastSeq = state.seq
        state.journalOffset = item.end
        if (snapshot.kind === 'good' && snapshot.state.seq === state.seq) {
          whole.agrees = isDeepStrictEqual(state, snapshot.state)
        }
        break
      case 'stale':
        whole.stale.push(item)
        // A snapshot made behind it covers it too.
        if (state !== undefined) state.journalOffset = item.end
        if (snapshot.kind === 'good' && whole.agrees === false) {
          whole.agrees = isDeepStrictEqual(state, snapshot.state)
        }
        break
      case 'torn':
        whole.torn = item
        break
      case 'damage':
        whole.damage = item
        break
      case 'newer':
        whole.newer = item.found
        break
    }
  }
  return whole
}
