/** Which session, and which agent, the arguments of a command mean. */
import type { Agent, SessionInfo, Team } from '../../api.ts'
import { AgentryError } from '../../errors.ts'
import { findSession } from '../../store/find-session.ts'
import { chosenAgent, requireAgent, type Setup } from '../open-team.ts'

/** What a command on one session works with. */
export interface FoundSession {
  session: SessionInfo
  agent: Agent
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
export function requireSession(
  team: Team,
  setup: Setup,
  reference: string | undefined,
  options: AgentOption,
): FoundSession {
  if (reference === undefined) {
    const agent = chosenAgent(team, setup, options.agent)
    const session = agent.currentSession()
    if (session !== undefined) return { session, agent }
    throw new AgentryError('no_current_session', `agent ${agent.id} has no current session`, {
      data: { agentId: agent.id },
    })
  }
  const session = requireReadable(team, setup, reference, options)
  return { session, agent: requireAgent(team, session.agentId) }
}

/** Like requireSession, for commands that only read: the agent of the session may have been removed. */
export function requireReadable(
  team: Team,
  setup: Setup,
  reference: string | undefined,
  options: AgentOption,
): SessionInfo {
  if (reference === undefined) return requireSession(team, setup, reference, options).session
  if (options.agent !== undefined) requireAgent(team, options.agent)
  return team.findSession(reference, options.agent)
}

/** Like requireSession, in the trash. */
export function requireTrashed(team: Team, reference: string, options: AgentOption): FoundSession {
  if (options.agent !== undefined) requireAgent(team, options.agent)
  const session = findSession(team.sessions({ trashed: true }), reference, options.agent)
  return { session, agent: requireAgent(team, session.agentId) }
}
