/**
 * The supervisor: all agents of one data directory, what is known of their sessions, and the way of every message.
 *
 * V1  It never writes session files: every write is made by a stay that holds the agent's claim.
 * V2  Commands reach sessions whose agent is stopped, failed or unknown too: a short maintenance stay under the agent's claim runs
 *     no turns. The agent itself starts only after that stay is gone.
 *
 * Past 400 lines for its width, not its depth: it wires the parts together (AgentRoster, MessageRouter, TeamDesk, SessionView,
 * Maintenance, ThreadSlots, EventHub) and is what Team and AgentHandle call.
 */
import type { AgentSpec } from '../agent-spec.ts'
import type { AgentInfo, ApprovalInfo, SessionInfo, TeamEventBody } from '../api.ts'
import { isOverdue, openApprovalsIn } from '../core/approvals.ts'
import { type AskedQuestion, questionsOf } from '../core/asked.ts'
import type { Clock } from '../core/clock.ts'
import { quote } from '../core/ids.ts'
import type { ApprovalDecision, SessionState } from '../core/session-state.ts'
import type { TeamModels } from '../llm-spec.ts'
import { AgentryError, assertNever, describeThrown } from '../errors.ts'
import type { CommandName, CommandResults, SessionCommand } from '../protocol/commands.ts'
import type { FromAgent, Outcome } from '../protocol/from-agent.ts'
import type { Teammate } from '../protocol/team-requests.ts'
import type { StayLimits, StoreOptions } from '../protocol/stay.ts'
import type { AgentRegistry } from '../store/agent-registry.ts'
import type { Catalog } from '../store/catalog.ts'
import type { ClaimAuthority, SessionNote, SessionStore } from '../store/session-store.ts'
import type { AgentHost } from './agent-host.ts'
import { AgentRoster } from './agent-roster.ts'
import { EventHub } from './events.ts'
import { watchHealth } from './health.ts'
import { Maintenance } from './maintenance.ts'
import { MessageRouter, type OutgoingMessage } from './message-router.ts'
import { NoteLog } from './note-log.ts'
import type { Request } from './pending-calls.ts'
import { SupervisedAgent, type SupervisedAgentOptions } from './supervised-agent.ts'
import { SessionView } from './session-view.ts'
import { TeamDesk } from './team-desk.ts'
import { ThreadSlots } from './thread-slots.ts'

const DEFAULT_THREAD_WAIT_MS = 30_000
/** Of an agent's memory, for its unfinished messages at most: while they are recorded they are there several times over. */
const MAILBOX_SHARE = 1 / 16

export interface SupervisorLimits extends StayLimits {
  startMs: number
  hibernateAfterMs: number
  /** How long an agent waits for a thread before it is told `no_thread`. Default 30,000. */
  threadWaitMs?: number
}

