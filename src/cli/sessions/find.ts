/** Which session, and which agent, the arguments of a command mean. */
import type { SessionInfo } from '../../api.ts'
import { AgentryError } from '../../errors.ts'
import { findSession } from '../../store/find-session.ts'
import { type AnyAgent, type AnyTeam, chosenAgent, requireAgent, type Setup } from '../open-team.ts'

/** What a command on one session works with. */
export interface FoundSession {
  session: SessionInfo
  agent: AnyAgent
}

/** The options that say whose session is meant. */
export interface AgentOption {
  agent?: string
}

/**
 * The session that `reference` (id, unique prefix, name) means, of the agent that --agent names, else of any; without a
 * reference the current session of that agent, else of the default one.
 * Throws `session_not_found`, `session_ambiguous`, `agent_not_found`, `no_current_session`.
 */
export async function requireSession(
  team: AnyTeam,
  setup: Setup,
  reference: string | undefined,
  options: AgentOption,
): Promise<FoundSession> {
  if (reference === undefined) {
    const agent = await chosenAgent(team, setup, options.agent)
    const session = await agent.currentSession()
    if (session !== undefined) return { session, agent }
    throw new AgentryError('no_current_session', `agent ${agent.id} has no current session`, {
      data: { agentId: agent.id },
    })
  }
  const session = await requireReadable(team, setup, reference, options)
  return { session, agent: await requireAgent(team, session.agentId) }
}

/** Like requireSession, for commands that only read: the agent of the session may have been removed. */
export async function requireReadable(
  team: AnyTeam,
  setup: Setup,
  reference: string | undefined,
  options: AgentOption,
): Promise<SessionInfo> {
  if (reference === undefined) return (await requireSession(team, setup, reference, options)).session
  if (options.agent !== undefined) await requireAgent(team, options.agent)
  return team.findSession(reference, options.agent)
}

/** Like requireSession, in the trash. */
export async function requireTrashed(
  team: AnyTeam,
  reference: string,
  options: AgentOption,
): Promise<FoundSession> {
  if (options.agent !== undefined) await requireAgent(team, options.agent)
  const session = findSession(await team.sessions({ trashed: true }), reference, options.agent)
  return { session, agent: await requireAgent(team, session.agentId) }
}
