import type { AgentSpec } from '../agent-spec.ts'
import { DEFAULT_RESTART } from '../core/restart-policy.ts'
import type { Request } from './pending-calls.ts'
import type { SupervisedAgent, SupervisedAgentOptions } from './supervised-agent.ts'

/** A maintenance stay ends this long after its last command. */
const LINGER_MS = 100

type Create = (
  spec: AgentSpec,
  own: Pick<SupervisedAgentOptions, 'hibernateAfterMs' | 'prepare' | 'onState'>,
) => SupervisedAgent

/**
 * Stays for commands on the sessions of agents that do not run: stopped, failed, or not registered any more. Each holds the claim of its
 * agent, runs no turns, and is gone soon after its last command.
 */
export class Maintenance {
  readonly #create: Create
  readonly #stays = new Map<string, { agent: SupervisedAgent; answered: Promise<unknown> }>()

  constructor(create: Create) {
    this.#create = create
  }

  all(): Iterable<SupervisedAgent> {
    return this.#stays.values().map(({ agent }) => agent)
  }

  /** Asks the stay of an agent, a new one where there is none. `workingDir`: what paths of its commands resolve from. */
  request<T>(agentId: string, request: Request, workingDir?: string): Promise<T> {
    const known = this.#stays.get(agentId)
    const agent = known?.agent ?? this.#supervise(agentId, workingDir ?? process.cwd())
    const answer = agent.request<T>(request)
    this.#stays.set(agentId, { agent, answered: Promise.allSettled([known?.answered, answer]) })
    return answer
  }

  /** Lets the stay of an agent answer what it was asked, and ends it; resolves when its thread is gone and its claim released. */
  async end(agentId: string): Promise<void> {
    const stay = this.#stays.get(agentId)
    await stay?.answered
    await stay?.agent.stop(0)
  }

  #supervise(agentId: string, workingDir: string): SupervisedAgent {
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
      prepare: () => Promise.resolve(),
      onState: (state) => {
        const over = state === 'stopped' || (state === 'hibernated' && agent.unfinishedCalls === 0)
        if (over) this.#stays.delete(agentId)
      },
    })
    return agent
  }
}
