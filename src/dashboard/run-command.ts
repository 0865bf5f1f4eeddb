/** Commands as calls of the team. */
import type { AgentInfo, SessionInfo } from '../api.ts'
import type { RemoteAgent, RemoteTeam } from '../client/remote-team.ts'
import type { ApprovalDecision } from '../core/session-state.ts'
import { plainLine } from '../core/terminal-text.ts'
import { AgentryError, assertNever } from '../errors.ts'
import type { Command } from './model/commands.ts'

/** What came of a command: a line about it, and the session that it is about. */
export interface CommandResult {
  text: string
  session?: SessionInfo
  /** A new agent: who waited for the answer finds it known. */
  agent?: AgentInfo
}

/** The commands that the team does; the others are done on the screen. */
export type TeamCommand = Exclude<
  Command,
  {
    type:
      | 'sessions-list'
      | 'agents'
      | 'agent-choose'
      | 'steer'
      | 'approvals'
      | 'approve'
      | 'deny'
      | 'help'
      | 'quit'
      | 'detach'
  }
>

/**
 * Runs a command, its references resolved to ids before: `agentId` is the agent that it is about. Throws what the team throws.
 */
export async function runCommand(
  team: RemoteTeam,
  command: TeamCommand,
  agentId: string,
): Promise<CommandResult> {
  if (command.type === 'agent-spawn') {
    const { agentId: id, behavior, model } = command
    const agent = await team.spawn({ id, behavior, ...(model !== undefined && { model }) })
    const what = model === undefined ? behavior : `${behavior}, ${model}`
    return { text: `spawned agent ${agent.id} (${what})`, agent: await agent.info() }
  }
  if (command.type === 'answer') {
    const { approvalId, decision, reason } = command
    const { tool, subject, ...of } = await team.answerApproval(approvalId, {
      decision,
      ...(reason !== undefined && { reason }),
    })
    return {
      text: `${ANSWERED[decision]}: ${of.agentId}, ${plainLine(tool)} ${plainLine(subject)}`.trimEnd(),
    }
  }
  return runOn(await requireAgent(team, agentId), command)
}

const ANSWERED: Readonly<Record<ApprovalDecision, string>> = {
  once: 'allowed once',
  session: 'allowed for this session',
  deny: 'not allowed',
}

/** Throws `agent_not_found`. */
export async function requireAgent(team: RemoteTeam, agentId: string): Promise<RemoteAgent> {
  const agent = await team.agent(agentId)
  if (agent !== undefined) return agent
  throw new AgentryError('agent_not_found', `there is no agent ${agentId}`, { data: { agentId } })
}

async function runOn(
  agent: RemoteAgent,
  command: Exclude<TeamCommand, { type: 'agent-spawn' | 'answer' }>,
): Promise<CommandResult> {
  switch (command.type) {
    case 'session-create': {
      const { name, description } = command
      return done('created', await agent.createSession({ name, description }))
    }
    case 'session-load':
      return done('loaded', await agent.loadSession(command.session))
    case 'session-resume':
      return done('resumed', await agent.resumeSession(command.session))
    case 'session-save':
      return done('saved', await agent.saveSession())
    case 'session-current': {
      const session = await agent.currentSession()
      if (session === undefined) return { text: `${agent.id} has no current session` }
      const { status, counts, workingDir } = session
      return done('current:', session, `, ${status}, ${counts.turns} turns, in ${plainLine(workingDir)}`)
    }
    case 'session-suspend':
      return done('suspended', await agent.suspendSession())
    case 'session-terminate':
      return done('terminated', await agent.terminateSession(await idOr(agent, command.session)))
    case 'session-fork':
      return done('forked into', await agent.forkSession(await idOr(agent), command.name))
    case 'session-rename':
      return done('renamed', await agent.updateSession(await idOr(agent), { name: command.name }))
    case 'agent-stop':
      await agent.stop()
      return { text: `stopped agent ${agent.id}` }
    case 'agent-restart':
      await agent.restart()
      return { text: `restarted agent ${agent.id}` }
    case 'cancel':
      return {
        text: (await agent.cancel())
          ? `cancelled the turn of ${agent.id}`
          : `${agent.id} has no turn that could be cancelled`,
      }
    default:
      return assertNever(command)
  }
}

/** The session given, else the current one. Throws `no_current_session`. */
async function idOr(agent: RemoteAgent, sessionId?: string): Promise<string> {
  const id = sessionId ?? (await agent.currentSession())?.id
  if (id !== undefined) return id
  throw new AgentryError('no_current_session', `agent ${agent.id} has no current session`, {
    data: { agentId: agent.id },
  })
}

function done(verb: string, session: SessionInfo, more = ''): CommandResult {
  const { name, id, agentId } = session
  return { text: `${verb} session ${plainLine(name)} (${id.slice(0, 13)}) of ${agentId}${more}`, session }
}
