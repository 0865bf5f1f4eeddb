import type { AgentSpec } from '../agent-spec.ts'
import { DEFAULT_RESTART } from '../core/restart-policy.ts'
import type { SupervisedAgent, SupervisedAgentOptions } from './supervised-agent.ts'

/** A maintenance stay ends this long after its last command. */
const LINGER_MS = 100

type Create = (
  spec: AgentSpec,
  own: Pick<SupervisedAgentOptions, 'hibernateAfterMs' | 'onState'>,
) => SupervisedAgent

/**
 * Stays for commands on the sessions of agents that do not run: stopped, failed, or not registered any more. Each holds the claim of its
 * agent, runs no turns, and is gone soon after its last command.
 */
export class Maintenance {
  readonly #create: Create
  readonly #agents = new Map<string, SupervisedAgent>()

  constructor(create: Create) {
    this.#create = create
  }

  all(): Iterable<SupervisedAgent> {
    return this.#agents.values()
  }

  /** The stay of an agent, a new one where there is none. `workingDir`: what paths of its commands resolve from. */
  stayOf(agentId: string, workingDir: string = process.cwd()): SupervisedAgent {
    const known = this.#agents.get(agentId)
    if (known) return known
    const spec: AgentSpec = {
      id: agentId,
      role: '',
      behavior: 'echo',
      instructions: '',
      workingDir,
      restart: { ...DEFAULT_RESTART, type: 'temporary' },
      limits: { memoryMb: 1_024, turnMs: 1_000 },
    }
    const agent: SupervisedAgent = this.#create(spec, {
      hibernateAfterMs: LINGER_MS,
      onState: (state) => {
        const over = state === 'stopped' || (state === 'hibernated' && agent.unfinishedCalls === 0)
        if (over) this.#agents.delete(agentId)
      },
    })
    this.#agents.set(agentId, agent)
    return agent
  }

  /** Ends the stay of an agent; resolves when its thread is gone and its claim released. */
  async end(agentId: string): Promise<void> {
    await this.#agents.get(agentId)?.stop(0)
  }
}
