/**
 * The paths of the original Agentry, which had one agent: `/message`, `/cancel` and `/sessions…` without an agent in them. They mean
 * `/agents/{agent}/…` of the agent that `?agent=` names, else of the one that has the session (for `/restore`: in the trash), else of
 * the default agent.
 */
import { getPath, getQueryParam } from 'hono/utils/url'
import type { Team } from '../api.ts'
import { isId } from '../core/ids.ts'

/** What stands in the path where the team has no agent that could be meant: no agent has this name. */
const NOBODY = 'no-agent'

const ROOT_PATH = /^\/(?:message|cancel|import|sessions(?:\/(?<session>[^/]*)(?<command>.*))?)$/

/** The path of a request that the routes see. `GET /sessions` without an agent stays: it lists the whole team's. */
export function routedPath(
  request: Request,
  team: Pick<Team, 'session' | 'sessions'>,
  defaultAgent: () => string | undefined,
): string {
  const path = getPath(request)
  const match = ROOT_PATH.exec(path)
  if (match === null) return path
  const named = getQueryParam(request.url, 'agent')
  const agent = typeof named === 'string' && named !== '' ? named : undefined
  if (
    agent === undefined &&
    path === '/sessions' &&
    (request.method === 'GET' || request.method === 'HEAD')
  ) {
    return path
  }
  const { session = '', command } = match.groups ?? {}
  const owner = isId(session) ? ownerOf(team, session, command === '/restore') : undefined
  return `/agents/${encodeURIComponent(agent ?? owner ?? defaultAgent() ?? NOBODY)}${path}`
}

function ownerOf(
  team: Pick<Team, 'session' | 'sessions'>,
  sessionId: string,
  trashed: boolean,
): string | undefined {
  const session = trashed
    ? team.sessions({ trashed: true }).find(({ id }) => id === sessionId)
    : team.session(sessionId)
  return session?.agentId
}

/** The paths of the document that are there without an agent too. */
export function rootPathOf(path: string): string | undefined {
  const rest = /^\/agents\/\{agent\}(\/.+)$/.exec(path)?.[1]
  return rest !== undefined && ROOT_PATH.test(rest) ? rest : undefined
}
