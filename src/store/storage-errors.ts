/** The one place where errors of the operating system become ours. */
import { AgentryError, describeThrown } from '../errors.ts'

/** No room: on the disk, in a quota, or under the process's file size limit. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/**
 * What a failed file call is to callers: `storage_full` where there was no room, else `storage_failed`.
 * The message names the operation, the path and the errno, each once; `data` holds them as `{ operation, path, errno }`.
 */
export function storageError(thrown: unknown, operation: string, path: string): AgentryError {
  const errno = errnoOfThrown(thrown)
  const code = FULL.has(errno) ? 'storage_full' : 'storage_failed'
  return new AgentryError(code, `${operation} ${path}: ${reasonOf(thrown, errno)}`, {
    cause: thrown,
    data: { operation, path, errno },
  })
}

/** True for a storage error with one of these errnos: `hasErrno(error, 'ENOENT')`. */
export function hasErrno(error: unknown, ...errnos: readonly string[]): boolean {
  if (!(error instanceof AgentryError)) return false
  if (error.code !== 'storage_failed' && error.code !== 'storage_full') return false
  return errnos.some((errno) => error.data?.['errno'] === errno)
}

/** Node's messages are `EACCES: permission denied, open '/a/path'`. */
function reasonOf(thrown: unknown, errno: string): string {
  const text = describeThrown(thrown)
  if (!text.startsWith(`${errno}: `)) return `${errno} (${text})`
  return text.replace(NODE_CALL, '')
}

const NODE_CALL = /, [a-z]+(?: '.*')?$/s

function errnoOfThrown(thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  return typeof code === 'string' ? code : 'no errno'
}
