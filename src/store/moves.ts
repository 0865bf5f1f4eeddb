/**
 * Moves of sessions into the trash and out of it.
 *
 * M1  a move is: the mark `{id}.moving`, then the record (session.trashed or session.restored), then both files, then the mark
 *     goes. What the journal's last such record says is where the session belongs, wherever its files are.
 * M2  a crash at any instant leaves the session whole in one place, or marked; the next start or the next move finishes it. The mark is
 *     why a start need not look into every journal.
 * M3  the journal is last to leave the sessions and first to come back: while it moves a list never sees a snapshot without it.
 */
import { join } from 'node:path'
import { describeThrown, isAgentryError } from '../errors.ts'
import { createFile, type DurableFs, isTempName } from './durable-fs.ts'
import { readHeader } from './list-sessions.ts'
import {
  filesOf,
  type Folders,
  foldersOf,
  movingIdsIn,
  isSnapshotTemp,
  movingMark,
  type SessionFiles,
} from './session-files.ts'
import { problemOf } from './session-errors.ts'
import type { SessionNote } from './session-store.ts'
import { hasErrno } from './storage-errors.ts'

/** Marks a session as moving, durably; nothing happens where it is marked already. */
export function markMoving(fs: DurableFs, folders: Folders, sessionId: string): void {
  fs.makeDirectory(folders.trash)
  try {
    createFile(fs, movingMark(folders, sessionId), '')
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
  }
  fs.syncDirectory(folders.trash)
}

/** Moves the files to where the session belongs and takes the mark away, durably. True where a file had to be moved. */
export function completeMove(
  fs: DurableFs,
  folders: Folders,
  sessionId: string,
  to: 'sessions' | 'trash',
): boolean {
  const inSessions = filesOf(folders.sessions, sessionId)
  const inTrash = filesOf(folders.trash, sessionId)
  const moved =
    to === 'trash'
      ? [
          renameIfThere(fs, inSessions.snapshot, inTrash.snapshot),
          renameIfThere(fs, inSessions.journal, inTrash.journal),
        ]
      : [
          renameIfThere(fs, inTrash.journal, inSessions.journal),
          renameIfThere(fs, inTrash.snapshot, inSessions.snapshot),
        ]
  fs.syncDirectory(folders.sessions)
  fs.syncDirectory(folders.trash)
  fs.unlink(movingMark(folders, sessionId))
  return moved.includes(true)
}

/** Finishes a move that was cut off, if the session is marked. Throws like SessionStore.load. True where a file had to be moved. */
export function finishMove(fs: DurableFs, folders: Folders, sessionId: string): boolean {
  const mark = movingMark(folders, sessionId)
  if (fs.info(mark) === undefined) return false
  const inSessions = filesOf(folders.sessions, sessionId)
  const inTrash = filesOf(folders.trash, sessionId)
  const found: SessionFiles = {
    snapshot: whereItIs(fs, inSessions.snapshot, inTrash.snapshot),
    journal: whereItIs(fs, inSessions.journal, inTrash.journal),
  }
  try {
    const { trashedAt } = readHeader(fs, sessionId, found).header
    return completeMove(fs, folders, sessionId, trashedAt === undefined ? 'sessions' : 'trash')
  } catch (error) {
    if (!isAgentryError(error, 'session_not_found')) throw error
    fs.unlink(mark)
    return false
  }
}

/**
 * What a start has to do before anything else touches the directory, whose lock must be held: finishes moves that were cut off, and
 * removes the temp files of writes that were. Returns what it did and could not do; throws only where the folders cannot be read.
 */
export function finishMoves(fs: DurableFs, directory: string): SessionNote[] {
  const folders = foldersOf(directory)
  const notes: SessionNote[] = []
  for (const sessionId of movingIdsIn(namesIn(fs, folders.trash))) {
    try {
      if (!finishMove(fs, folders, sessionId)) continue
      const message = `a move of session ${sessionId} into or out of the trash was cut off; it is finished`
      notes.push({ kind: 'move-finished', sessionId, message })
    } catch (error) {
      notes.push(problemOf(sessionId, error))
    }
  }
  return [...notes, ...removeTemps(fs, folders)]
}

/** In the folder of the sessions only temp files of snapshots are ours; in the folders of our own all are. */
function removeTemps(fs: DurableFs, folders: Folders): SessionNote[] {
  const ours = (folder: string): string[] =>
    namesIn(fs, folder).filter(folder === folders.sessions ? isSnapshotTemp : isTempName)
  return [folders.sessions, folders.own, folders.trash, folders.quarantine].flatMap((folder) =>
    ours(folder).map((name) => removeTemp(fs, join(folder, name))),
  )
}

function removeTemp(fs: DurableFs, path: string): SessionNote {
  try {
    fs.unlink(path)
    return { kind: 'temp-removed', message: `${path}, left by a write that was cut off, is removed` }
  } catch (error) {
    return { kind: 'foreign-file', message: describeThrown(error) }
  }
}

function renameIfThere(fs: DurableFs, from: string, to: string): boolean {
  if (fs.info(from) === undefined) return false
  fs.rename(from, to)
  return true
}

function whereItIs(fs: DurableFs, ...paths: [string, string]): string {
  return paths.find((path) => fs.info(path) !== undefined) ?? paths[0]
}

function namesIn(fs: DurableFs, folder: string): string[] {
  return fs.info(folder) === undefined ? [] : fs.list(folder)
}
