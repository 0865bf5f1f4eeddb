/** Finding the gateway of a data directory on this machine. */
import { resolve } from 'node:path'
import { AgentryError } from '../errors.ts'
import { isLocked } from '../store/directory-lock.ts'
import { isAlive, readOwner } from '../store/owner-file.ts'
import { ownFilesOf } from '../store/own-files.ts'
import { foldersOf } from '../store/session-files.ts'
import { readToken, tokenNeeded } from '../store/token-file.ts'
import { createClient } from './client.ts'
import type { RemoteTeam } from './remote-team.ts'

/**
 * The client of the gateway that serves `directory`; the token is `token`, else that in the directory. Throws `gateway_unreachable`
 * where nobody serves it, and `unauthorized` where there is no token. Nothing is asked yet.
 */
export function connectLocal(directory: string, options: { token?: string } = {}): RemoteTeam {
  const url = urlOf(directory)
  if (url === undefined) {
    throw new AgentryError('gateway_unreachable', `nobody serves ${directory}: \`agentry serve\` does`, {
      data: { directory },
    })
  }
  const token = options.token ?? readToken(directory)
  if (token === undefined) throw tokenNeeded(directory, url)
  return createClient({ url, token })
}

/** Of a killed owner the file still names a port, where somebody else may listen now: the token is not for them. */
function urlOf(directory: string): string | undefined {
  const owner = readOwner(directory)
  if (owner === undefined || !isAlive(owner.pid)) return undefined
  return isLocked(ownFilesOf(foldersOf(resolve(directory))).lock) ? owner.url : undefined
}
