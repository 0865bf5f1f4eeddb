import { NO_MODELS } from '../../src/llm-spec.ts'
import { DEFAULT_RESTART, type RestartPolicy } from '../../src/core/restart-policy.ts'
import type { AgentSpec } from '../../src/agent-spec.ts'
import type { TeamEvent } from '../../src/api.ts'
import { openRegistry } from '../../src/store/agent-registry.ts'
import { Catalog } from '../../src/store/catalog.ts'
import { createClaimAuthority, type EpochClaims } from '../../src/store/claims.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { SessionStore } from '../../src/store/session-store.ts'
import { Supervisor, type SupervisorLimits } from '../../src/supervisor/supervisor.ts'
import { ScriptedHost, type ScriptedStay } from './scripted-host.ts'
import { SimulatedClock } from './simulated-clock.ts'
import { temporaryDirectory } from './temporary-directory.ts'

export interface ScriptedSupervisor {
  supervisor: Supervisor
  host: ScriptedHost
  clock: SimulatedClock
  catalog: Catalog
  store: SessionStore
  claims: EpochClaims
  /** Everything that was published. */
  events: TeamEvent[]
  /** Registers an agent and brings its first stay up. */
  spawn(id: string, restart?: Partial<RestartPolicy>): Promise<ScriptedStay>
}

export function specOf(id: string, restart: Partial<RestartPolicy> = {}): AgentSpec {
  return {
    id,
    role: '',
    behavior: '/a/module.ts',
    instructions: '',
    workingDir: '/',
    restart: { ...DEFAULT_RESTART, ...restart },
    limits: { memoryMb: 100, turnMs: 1_000 },
  }
}

/** A supervisor over a scripted host, on a simulated clock and without jitter. */
export async function scriptedSupervisor(
  options: {
    capacity?: number
    limits?: Partial<SupervisorLimits>
    catalog?: Catalog
    clock?: SimulatedClock
  } = {},
): Promise<ScriptedSupervisor> {
  const directory = temporaryDirectory()
  ;(await openDirectory({ directory })).close()
  const { clock = new SimulatedClock() } = options
  const store = createMemoryStore({ clock })
  const catalog = options.catalog ?? (await Catalog.open(store))
  const host = new ScriptedHost(options.capacity)
  const claims = createClaimAuthority(1)
  const supervisor = new Supervisor({
    epoch: 1,
    claims,
    store,
    storeOptions: { fsync: 'always' },
    catalog,
    registry: openRegistry(directory),
    host,
    limits: {
      mailboxMessages: 100,
      mailboxBytes: 1_000_000,
      messageBytes: 1_000,
      resultBytes: 1_000,
      startMs: 10_000,
      hibernateAfterMs: 60_000,
      ...options.limits,
    },
    clock,
    random: () => 0,
    resume: true,
    models: NO_MODELS,
    notes: [],
    trash: [],
  })
  const events: TeamEvent[] = []
  void (async () => {
    for await (const event of supervisor.events.read()) events.push(event)
  })()
  return {
    supervisor,
    host,
    clock,
    catalog,
    store,
    claims,
    events,
    async spawn(id, restart) {
      const spawned = supervisor.spawn(specOf(id, restart))
      const stay = await host.stay(id)
      stay.ready()
      await spawned
      return stay
    },
  }
}
