/** createTeam: puts directory, store, host, runtime and supervisor together. Nothing else knows all of them. */
import type { AgentSpec } from './agent-spec.ts'
import { AgentHandle, DEFAULT_GRACE_MS } from './supervisor/agent-handle.ts'
import type {
  Agent,
  AgentInfo,
  AgentSpecInput,
  AgentState,
  ApprovalInfo,
  SessionFilter,
  SessionInfo,
  Team,
  TeamEvent,
  TeamHealth,
} from './api.ts'
import { systemClock, type Timer } from './core/clock.ts'
import { assertApprovalId, assertSessionId, assertTaskId } from './core/ids.ts'
import type { SessionRecord } from './core/record.ts'
import type { ApprovalDecision, SessionState } from './core/session-state.ts'
import { describeThrown } from './errors.ts'
import { type ProvidersInput, resolveModels } from './model-options.ts'
import type { TeamModels } from './llm-spec.ts'
import {
  assertTeamOptions,
  type FsyncMode,
  resolveAgentSpec,
  resolveTeamLimits,
  TEAM_DEFAULTS,
  type TeamLimits,
} from './options.ts'
import { assertApprovalAnswer } from './protocol/approval-input.ts'
import type { Outcome } from './protocol/from-agent.ts'
import type { StayOptions } from './protocol/stay.ts'
import type { ThreadError } from './protocol/thread-task.ts'
import { loadBehavior } from './runtime/load-behavior.ts'
import { redactThreadError } from './runtime/secrets/redact-error.ts'
import { redactorOf } from './runtime/secrets/stay-redactor.ts'
import { runStay } from './runtime/stay.ts'
import { type AgentRegistry, openRegistry } from './store/agent-registry.ts'
import { Catalog, infoOf, sessionsThatFit } from './store/catalog.ts'
import { openDirectory, type OwnedDirectory } from './store/directory.ts'
import { createFileStore } from './store/file-store.ts'
import { type RetentionPolicy, selectExpired } from './store/retention.ts'
import type { SessionStore } from './store/session-store.ts'
import type { AgentHost } from './supervisor/agent-host.ts'
import { createLocalHost } from './supervisor/local-host.ts'
import { Supervisor } from './supervisor/supervisor.ts'
import { ThreadHost } from './supervisor/thread-host.ts'

const RETENTION_INTERVAL_MS = 24 * 3_600_000

export interface TeamOptions {
  /** The data directory, created where it is missing. Default: `./sessions`. */
  data?: string
  /**
   * The configured agents: registered where they are new; their specs win over registered ones. One that was configured at an earlier
   * start and is not any more is kept, stopped.
   */
  agents?: readonly AgentSpecInput[]
  /** Off where it is left out. Applied at start and daily. */
  retention?: RetentionPolicy & { /** How long the trash keeps sessions, ms. */ trashAgeMs?: number }
  /** Continue unfinished turns and accepted messages. Default: true. False leaves them until their agent is sent a message. */
  resume?: boolean
  /** `all` (default): agents with unfinished work start at once. `none`: an agent starts when it is addressed. */
  start?: 'all' | 'none'
  /** `always` (default): acknowledged is on the disk. `interval`: up to 100 ms of it can be lost with the machine's power. */
  fsync?: FsyncMode
  limits?: Partial<TeamLimits>
  /** Where models are asked, by the name before the slash of a model; some are built in. */
  providers?: ProvidersInput
  /** Prices by `provider/model`, for what turns cost: without one a model's cost is unknown. */
  prices?: TeamModels['prices']
  /** `threads` (default), or everything in this process's own thread: no isolation, for tests and tiny programs. */
  host?: 'threads' | 'in-process'
}

/**
 * Opens a data directory and brings its team back. Throws `directory_owned` where another supervisor has it, `directory_invalid`,
 * `invalid_config`, `unsupported_format`, `storage_failed`.
 */
