/**
 * What a killed supervisor left on the disk, read without the help of what is tested where that is possible: every journal from
 * its first byte, record by record.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { strict as assert } from 'node:assert'
import { fold, foldFirst } from '../../src/core/fold.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { systemFs } from '../../src/store/durable-fs.ts'
import { readJournal } from '../../src/store/journal.ts'

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/

export interface SessionOnDisk {
  id: string
  place: 'sessions' | 'trash'
  /** Set where a move into or out of the trash is under way: when it began, by the mark that it made. */
  movingSinceMs: number | undefined
  records: SessionRecord[]
  /** The fold of all records. */
  state: SessionState
  /** The whole records, as bytes. */
  journal: Buffer
}

export interface DiskState {
  sessions: Map<string, SessionOnDisk>
  /** Paths of temp files of writes that were cut off. */
  temps: string[]
  /** Lines of the file that commands and tool calls write to. */
  effects: string[]
}

/** Throws an AssertionError for anything that a crash must not leave: damage, a stale record, a journal in two places, a foreign file. */
export function readDisk(directory: string, effectsFile: string): DiskState {
  const own = join(directory, '.agentry')
  const trash = join(own, 'trash')
  const disk: DiskState = { sessions: new Map(), temps: [], effects: [] }
  for (const [folder, place] of [[directory, 'sessions'] as const, [trash, 'trash'] as const]) {
    for (const name of namesIn(folder)) {
      const [id] = ID.exec(name) ?? []
      const path = join(folder, name)
      if (/\.tmp-[0-9a-f]{12}$/.test(name)) disk.temps.push(path)
      else if (name === `${id}.journal.jsonl`) addSession(disk, id ?? '', place, path, trash)
      else
        assert(
          name === '.agentry' || name === `${id}.json` || name === `${id}.moving`,
          `foreign file ${path}`,
        )
    }
  }
  disk.temps.push(
    ...namesIn(own)
      .filter((name) => name.includes('.tmp-'))
      .map((name) => join(own, name)),
  )
  if (existsSync(effectsFile)) disk.effects = readFileSync(effectsFile, 'utf8').split('\n').slice(0, -1)
  return disk
}

function addSession(
  disk: DiskState,
  id: string,
  place: SessionOnDisk['place'],
  path: string,
  trash: string,
): void {
  assert(!disk.sessions.has(id), `session ${id} has a journal in the sessions and one in the trash`)
  const { records, length } = readRecords(path)
  const [first, ...rest] = records
  if (first === undefined) return // a creation that was cut off
  const state = foldFirst(first)
  for (const record of rest) fold(state, record)
  const journal = readFileSync(path).subarray(0, length)
  state.journalOffset = length
  const movingSinceMs = statSync(join(trash, `${id}.moving`), { throwIfNoEntry: false })?.mtimeMs
  disk.sessions.set(id, { id, place, movingSinceMs, records, state, journal })
}

/** All whole records; only a torn end may follow them. Their seq is checked by the fold, which takes no gap. */
function readRecords(path: string): { records: SessionRecord[]; length: number } {
  const file = systemFs.open(path, 'read')
  try {
    const records: SessionRecord[] = []
    let length = 0
    for (const item of readJournal(file)) {
      if (item.kind === 'torn') break
      assert(
        item.kind === 'record',
        `${path} at byte ${item.start}: ${item.kind} ${JSON.stringify(item).slice(0, 300)}`,
      )
      records.push(item.record)
      length = item.end
    }
    return { records, length }
  } finally {
    file.close()
  }
}

function namesIn(folder: string): string[] {
  return existsSync(folder) && statSync(folder).isDirectory() ? readdirSync(folder) : []
}
