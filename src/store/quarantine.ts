/** Where bytes and files go that are no part of a session any more: kept for people, never read again by the store. */
import { join } from 'node:path'
import { type Clock, isoTime } from '../core/clock.ts'
import { type DurableFs, writeFileAtomic } from './durable-fs.ts'
import type { Folders } from './session-files.ts'

/** The present time in a form that fits into a file name: `2026-01-01T00-00-00.000Z`. */
export function fileStamp(clock: Clock): string {
  return isoTime(clock).replaceAll(':', '-')
}

/** Keeps bytes under `name` (made unique), durably. Returns the path. */
export function setAside(fs: DurableFs, folders: Folders, name: string, bytes: Uint8Array): string {
  const path = freePath(fs, folders, name)
  writeFileAtomic(fs, path, bytes)
  return path
}

/** Keeps bytes under exactly `name`, durably; nothing happens where that is kept already. */
export function setAsideOnce(fs: DurableFs, folders: Folders, name: string, bytes: Uint8Array): string {
  const path = join(folders.quarantine, name)
  if (fs.info(path) !== undefined) return path
  fs.makeDirectory(folders.quarantine)
  writeFileAtomic(fs, path, bytes)
  return path
}

/** Moves a file into quarantine under `name` (made unique); durable once its own folder is synced too. Returns the path. */
export function moveAside(fs: DurableFs, folders: Folders, file: string, name: string): string {
  const path = freePath(fs, folders, name)
  fs.rename(file, path)
  fs.syncDirectory(folders.quarantine)
  return path
}

function freePath(fs: DurableFs, folders: Folders, name: string): string {
  fs.makeDirectory(folders.quarantine)
  let path = join(folders.quarantine, name)
  for (let copy = 2; fs.info(path) !== undefined; copy++) path = join(folders.quarantine, `${name}.${copy}`)
  return path
}
