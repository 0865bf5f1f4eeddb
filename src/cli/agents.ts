/** `agentry agents list | spawn | stop | restart | remove`. */
import type { AgentInfo, AgentSpecInput } from '../api.ts'
import { ageText, costText, tokensText } from '../core/figures.ts'
import type { RestartPolicy } from '../core/restart-policy.ts'
import { tokensOf } from '../core/usage.ts'
import { AgentryError } from '../errors.ts'
import { asInput, resolveAgentSpec } from '../options.ts'
import { type CommandContext, requireAgent, withTeam } from './open-team.ts'
import { table } from './table.ts'

export interface SpawnOptions {
  behavior: string
  role?: string
  instructions?: string
  workingDir?: string
  restart?: RestartPolicy['type']
  memoryMb?: number
  turnMs?: number
  model?: string
}

/** A table of the team; with --json `{ "agents": [ … ] }`. */
export async function listAgents(context: CommandContext): Promise<void> {
  await withTeam(context, { resume: false }, async (team) => {
    const agents = await team.agents()
    context.report.answer({ agents }, () => agentTable(agents, context.io.clock.now()))
  })
}

/** Registers an agent durably and starts it, so that a module that does not load is refused immediately. */
export async function spawnAgent(context: CommandContext, id: string, options: SpawnOptions): Promise<void> {
  const { behavior, role, instructions, workingDir, restart, memoryMb, turnMs, model } = options
  const input: AgentSpecInput = {
    id,
    behavior,
    ...(role !== undefined && { role }),
    ...(model !== undefined && { model }),
    ...(instructions !== undefined && { instructions }),
    ...(workingDir !== undefined && { workingDir }),
    ...(restart !== undefined && { restart: { type: restart } }),
    limits: { ...(memoryMb !== undefined && { memoryMb }), ...(turnMs !== undefined && { turnMs }) },
  }
  await withTeam(context, { resume: false }, async (team, { config }) => {
    const spec = resolveAgentSpec(input, context.io.cwd, config?.providers, context.io.env)
    const agent = await team.spawn(asInput(spec))
    context.report.answer(await agent.info(), () => `spawned agent ${agent.id} (${spec.behavior})`)
  })
}

/** Stops an agent; it stays stopped, whoever opens the team, until it is restarted. */
export async function stopAgent(context: CommandContext, id: string): Promise<void> {
  await withTeam(context, { resume: false }, async (team) => {
    const agent = await requireAgent(team, id)
    await agent.stop()
    context.report.answer(await agent.info(), () => `stopped agent ${agent.id}`)
  })
}

/** Restarts an agent, or starts one that is stopped or failed. */
export async function restartAgent(context: CommandContext, id: string): Promise<void> {
  await withTeam(context, { resume: false }, async (team) => {
    const agent = await requireAgent(team, id)
    await agent.restart()
    context.report.answer(await agent.info(), () => `restarted agent ${agent.id}`)
  })
}

/** Unregisters an agent; its sessions stay. Throws `invalid_input` for one of the configuration file: it would be back at once. */
export async function removeAgent(context: CommandContext, id: string): Promise<void> {
  await withTeam(context, { resume: false }, async (team, { config }) => {
    const agent = await requireAgent(team, id)
    if (config?.agents.some((configured) => configured.id === agent.id)) {
      const message = `agent ${agent.id} is in the configuration file: take it out of the file first`
      throw new AgentryError('invalid_input', message, { data: { agentId: agent.id } })
    }
    const info = await agent.info()
    const kept = (await team.sessions({ agentId: agent.id })).length
    await team.removeAgent(agent.id)
    const rest = kept === 0 ? '' : `; its ${kept === 1 ? 'session stays' : `${kept} sessions stay`}`
    context.report.answer(info, () => `removed agent ${agent.id}${rest}`)
  })
}

function agentTable(agents: readonly AgentInfo[], nowMs: number): string {
  if (agents.length === 0) return 'no agents'
  const isCosting = agents.some(({ spent }) => spent.steps > 0)
  const costHead = isCosting ? ['TOKENS', 'COST'] : []
  return table(
    ['ID', 'BEHAVIOR', 'STATE', 'SESSION', 'QUEUE', 'RESTARTS', 'ACTIVE', ...costHead, 'ROLE'],
    agents.map((agent) => [
      agent.id,
      agent.behavior,
      agent.state,
      agent.currentSessionId ?? '-',
      String(agent.queueDepth),
      String(agent.restarts),
      agent.lastActivityAt === undefined ? '-' : ageText(agent.lastActivityAt, nowMs),
      ...(isCosting ? [tokensText(tokensOf(agent.spent)), costText(agent.spent)] : []),
      agent.role,
    ]),
  )
}