export interface SupervisorOptions {
  epoch: number
  claims: ClaimAuthority
  store: SessionStore
  storeOptions: StoreOptions
  catalog: Catalog
  registry: AgentRegistry
  host: AgentHost
  limits: SupervisorLimits
  clock: Clock
  random: () => number
  resume: boolean
  models: TeamModels
  notes: readonly SessionNote[]
  /** The sessions in the trash at the start. */
  trash: readonly SessionInfo[]
}

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #roster: AgentRoster
  readonly #maintenance: Maintenance
  readonly #slots: ThreadSlots
  readonly #messages: MessageRouter
  readonly #desk: TeamDesk
  readonly #stopWatching: () => void
  readonly #notes: NoteLog
  readonly events: EventHub
  readonly #sessions: SessionView
  #closing: Promise<void> | undefined

  constructor(options: SupervisorOptions) {
    const { clock, host, registry, epoch, limits } = options
    this.#options = options
    this.#notes = new NoteLog(options.notes)
    this.#sessions = new SessionView(options.catalog, options.store, options.trash, (agentId, turn) =>
      this.#desk.turnEnded(agentId, turn),
    )
    this.events = new EventHub(epoch, clock)
    this.#slots = new ThreadSlots({
      capacity: host.capacity,
      timeoutMs: limits.threadWaitMs ?? DEFAULT_THREAD_WAIT_MS,
      clock,
      onShortage: (missing) => this.#makeRoom(missing),
    })
    this.#messages = new MessageRouter({
      catalog: options.catalog,
      clock,
      readSession: (sessionId) => this.readSession(sessionId),
    })
    this.#desk = new TeamDesk({
      send: (agentId, message) => this.send(agentId, message),
      withdraw: (question) => this.#withdraw(question),
      questionsOf: (agentId) => questionsOf(options.catalog.currentOf(agentId)?.turn ?? null),
      isFinished: (taskId) => options.catalog.findTask(taskId)?.known.state === 'finished',
      teammates: (agentId) => this.#teammates(agentId),
      usage: () => options.catalog.used(),
      onFault: (message) => this.note({ kind: 'agent-fault', message }),
    })
    this.#maintenance = new Maintenance((spec, own) => this.#create(spec, 'hibernated', false, own))
    this.#roster = new AgentRoster({
      registry,
      create: (spec, stopped) => this.#supervise(spec, stopped),
      assertOpen: () => this.#assertOpen(),
      onRemoved: (agentId, registered) => {
        if (registered) this.#endTurnsOf(agentId)
        this.#publish({ type: 'agent-removed', agentId })
      },
    })
    this.#stopWatching = watchHealth({
      clock,
      agents: () => [...this.#roster.all(), ...this.#maintenance.all()],
      onBeat: () => this.#wakeOverdue(),
      onUsage: (agent, usage) =>
        this.#publish({ type: 'usage', agentId: agent.id, usage, queueDepth: this.#queueDepth(agent.id) }),
      onFault: (agent, error) =>
        this.note({ kind: 'agent-fault', message: `health of agent ${agent.id}: ${describeThrown(error)}` }),
    })
  }

  get notes(): readonly SessionNote[] {
    return this.#notes.all()
  }

  // --- agents

  has(agentId: string): boolean {
    return this.#roster.has(agentId)
  }

  agentIds(): string[] {
    return this.#roster.ids()
  }

  info(agentId: string): AgentInfo {
    const agent = this.#roster.get(agentId)
    const { spec, state, restarts, lastError, usage, lastActivityAt } = agent
    const current = this.#options.catalog.currentOf(agentId)
    return {
      id: spec.id,
      role: spec.role,
      behavior: spec.behavior,
      state,
      ...(current && { currentSessionId: current.id }),
      queueDepth: this.#queueDepth(agentId),
      restarts,
      ...(lastError && { lastError: lastError.toJSON() }),
      ...(lastActivityAt !== undefined && { lastActivityAt }),
      ...(usage && { usage }),
      spent: this.#options.catalog.usage(agentId),
      spec,
    }
  }

  #teammates(agentId: string): Teammate[] {
    return [...this.#roster.all()]
      .filter((agent) => agent.id !== agentId)
      .map(({ id, spec: { role, behavior }, state }) => ({ id, role, behavior, state }))
  }

  /** See AgentRoster, as for all that changes which agents there are and which of them run. */
  spawn(spec: AgentSpec): Promise<void> {
    return this.#roster.spawn(spec)
  }

  define(spec: AgentSpec): Promise<void> {
    return this.#roster.define(spec)
  }

  stop(agentId: string, graceMs: number): Promise<void> {
    return this.#roster.stop(agentId, graceMs)
  }

  start(agentId: string): Promise<void> {
    return this.#roster.start(agentId)
  }

  remove(agentId: string): Promise<void> {
    return this.#roster.remove(agentId)
  }

  /** Its turns do not go on: what they asked is not awaited any more. */
  #endTurnsOf(agentId: string): void {
    for (const { turn } of this.#options.catalog.list({ agentId })) {
      if (turn) this.#desk.turnEnded(agentId, turn)
    }
  }

  /** Wakes the agents whose current session holds unfinished work, in the order of their start. */
  resumeWork(): void {
    const sessions = this.#options.catalog.list()
    this.#desk.withdrawForgotten(
      sessions.map((session) => ({ ...session, registered: this.has(session.agentId) })),
    )
    for (const agent of this.#roster.all()) {
      if (agent.state !== 'hibernated' || this.#isAtRest(agent.id)) continue
      agent.start().catch((error: unknown) => {
        this.note({
          kind: 'agent-fault',
          message: `agent ${agent.id} could not resume its work: ${describeThrown(error)}`,
        })
      })
    }
  }

  // --- messages

  /** Sends a message. Resolves with the outcome of its turn, or of its acceptance. */
  async send(agentId: string, message: OutgoingMessage): Promise<Outcome> {
    return this.#messages.send(this.#roster.get(agentId), message)
  }

  async cancel(agentId: string, turnId?: string): Promise<boolean> {
    const agent = this.#roster.get(agentId)
    if (agent.unfinishedCalls === 0 && this.#isAtRest(agentId)) return false
    return agent.request<boolean>({ type: 'cancel', ...(turnId !== undefined && { turnId }) })
  }

  /** Ends a question that nobody waits for, also where its agent is stopped or gone. Nobody is woken where there is nothing to end. */
  async #withdraw({ agentId, taskId }: AskedQuestion): Promise<void> {
    const agent = this.#roster.find(agentId)
    await agent?.stopping
    if (this.#closing) return
    const known = this.#options.catalog.findTask(taskId)?.known
    const mayBeThere =
      known !== undefined || (agent?.unfinishedCalls ?? 0) > 0 || this.#sessions.isStale(agentId)
    if (known?.state === 'finished' || !mayBeThere) return
    await this.#request<boolean>(agentId, { type: 'cancel', turnId: taskId })
  }

  /** The open questions of all agents, oldest first (see openApprovalsIn). */
  approvals(): ApprovalInfo[] {
    const { catalog, clock } = this.#options
    const team = { nowMs: clock.now(), hasAgent: (agentId: string) => this.has(agentId) }
    return openApprovalsIn(catalog.asking(), team)
  }

  /** Throws `approval_not_found`. An agent that does not run has its answer recorded in a maintenance stay, and goes on when it runs. */
  async answerApproval(
    approvalId: string,
    decision: ApprovalDecision,
    reason: string | undefined,
  ): Promise<ApprovalInfo> {
    const approval = this.approvals().find((one) => one.approvalId === approvalId)
    if (approval === undefined) {
      throw new AgentryError('approval_not_found', `no question ${quote(approvalId)} is open`)
    }
    const { agentId } = approval
    const answer = { decision, ...(reason !== undefined && { reason }) }
    await this.#request(agentId, { type: 'approval', approvalId, ...answer })
    return approval
  }

  /** What is known of a task: accepted, running or recorded. */
  task(taskId: string): Promise<Outcome | undefined> {
    return this.#messages.task(taskId)
  }

  // --- sessions

  /** Runs a session command on the agent's own thread, or, where the agent does not run, in a maintenance stay (V2). */
  async command<N extends CommandName>(
    agentId: string,
    command: Extract<SessionCommand, { name: N }>,
    cancelTurn = false,
  ): Promise<CommandResults[N]> {
    const request: Request = { type: 'command', command, cancelTurn }
    const result = await this.#request<CommandResults[N]>(agentId, request)
    const done: SessionCommand = command
    if (done.name === 'purge') this.#sessions.purged(done.sessionId)
    return result
  }

  async #request<T>(agentId: string, request: Request): Promise<T> {
    this.#assertOpen()
    const agent = this.#roster.find(agentId)
    const runs = agent !== undefined && agent.state !== 'stopped' && agent.state !== 'failed'
    return runs
      ? agent.request<T>(request)
      : this.#maintenance.request<T>(agentId, request, agent?.spec.workingDir)
  }

  trash(): SessionInfo[] {
    return this.#sessions.trash()
  }

  readSession(sessionId: string): Promise<SessionState> {
    return this.#options.host.read(this.#options.storeOptions, sessionId)
  }

  // --- end

  /** Stops all agents, last started first (asked in that order, waited for together). Idempotent. */
  close(graceMs: number): Promise<void> {
    this.#closing ??= this.#close(graceMs)
    return this.#closing
  }

  async #close(graceMs: number): Promise<void> {
    this.#stopWatching()
    this.#desk.close()
    const agents = [...this.#roster.all(), ...this.#maintenance.all()].toReversed()
    await Promise.all(agents.map((agent) => agent.stop(graceMs)))
    await this.#options.host.close()
    this.events.close()
  }

  #assertOpen(): void {
    if (this.#closing) throw new AgentryError('team_closed', 'the team is closed')
  }

  #supervise(spec: AgentSpec, stopped: boolean): SupervisedAgent {
    return this.#create(spec, stopped ? 'stopped' : 'hibernated', this.#options.resume, {
      hibernateAfterMs: this.#options.limits.hibernateAfterMs,
      prepare: () => this.#maintenance.end(spec.id),
      onState: (state, error) => {
        this.#publish({
          type: 'agent-state',
          agentId: spec.id,
          state,
          ...(error && { error: error.toJSON() }),
        })
      },
    })
  }

  #create(
    spec: AgentSpec,
    initial: 'hibernated' | 'stopped',
    resume: boolean,
    own: Pick<SupervisedAgentOptions, 'hibernateAfterMs' | 'prepare' | 'onState'>,
  ): SupervisedAgent {
    const { host, claims, clock, random, limits, catalog, storeOptions, models } = this.#options
    const memoryBytes = spec.limits.memoryMb * 1024 * 1024
    const mailboxBytes = Math.min(limits.mailboxBytes, Math.floor(memoryBytes * MAILBOX_SHARE))
    return new SupervisedAgent(
      {
        ...own,
        spec,
        host,
        claims,
        slots: this.#slots,
        clock,
        random,
        startMs: limits.startMs,
        maxCalls: limits.mailboxMessages,
        maxBytes: mailboxBytes,
        resume,
        stayOptions: async () => {
          await this.#sessions.refresh(spec.id)
          const current = catalog.currentOf(spec.id)
          return {
            ...(current && { currentSessionId: current.id }),
            strayActiveIds: catalog.strayActiveOf(spec.id).map(({ id }) => id),
            activation: catalog.highestActivation(spec.id),
            store: storeOptions,
            limits: { ...limits, mailboxBytes },
            models,
          }
        },
        isAtRest: () => this.#isAtRest(spec.id),
        intercept: (call) => this.#messages.intercept(call),
        onTeamRequest: (request, settle) => this.#desk.answer(spec.id, request, settle),
        onEnvelope: (envelope) => this.#take(spec.id, envelope),
        onCutOff: () => this.#sessions.markStale(spec.id),
      },
      initial,
    )
  }

  /** Never throws: a report that does not fit must not take the process down. */
  #take(agentId: string, envelope: FromAgent): void {
    try {
      this.#report(agentId, envelope)
    } catch (error) {
      this.note({
        kind: 'agent-fault',
        message: `a report of agent ${agentId} does not fit: ${describeThrown(error)}`,
      })
      this.#sessions.markStale(agentId)
      void this.#refresh(agentId)
    }
  }

  async #refresh(agentId: string): Promise<void> {
    try {
      await this.#sessions.refresh(agentId)
    } catch (error) {
      const message = `the sessions of agent ${agentId} could not be read again: ${describeThrown(error)}`
      this.note({ kind: 'agent-fault', message })
    }
  }

  #report(agentId: string, envelope: FromAgent): void {
    switch (envelope.type) {
      case 'session':
      case 'records':
      case 'saved': {
        const change = this.#sessions.take(envelope)
        if (change) this.#publish({ type: 'session', ...change })
        return
      }
      case 'turn-event':
        this.#publish({ type: 'turn', agentId, sessionId: envelope.sessionId, event: envelope.event })
        return
      case 'log': {
        const { stream, text, droppedBytes } = envelope
        this.#publish({ type: 'log', agentId, stream, text, droppedBytes })
        return
      }
      case 'note':
        this.note(envelope.note, agentId)
        return
      case 'ready':
      case 'reply':
      case 'failure':
      case 'joined':
      case 'following':
      case 'pong':
      case 'busy':
      case 'waiting':
      case 'team-request':
      case 'stopped':
        return
      default:
        assertNever(envelope)
    }
  }

  /** Agents wait for threads: the longest idle ones give theirs back. */
  #makeRoom(missing: number): void {
    const idle = [...this.#roster.all(), ...this.#maintenance.all()]
      .filter((agent) => agent.idleSinceMs !== undefined)
      .sort((a, b) => (a.idleSinceMs ?? 0) - (b.idleSinceMs ?? 0))
    for (const agent of idle.slice(0, missing)) agent.hibernate()
  }

  /** Agents that have no thread and a question whose time is over: a stay denies it. */
  #wakeOverdue(): void {
    const nowMs = this.#options.clock.now()
    for (const agent of this.#roster.all()) {
      if (agent.state !== 'waiting' || agent.hasThread) continue
      const approvals = this.#options.catalog.currentOf(agent.id)?.approvals ?? []
      if (approvals.some((approval) => isOverdue(approval, nowMs))) agent.wake()
    }
  }

  #isAtRest(agentId: string): boolean {
    const current = this.#options.catalog.currentOf(agentId)
    if (current === undefined || current.problem !== undefined) return true
    return current.turn === null && current.queue.length === 0
  }

  #queueDepth(agentId: string): number {
    return this.#options.catalog.currentOf(agentId)?.queue.length ?? 0
  }

  /** Keeps a note for health reports, and tells the readers of events. */
  note(note: SessionNote, agentId?: string): void {
    this.#notes.add(note)
    this.#publish({ type: 'note', note, ...(agentId !== undefined && { agentId }) })
  }

  #publish(body: TeamEventBody): void {
    this.events.publish(body)
  }
}