export async function createTeam(options: TeamOptions = {}): Promise<Team> {
  assertTeamOptions(options)
  const limits = resolveTeamLimits(options.limits)
  const models = resolveModels(options)
  const specs = (options.agents ?? []).map((agent) =>
    resolveAgentSpec(agent, process.cwd(), models.providers),
  )
  const directory = await openDirectory({ directory: options.data ?? TEAM_DEFAULTS.data })
  try {
    const fsync = options.fsync ?? TEAM_DEFAULTS.fsync
    const store = createFileStore({ directory: directory.directory, fsync })
    const catalog = await Catalog.open(store)
    const trash = await trashOf(store)
    directory.outrank(Math.max(catalog.highestEpoch(), ...trash.map(({ epoch }) => epoch)))
    const registry = openRegistry(directory.directory)
    if (options.agents) stopRemoved(registry, specs)
    const supervisor = new Supervisor({
      epoch: directory.epoch,
      claims: directory.claims,
      store,
      storeOptions: { directory: directory.directory, fsync },
      catalog,
      registry,
      host: createHost(options.host ?? 'threads', limits.threads, store),
      limits,
      clock: systemClock,
      random: Math.random,
      resume: options.resume ?? true,
      models,
      notes: [...directory.notes, ...registry.notes, ...catalog.problems()],
      trash,
    })
    try {
      for (const spec of specs) await supervisor.define(spec)
      if ((options.start ?? 'all') === 'all' && (options.resume ?? true)) supervisor.resumeWork()
      return new OpenTeam(directory, store, catalog, supervisor, limits, models, options.retention)
    } catch (error) {
      await supervisor.close(0)
      throw error
    }
  } catch (error) {
    directory.close()
    throw error
  }
}

/** An agent that was taken out of the configuration is kept, stopped: its sessions and its spec may still be wanted. */
function stopRemoved(registry: AgentRegistry, specs: readonly AgentSpec[]): void {
  for (const { spec, configured } of registry.all()) {
    if (configured && !specs.some(({ id }) => id === spec.id)) registry.put(spec, true)
  }
}

function createHost(kind: 'threads' | 'in-process', capacity: number, store: SessionStore): AgentHost {
  return kind === 'threads' ? new ThreadHost({ capacity, redactError }) : createInProcessHost(capacity, store)
}

/** A host without threads: the runtime in this process, over `store`. */
export function createInProcessHost(capacity: number, store: SessionStore): AgentHost {
  return createLocalHost({
    capacity,
    runStay: (options, port) =>
      runStay(options, port, {
        store,
        clock: systemClock,
        loadBehavior,
        threadId: 0,
        redactor: redactorOf(options),
      }),
    readSession: async (_store, sessionId) => (await store.load(sessionId)).state,
    redactError,
  })
}

function redactError(stay: StayOptions, error: ThreadError): ThreadError {
  return redactThreadError(error, redactorOf(stay))
}

async function trashOf(store: SessionStore): Promise<SessionInfo[]> {
  const trash: SessionInfo[] = []
  for await (const { header, diskBytes } of store.listTrash()) {
    if (header) trash.push(infoOf(header, { current: false, diskBytes }))
  }
  return trash
}

