import { hash } from 'node:crypto'
import { closeSync, readSync, type Stats } from 'node:fs'
import { isUtf8 } from 'node:buffer'
import { openRegular, type OpenFile } from './confinement.ts'
import type { DirectoryPin } from './directory-pin.ts'
import { fromSystem } from './path-errors.ts'

/** Of larger files only the beginning is read, and they are not edited. */
export const MAX_FILE_BYTES: number = 16 * 1024 * 1024

/** How much of a file tells whether it is text. */
const PROBE_BYTES = 8 * 1024

export interface FileBytes {
  /** At most MAX_FILE_BYTES. */
  readonly bytes: Buffer
  readonly stat: Stats
  /** Differs where the content differs; of a file that is larger than MAX_FILE_BYTES where size or times do. */
  readonly version: string
}

/** Reads an entry of a directory. Throws as openRegular. */
export function readFileBytes(directory: DirectoryPin, name: string, shown: string): FileBytes {
  const file = openRegular(directory, name, shown)
  try {
    const bytes = readUpTo(file, MAX_FILE_BYTES)
    return { bytes, stat: file.stat, version: versionOf(bytes, file.stat) }
  } catch (error) {
    throw fromSystem(error, shown)
  } finally {
    closeSync(file.fd)
  }
}

export function versionOf(bytes: Uint8Array, stat?: Stats): string {
  if (stat !== undefined && stat.size > MAX_FILE_BYTES) {
    return `stat:${stat.ino}:${stat.size}:${stat.mtimeMs}:${stat.ctimeMs}`
  }
  return hash('sha256', bytes)
}

/** By what git goes too: a NUL near the beginning. */
export function isBinary(bytes: Uint8Array): boolean {
  return bytes.subarray(0, PROBE_BYTES).includes(0)
}

/** True where text made of the bytes gives the same bytes again. */
export function isExactText(bytes: Uint8Array): boolean {
  return !isBinary(bytes) && isUtf8(bytes)
}

/** As it is, a byte order mark too; U+FFFD for what is no UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

/** The size of a file says little where it grows while it is read, and nothing in /proc. */
function readUpTo({ fd, stat }: OpenFile, maxBytes: number): Buffer {
  let buffer = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(stat.size, 4096) + 1))
  let length = 0
  for (;;) {
    if (length === buffer.length) {
      if (length >= maxBytes) return buffer
      const grown = Buffer.allocUnsafe(Math.min(maxBytes, length * 2))
      buffer.copy(grown, 0, 0, length)
      buffer = grown
    }
    const read = readSync(fd, buffer, length, buffer.length - length, null)
    if (read === 0) return buffer.subarray(0, length)
    length += read
  }
}
