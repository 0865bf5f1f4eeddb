/** How file tools refuse and fail: the message names the path as the model knows it, and says what to do instead. */
import { AgentryError, describeThrown } from '../../../errors.ts'
import { systemErrorCode } from '../../processes/system-error-code.ts'

export function refused(shown: string, why: string): AgentryError {
  return new AgentryError('path_refused', `refused: ${shown} ${why}`, { data: { path: shown } })
}

export function conflict(shown: string, why: string): AgentryError {
  return new AgentryError('edit_conflict', `conflict: ${shown} ${why}; nothing was written`, {
    data: { path: shown },
  })
}

export function failed(shown: string, why: string, cause?: unknown): AgentryError {
  return new AgentryError('tool_failed', `${shown}: ${why}`, { data: { path: shown }, cause })
}

const MEANINGS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'a part of the path is no directory',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'no room on the disk',
  EDQUOT: 'no room: the quota is used up',
  EFBIG: 'larger than the system allows',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
}

/** What a failed call of the operating system means for a path. An AgentryError stays as it is. */
export function fromSystem(error: unknown, shown: string): AgentryError {
  if (error instanceof AgentryError) return error
  const code = systemErrorCode(error)
  // What was looked at is not what was opened: somebody put a symbolic link or another kind of file there in between.
  if (code === 'ELOOP') return refused(shown, 'became a symbolic link while it was opened')
  return failed(shown, (code && MEANINGS[code]) ?? describeThrown(error), error)
}