class OpenTeam implements Team {
  readonly #directory: OwnedDirectory
  readonly #store: SessionStore
  readonly #catalog: Catalog
  readonly #supervisor: Supervisor
  readonly #limits: TeamLimits
  readonly #models: TeamModels
  #retentionTimer: Timer | undefined
  #retaining: Promise<void> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(
    directory: OwnedDirectory,
    store: SessionStore,
    catalog: Catalog,
    supervisor: Supervisor,
    limits: TeamLimits,
    models: TeamModels,
    retention: TeamOptions['retention'],
  ) {
    this.#directory = directory
    this.#store = store
    this.#catalog = catalog
    this.#supervisor = supervisor
    this.#limits = limits
    this.#models = models
    if (retention) this.#retainDaily(retention)
  }

  get directory(): string {
    return this.#directory.directory
  }

  get epoch(): number {
    return this.#directory.epoch
  }

  async spawn(input: AgentSpecInput): Promise<Agent> {
    const spec = resolveAgentSpec(input, process.cwd(), this.#models.providers)
    await this.#supervisor.spawn(spec)
    return this.#handle(spec.id)
  }

  agent(id: string): Agent | undefined {
    return this.#supervisor.has(id) ? this.#handle(id) : undefined
  }

  agents(): AgentInfo[] {
    return this.#supervisor.agentIds().map((id) => this.#supervisor.info(id))
  }

  async removeAgent(id: string): Promise<void> {
    await this.#supervisor.remove(id)
  }

  sessions(filter: SessionFilter = {}): SessionInfo[] {
    const { trashed = false, ...rest } = filter
    return trashed ? sessionsThatFit(this.#supervisor.trash(), rest) : this.#catalog.list(rest)
  }

  session(sessionId: string): SessionInfo | undefined {
    assertSessionId(sessionId)
    return this.#catalog.get(sessionId)
  }

  findSession(reference: string, agentId?: string): SessionInfo {
    return this.#catalog.find(reference, agentId)
  }

  async readSession(sessionId: string): Promise<SessionState> {
    assertSessionId(sessionId)
    return this.#supervisor.readSession(sessionId)
  }

  records(sessionId: string, afterSeq = 0): AsyncIterable<SessionRecord> {
    assertSessionId(sessionId)
    return this.#store.replay(sessionId, afterSeq)
  }

  async task(taskId: string): Promise<Outcome | undefined> {
    assertTaskId(taskId)
    return this.#supervisor.task(taskId)
  }

  approvals(): ApprovalInfo[] {
    return this.#supervisor.approvals()
  }

  async answerApproval(
    approvalId: string,
    answer: { decision: ApprovalDecision; reason?: string },
  ): Promise<ApprovalInfo> {
    const { decision, reason } = assertApprovalAnswer(answer)
    assertApprovalId(approvalId)
    return this.#supervisor.answerApproval(approvalId, decision, reason)
  }

  async cleanup(policy: RetentionPolicy, options: { dryRun?: boolean } = {}): Promise<SessionInfo[]> {
    const expired = selectExpired(this.#catalog.list(), policy, systemClock.now())
    if (options.dryRun) return expired
    return this.#each(expired, ({ id, agentId }) =>
      this.#supervisor.command<'trash'>(agentId, { name: 'trash', sessionId: id }),
    )
  }

  events(options: { signal?: AbortSignal } = {}): AsyncIterable<TeamEvent> {
    return this.#supervisor.events.read(options.signal)
  }

  get lastEventSeq(): number {
    return this.#supervisor.events.lastSeq
  }

  health(): TeamHealth {
    const agents: Record<AgentState, number> = {
      starting: 0,
      idle: 0,
      working: 0,
      waiting: 0,
      restarting: 0,
      hibernated: 0,
      failed: 0,
      stopped: 0,
    }
    for (const { state } of this.agents()) agents[state] += 1
    const { notes } = this.#supervisor
    const degraded = agents.failed > 0 || this.#catalog.problems().length > 0
    return {
      status: degraded ? 'degraded' : 'ok',
      agents,
      ...this.#catalog.totals(),
      rssBytes: process.memoryUsage.rss(),
      notes: [...notes],
    }
  }

  announce(url: string): void {
    this.#directory.setUrl(url)
  }

  close(options: { graceMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(options.graceMs ?? DEFAULT_GRACE_MS)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(graceMs: number): Promise<void> {
    this.#retentionTimer?.cancel()
    try {
      await this.#supervisor.close(graceMs)
      await this.#retaining
    } finally {
      this.#directory.close()
    }
  }

  #handle(id: string): Agent {
    return new AgentHandle(id, this.#supervisor, this.#catalog, this.#limits.messageBytes)
  }

  #retainDaily(retention: NonNullable<TeamOptions['retention']>): void {
    this.#retaining = this.#retain(retention).catch((error: unknown) => {
      if (this.#closing === undefined) {
        this.#supervisor.note({ kind: 'agent-fault', message: `retention failed: ${describeThrown(error)}` })
      }
    })
    this.#retentionTimer = systemClock.setTimer(RETENTION_INTERVAL_MS, () => this.#retainDaily(retention))
  }

  async #retain({
    trashAgeMs = TEAM_DEFAULTS.trashAgeMs,
    ...policy
  }: NonNullable<TeamOptions['retention']>): Promise<void> {
    await this.cleanup(policy)
    const now = systemClock.now()
    const old = this.#supervisor
      .trash()
      .filter(({ trashedAt }) => trashedAt !== undefined && now - Date.parse(trashedAt) >= trashAgeMs)
    await this.#each(old, ({ id, agentId }) =>
      this.#supervisor.command<'purge'>(agentId, { name: 'purge', sessionId: id }),
    )
  }

  /** Does `work` for each session and returns those for which it succeeded: one bad session must not keep the others. */
  async #each(
    sessions: readonly SessionInfo[],
    work: (session: SessionInfo) => Promise<unknown>,
  ): Promise<SessionInfo[]> {
    const done: SessionInfo[] = []
    for (const session of sessions) {
      try {
        await work(session)
        done.push(session)
      } catch (error) {
        if (this.#closing) throw error
        const message = `session ${session.id} could not be cleaned up: ${describeThrown(error)}`
        this.#supervisor.note({ kind: 'agent-fault', sessionId: session.id, message }, session.agentId)
      }
    }
    return done
  }
}
