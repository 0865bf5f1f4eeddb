/**
 * Where the files of a session are:
 *
 *   {directory}/{id}.json              snapshot
 *   {directory}/{id}.journal.jsonl     journal
 *   {directory}/.agentry/trash/        the same two files of sessions in the trash; {id}.moving while a move is under way
 *   {directory}/.agentry/quarantine/   what was set aside, never read again by the store
 *
 * Files of other names are somebody else's: never read, never changed.
 */
import { join } from 'node:path'
import { isId } from '../core/ids.ts'
import { isTempName } from './durable-fs.ts'

/** The length of a UUID. */
const ID_LENGTH = 36
const SNAPSHOT_END = '.json'
const JOURNAL_END = '.journal.jsonl'
const MOVING_END = '.moving'

export interface Folders {
  readonly sessions: string
  readonly own: string
  readonly trash: string
  readonly quarantine: string
}

export interface SessionFiles {
  readonly snapshot: string
  readonly journal: string
}

export function foldersOf(directory: string): Folders {
  const own = join(directory, '.agentry')
  return { sessions: directory, own, trash: join(own, 'trash'), quarantine: join(own, 'quarantine') }
}

/** The files of a session in `folder` (the sessions or the trash). `sessionId` must have been checked. */
export function filesOf(folder: string, sessionId: string): SessionFiles {
  return {
    snapshot: join(folder, `${sessionId}${SNAPSHOT_END}`),
    journal: join(folder, `${sessionId}${JOURNAL_END}`),
  }
}

/** The mark that the files of a session are being moved into the trash or out of it. */
export function movingMark(folders: Folders, sessionId: string): string {
  return join(folders.trash, `${sessionId}${MOVING_END}`)
}

/** The sessions that have a snapshot or a journal among these names. */
export function sessionIdsIn(names: readonly string[]): Set<string> {
  return idsOf(names, (end) => end === SNAPSHOT_END || end === JOURNAL_END)
}

/** The sessions that have a mark of a move among these names. */
export function movingIdsIn(names: readonly string[]): Set<string> {
  return idsOf(names, (end) => end === MOVING_END)
}

/** True for the name of a temp file that the write of a snapshot left. */
export function isSnapshotTemp(name: string): boolean {
  return isTempName(name) && isId(name.slice(0, ID_LENGTH)) && name.startsWith(`${SNAPSHOT_END}.`, ID_LENGTH)
}

function idsOf(names: readonly string[], isEnd: (end: string) => boolean): Set<string> {
  const ids = new Set<string>()
  for (const name of names) {
    const id = name.slice(0, ID_LENGTH)
    if (isEnd(name.slice(ID_LENGTH)) && isId(id)) ids.add(id)
  }
  return ids
}
