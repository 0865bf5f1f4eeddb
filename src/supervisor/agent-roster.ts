/**
 * The agents of a team, in step with the registry that brings them back.
 *
 * AR1 A spawned agent is registered once its first start has succeeded. Where that fails, nothing is left of it.
 * AR2 A spawn that is under way is waited for: by another one of the same spec, which shares its end, and by a stop, a start or a
 *     removal of its agent. Nobody else's failure is theirs.
 * AR3 That an agent is to be stopped, or to run, is durable before it is carried out: a crash in between carries it on.
 * AR4 A spec of the configuration wins over a registered one. That its agent was stopped counts on where the registered one came from
 *     the configuration too.
 */
import type { AgentSpec } from '../agent-spec.ts'
import { AgentryError } from '../errors.ts'
import type { AgentRegistry } from '../store/agent-registry.ts'
import type { SupervisedAgent } from './supervised-agent.ts'

export interface AgentRosterOptions {
  registry: AgentRegistry
  /** A new agent, without a thread. `stopped`: until it is started. */
  create: (spec: AgentSpec, stopped: boolean) => SupervisedAgent
  /** Throws `team_closed` once no agent is to be started or asked any more. */
  assertOpen: () => void
  /** Told when an agent is gone. `registered` is false where its first start failed. */
  onRemoved: (agentId: string, registered: boolean) => void
}

export class AgentRoster {
  readonly #options: AgentRosterOptions
  readonly #agents = new Map<string, SupervisedAgent>()
  /** Starts of new agents that are under way. */
  readonly #spawning = new Map<string, Promise<void>>()

  /** Holds the registered agents; none is started. */
  constructor(options: AgentRosterOptions) {
    const { registry, create } = options
    this.#options = options
    for (const { spec, stopped } of registry.all()) this.#agents.set(spec.id, create(spec, stopped))
  }

  has(agentId: string): boolean {
    return this.#agents.has(agentId)
  }

  /** In the order of their start, like `all`. */
  ids(): string[] {
    return [...this.#agents.keys()]
  }

  all(): Iterable<SupervisedAgent> {
    return this.#agents.values()
  }

  find(agentId: string): SupervisedAgent | undefined {
    return this.#agents.get(agentId)
  }

  /** Throws `agent_not_found`, or `team_closed`. */
  get(agentId: string): SupervisedAgent {
    this.#options.assertOpen()
    const agent = this.#agents.get(agentId)
    if (agent) return agent
    const known = this.ids().join(', ') || 'none'
    throw new AgentryError(
      'agent_not_found',
      `no agent ${JSON.stringify(agentId.slice(0, 64))}; known agents: ${known}`,
      {
        data: { agentId: agentId.slice(0, 64) },
      },
    )
  }

  /**
   * Registers and starts an agent. A known id with an equal spec changes nothing; with another: `agent_exists`. Where the start
   * fails, nothing is registered.
   */
  async spawn(spec: AgentSpec): Promise<void> {
    this.#options.assertOpen()
    const known = this.#agents.get(spec.id)
    if (known) {
      if (sameSpec(known.spec, spec)) return this.#spawning.get(spec.id)
      throw new AgentryError(
        'agent_exists',
        `agent ${spec.id} is registered with a different spec: remove it first`,
      )
    }
    const spawning = this.#startNew(spec)
    this.#spawning.set(spec.id, spawning)
    await spawning.finally(() => this.#spawning.delete(spec.id))
  }

  /** AR2 */
  async #spawned(agentId: string): Promise<void> {
    await this.#spawning.get(agentId)?.catch(() => undefined)
  }

  async #startNew(spec: AgentSpec): Promise<void> {
    const { registry, create, onRemoved } = this.#options
    const agent = create(spec, false)
    this.#agents.set(spec.id, agent)
    try {
      await agent.start()
      registry.put(spec)
    } catch (error) {
      await agent.stop(0)
      this.#agents.delete(spec.id)
      onRemoved(spec.id, false)
      throw error
    }
  }

  /** Takes a spec of the configuration over, for the next start of its agent (AR4). */
  async define(spec: AgentSpec): Promise<void> {
    const { registry, create } = this.#options
    const known = registry.get(spec.id)
    if (known?.configured && sameSpec(known.spec, spec)) return
    const stopped = known?.configured === true && known.stopped
    await this.#agents.get(spec.id)?.stop(0)
    registry.put(spec, stopped, true)
    this.#agents.set(spec.id, create(spec, stopped))
  }

  /** The running turn has `graceMs`. Resolves when the agent's thread is gone. */
  async stop(agentId: string, graceMs: number): Promise<void> {
    if (this.#spawning.has(agentId)) await this.#spawned(agentId)
    const agent = this.get(agentId)
    this.#options.registry.setStopped(agentId, true)
    await agent.stop(graceMs)
  }

  /** Resolves when the agent is ready; rejects with what its start failed with. */
  async start(agentId: string): Promise<void> {
    if (this.#spawning.has(agentId)) await this.#spawned(agentId)
    const agent = this.get(agentId)
    this.#options.registry.setStopped(agentId, false)
    await agent.start()
  }

  async remove(agentId: string): Promise<void> {
    if (this.#spawning.has(agentId)) await this.#spawned(agentId)
    const agent = this.get(agentId)
    await agent.stop(0)
    this.#options.registry.remove(agentId)
    this.#agents.delete(agentId)
    this.#options.onRemoved(agentId, true)
  }
}

function sameSpec(a: AgentSpec, b: AgentSpec): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
