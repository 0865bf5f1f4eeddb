/** Finding the gateway of a data directory on this machine. */
import { AgentryError } from '../errors.ts'
import { readOwner } from '../store/owner-file.ts'
import { readToken } from '../store/token-file.ts'
import { createClient } from './client.ts'
import type { RemoteTeam } from './remote-team.ts'

/**
 * The client of the gateway that serves `directory`; the token is `token`, else that in the directory. Throws `gateway_unreachable`
 * where nobody says that they serve it. Nothing is asked yet.
 */
export function connectLocal(directory: string, options: { token?: string } = {}): RemoteTeam {
  const url = readOwner(directory)?.url
  const token = options.token ?? readToken(directory)
  if (url !== undefined && token !== undefined) return createClient({ url, token })
  throw new AgentryError('gateway_unreachable', `nobody serves ${directory}: \`agentry serve\` does`, {
    data: { directory },
  })
}
