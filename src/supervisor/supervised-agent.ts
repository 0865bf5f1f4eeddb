/**
 * The life of one agent: wakes it when it is called, watches it, restarts it by its policy, lets it hibernate, stops it.
 *
 * A1  At most one stay at a time; the next one starts only after the thread of the last one is gone and its claim released.
 * A2  Every call is settled once. What was sent to a stay is settled by it or, when it ends, by one cause; what was not sent
 *     yet survives a crash and a hibernation and goes to the next stay, in order.
 * A3  After `stop` was sent no call is sent to that stay any more: a message that meets a hibernating agent waits for the next one.
 * A4  An agent gives its thread back by `rest` only, which it may decline: where its turn only waits, that stays open, and the calls
 *     that wait for turns are parked for the next stay.
 * A5  Restarts follow the policy; after too many the agent is `failed` until somebody starts it.
 *
 * One long file, because it is one state machine: what stands by itself is elsewhere (AgentCalls, LiveStay, ThreadSlots,
 * restart-policy.ts), and what is left changes the same few fields.
 */
import { type AgentSpec, isBuiltIn } from '../agent-spec.ts'
import type { AgentState, ResourceUsage } from '../api.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { decideRestart } from '../core/restart-policy.ts'
import { AgentryError, assertNever, toAgentryError } from '../errors.ts'
import type { FromAgent, TurnEvent } from '../protocol/from-agent.ts'
import type { StayOptions } from '../protocol/stay.ts'
import type { SettleTeamRequest, TeamRequest } from '../protocol/team-requests.ts'
import type { Claim, ClaimAuthority } from '../store/session-store.ts'
import { AgentCalls } from './agent-calls.ts'
import type { AgentHost, StayEnd } from './agent-host.ts'
import { LiveStay } from './live-stay.ts'
import type { Call, Request } from './pending-calls.ts'
import { endError } from './stay-end.ts'
import type { Slot, ThreadSlots } from './thread-slots.ts'

/** How long after a start that got no thread the next one is tried, where acknowledged work waits. */
const RETRY_MS = 5_000

export interface SupervisedAgentOptions {
  spec: AgentSpec
  host: AgentHost
  claims: ClaimAuthority
  slots: ThreadSlots
  clock: Clock
  random: () => number
  startMs: number
  /** Messages, and commands, without an answer at most: sent or waiting for a thread. */
  maxCalls: number
  /** Bytes of messages without an answer, at most. One that comes alone is taken. */
  maxBytes: number
  hibernateAfterMs: number
  /** Continue unfinished turns and queues at the first start; a message makes every later start do so. */
  resume: boolean
  /** Comes before each start: resolves when nobody else writes the agent's sessions. */
  prepare(): Promise<void>
  /** What a stay is given beside spec, claim and resume: read right before each start. */
  stayOptions(): Promise<Omit<StayOptions, 'spec' | 'claim' | 'resume'>>
  /** True where the current session has no unfinished turn and no queue. */
  isAtRest(): boolean
  /** Last look before a call is sent: true where it was answered otherwise. */
  intercept(call: Call): boolean
  /** What the agent's turn asks of the team. */
  onTeamRequest(request: TeamRequest, settle: SettleTeamRequest): void
  /** Everything that is not an answer. */
  onEnvelope(envelope: FromAgent): void
  /** A stay did not end cleanly: what it wrote last may not have been reported. */
  onCutOff(): void
  onState(state: AgentState, error: AgentryError | undefined): void
}

export class SupervisedAgent {
  readonly #options: SupervisedAgentOptions
  readonly #calls: AgentCalls
  #live: LiveStay | undefined
  /** Settled when the last stay has ended and what that leads to is decided. */
  #gone: Promise<void> = Promise.resolve()
  /** Set while a stay is on its way; aborted by a stop. */
  #beginning: AbortController | undefined
  #stopping: Promise<void> | undefined
  #state: AgentState
  #lastError: AgentryError | undefined
  #restartHistory: number[] = []
  #restarts = 0
  #restartTimer: Timer | undefined
  #retryTimer: Timer | undefined
  #idleTimer: Timer | undefined
  #idleSinceMs = 0
  #usage: ResourceUsage | undefined
  #lastActivityAt: string | undefined
  #resume: boolean
  /** Settled with the first `ready` or the end of the attempt to get there. */
  #starting: PromiseWithResolvers<void> = Promise.withResolvers()

  constructor(options: SupervisedAgentOptions, initial: 'hibernated' | 'stopped') {
    this.#options = options
    const { spec, maxCalls, maxBytes } = options
    this.#calls = new AgentCalls({
      agentId: spec.id,
      maxCalls,
      maxBytes,
      intercept: (call) => options.intercept(call),
    })
    this.#state = initial
    this.#resume = options.resume
    this.#starting.promise.catch(() => undefined) // only start() waits for it
  }

  get id(): string {
    return this.#options.spec.id
  }

  get spec(): AgentSpec {
    return this.#options.spec
  }

  get state(): AgentState {
    return this.#state
  }

  get lastError(): AgentryError | undefined {
    return this.#lastError
  }

  get restarts(): number {
    return this.#restarts
  }

  get usage(): ResourceUsage | undefined {
    return this.#usage
  }

  get lastActivityAt(): string | undefined {
    return this.#lastActivityAt
  }

  /** Calls that have no answer yet. */
  get unfinishedCalls(): number {
    return this.#calls.size
  }

  /** Since when (monotonic) the agent could hibernate at once; undefined where it could not. */
  get idleSinceMs(): number | undefined {
    return this.#isIdle() ? this.#idleSinceMs : undefined
  }

  /** Set while the agent is being stopped. */
  get stopping(): Promise<void> | undefined {
    return this.#stopping
  }

  /**
   * `call` as a promise. The type of the answer is that which the protocol pairs with the request. `signal` does not end it: aborted, it
   * says that nobody waits, and the call is let go of where its message does not need it any more.
   */
  async request<T>(request: Request, waiting: Pick<Call, 'onEvent' | 'signal'> = {}): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const onAbort = (): void => {
      this.#calls.dropAbandoned()
      this.#considerIdle()
    }
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- taken on trust here alone
    this.call({ request, resolve: (value) => resolve(value as T), reject, ...waiting })
    waiting.signal?.addEventListener('abort', onAbort, { once: true })
    try {
      return await promise
    } finally {
      waiting.signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Takes a call and wakes the agent for it, or rejects it where none is taken. */
  call(call: Call): void {
    if (call.request.type === 'message') this.#resume = true
    const refusal = this.#refusal()
    if (refusal) {
      call.reject(refusal)
      return
    }
    const taken = this.#calls.take(call)
    if (taken === undefined) return
    this.#idleTimer?.cancel()
    const live = this.#live
    if (live?.takesCalls) {
      if (!this.#calls.send(live.stay, taken)) this.#considerIdle()
    } else {
      this.#calls.wait(taken)
      this.#ensureStay()
    }
  }

  /**
   * Starts the agent if it has no thread, a stop or hibernation under way waited for and a backoff cut short. Resolves when it is
   * ready; rejects with what its start failed with.
   */
  async start(): Promise<void> {
    if (this.#stopping) await this.#stopping
    else if (this.#live?.intent === 'stop') await this.#gone
    if (this.#state === 'stopped' || this.#state === 'failed') {
      this.#restartHistory = []
      this.#lastError = undefined
      this.#setState('hibernated')
    }
    this.#restartTimer?.cancel()
    this.#restartTimer = undefined
    this.#ensureStay()
    if (!this.#live?.ready) await this.#starting.promise
  }

  /**
   * Stops cleanly: the running turn has `graceMs`. Resolves when the thread is gone. Idempotent. Waiting calls fail with
   * `agent_stopped`.
   */
  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs).finally(() => (this.#stopping = undefined))
    return this.#stopping
  }

  async #stop(graceMs: number): Promise<void> {
    this.#giveUpStart()
    if (this.#live) {
      this.#idleTimer?.cancel()
      this.#live.stop(graceMs)
      await this.#gone
      this.#giveUpStart()
    }
    this.#setState('stopped')
    this.#calls.failUnsent(this.#stoppedError())
  }

  /** Takes up what the agent has left open, where it has no thread: what its turn waited for may be there. */
  wake(): void {
    if (this.#refusal() !== undefined || !this.#hasWork()) return
    this.#live?.wake()
    this.#ensureStay()
  }

  /** Gives the thread back if nothing is under way. */
  hibernate(): void {
    const live = this.#live
    if (live === undefined || !this.#isIdle()) return
    this.#idleTimer?.cancel()
    live.rest()
  }

  #declinedRest(live: LiveStay): void {
    if (!live.declinedRest()) return
    if (!this.#calls.sendWaiting(live.stay)) this.#considerIdle()
    this.#startIdleTimer()
  }

  /** One heartbeat; see StayWatch. A stay that is to stop is watched too: a thread that answers nothing does not use its grace. */
  beat(onTime: boolean): void {
    if (this.#live?.ready) this.#live.watch.beat(onTime)
  }

  /** One reading of the thread's memory; see StayWatch. Undefined where there is none. */
  async watchMemory(): Promise<ResourceUsage | undefined> {
    const live = this.#live
    const usage = await live?.watch.readMemory()
    if (usage === undefined || this.#live !== live) return undefined
    this.#usage = usage
    return usage
  }

  /** True while code that is not Agentry's has a thread: its memory is watched closely. */
  get runsUserCode(): boolean {
    return this.#live !== undefined && !isBuiltIn(this.spec.behavior)
  }

  get hasThread(): boolean {
    return this.#live !== undefined
  }

  #refusal(): AgentryError | undefined {
    if (this.#state === 'stopped' || this.#live?.intent === 'stop') return this.#stoppedError()
    if (this.#state !== 'failed') return undefined
    const message = `agent ${this.id} crashed too often and is not restarted: ${this.#lastError?.message ?? ''}`
    return new AgentryError('agent_failed', message, {
      cause: this.#lastError,
      data: { agentId: this.id, state: 'failed' },
    })
  }

  #stoppedError(): AgentryError {
    return new AgentryError('agent_stopped', `agent ${this.id} is stopped: start it to use it`, {
      data: { agentId: this.id, state: 'stopped' },
    })
  }

  #isIdle(): boolean {
    if (!this.#live?.takesCalls || this.#calls.waiting > 0) return false
    if (this.#state === 'waiting') return this.#calls.onlyTurnsSent
    return this.#calls.sent === 0 && !this.#hasWork()
  }

  /** True where the session holds work that a stay would take up. */
  #hasWork(): boolean {
    return this.#resume && !this.#options.isAtRest()
  }

  #ensureStay(): void {
    if (this.#live || this.#beginning || this.#restartTimer) return
    this.#retryTimer?.cancel()
    const beginning = new AbortController()
    this.#beginning = beginning
    this.#starting = Promise.withResolvers()
    this.#starting.promise.catch(() => undefined) // only start() waits for it
    this.#setState('starting')
    void this.#begin(beginning)
  }

  async #begin(beginning: AbortController): Promise<void> {
    const { slots, claims, host, spec, clock, startMs } = this.#options
    let slot: Slot | undefined
    let claim: Claim | undefined
    try {
      await this.#options.prepare()
      beginning.signal.throwIfAborted()
      slot = await slots.acquire(beginning.signal)
      const given = await this.#options.stayOptions()
      beginning.signal.throwIfAborted()
      claim = claims.claim(spec.id)
      const options: StayOptions = { ...given, spec, claim, resume: this.#resume }
      const stay = host.start(options, (envelope) => this.#receive(live, envelope))
      const { memoryMb } = spec.limits
      const live = new LiveStay({ stay, claim, claims, slot, clock, startMs, memoryMb })
      this.#gone = stay.exited.then((end) => this.#ended(live, end))
      this.#live = live
    } catch (thrown) {
      if (claim) claims.release(claim)
      slot?.release()
      const error = toAgentryError(thrown)
      if (beginning.signal.aborted) return // stop() has settled everything
      this.#starting.reject(error)
      this.#calls.failWaiting(error)
      this.#setState('hibernated', error)
      if (this.#hasWork()) this.#retryTimer = clock.setTimer(RETRY_MS, () => this.#ensureStay())
    } finally {
      if (this.#beginning === beginning) this.#beginning = undefined
    }
  }

  /** Lets go of everything that would lead to a stay. */
  #giveUpStart(): void {
    this.#retryTimer?.cancel()
    this.#restartTimer?.cancel()
    this.#restartTimer = undefined
    this.#beginning?.abort(this.#stoppedError())
    this.#beginning = undefined
    this.#starting.reject(this.#stoppedError())
  }

  #receive(live: LiveStay, envelope: FromAgent): void {
    switch (envelope.type) {
      case 'ready':
        this.#ready(live)
        return
      case 'reply':
      case 'failure':
      case 'joined':
        this.#calls.report(envelope)
        break
      case 'following':
        this.#calls.report(envelope)
        return
      case 'pong':
        live.watch.answered()
        return
      case 'stopped':
        return
      case 'busy':
        this.#declinedRest(live)
        return
      case 'waiting':
        if (live.intent === undefined) this.#setState(envelope.waiting ? 'waiting' : 'working')
        break
      case 'team-request':
        this.#answerTeamRequest(live, envelope.id, envelope.request)
        return
      case 'turn-event':
        this.#options.onEnvelope(envelope)
        this.#noteActivity(envelope.event.type)
        this.#calls.report(envelope)
        break
      case 'session':
      case 'records':
      case 'saved':
      case 'log':
      case 'note':
        this.#options.onEnvelope(envelope)
        return
      default:
        assertNever(envelope)
    }
    this.#considerIdle()
  }

  #ready(live: LiveStay): void {
    live.started()
    this.#setState('idle')
    this.#starting.resolve()
    this.#calls.sendParked(live.stay)
    if (live.takesCalls) this.#calls.sendWaiting(live.stay)
    this.#considerIdle()
  }

  /** An answer for a stay that has ended is dropped, and the agent woken: its next stay asks again. */
  #answerTeamRequest(live: LiveStay, id: number, request: TeamRequest): void {
    this.#options.onTeamRequest(request, (answer) => {
      if (this.#live === live) {
        live.stay.send(
          'error' in answer
            ? { type: 'team-failure', id, error: answer.error.toJSON() }
            : { type: 'team-response', id, value: answer.value },
        )
      }
      if (this.#live !== live || live.intent !== undefined) this.wake()
    })
  }

  #noteActivity(type: TurnEvent['type']): void {
    if (type !== 'turn-started' && type !== 'turn-finished') return
    this.#lastActivityAt = new Date(this.#options.clock.now()).toISOString()
    if (this.#live?.intent === undefined) this.#setState(type === 'turn-started' ? 'working' : 'idle')
  }

  #considerIdle(): void {
    if (!this.#isIdle()) return
    this.#idleSinceMs = this.#options.clock.monotonicMs()
    if (this.#options.slots.waiting > 0) this.hibernate()
    else this.#startIdleTimer()
  }

  #startIdleTimer(): void {
    const { clock, hibernateAfterMs } = this.#options
    this.#idleTimer?.cancel()
    this.#idleTimer = clock.setTimer(hibernateAfterMs, () => this.hibernate())
  }

  /** The thread is gone. Settles what it owed, and decides what comes next. */
  #ended(live: LiveStay, end: StayEnd): void {
    this.#idleTimer?.cancel()
    this.#live = undefined
    this.#usage = undefined
    live.release()
    if (end.kind === 'stopped' && live.intent === 'rest') {
      this.#calls.park(this.#stoppedError())
      this.#setState(this.#hasWork() ? 'waiting' : 'hibernated')
      if (this.#calls.waiting > 0 || live.wakeDue) this.#ensureStay()
      return
    }
    if (end.kind === 'stopped' && live.intent === 'stop') {
      this.#calls.failSent(this.#stoppedError())
      return // stop() goes on
    }
    this.#options.onCutOff()
    const error = endError(this.id, end, live)
    this.#calls.failSent(error)
    if (!live.ready) {
      this.#starting.reject(error)
      this.#calls.failWaiting(error)
    }
    if (live.intent === 'stop') {
      this.#lastError = error
      return
    }
    this.#afterCrash(error, end)
  }

  #afterCrash(error: AgentryError, end: StayEnd): void {
    const { spec, clock, random } = this.#options
    const kind = end.kind === 'exit' && end.code === 0 ? 'normal' : 'abnormal'
    const decision = decideRestart(spec.restart, this.#restartHistory, kind, clock.monotonicMs(), random)
    switch (decision.action) {
      case 'restart':
        this.#restartHistory = decision.history
        this.#restarts += 1
        this.#setState('restarting', error)
        this.#restartTimer = clock.setTimer(decision.delayMs, () => {
          this.#restartTimer = undefined
          this.#ensureStay()
        })
        return
      case 'fail':
        this.#setState('failed', error)
        this.#calls.failUnsent(this.#refusal() ?? error)
        return
      case 'stop':
        this.#setState('stopped', error)
        this.#calls.failUnsent(this.#stoppedError())
        return
      default:
        assertNever(decision)
    }
  }

  #setState(state: AgentState, error?: AgentryError): void {
    if (error) this.#lastError = error
    if (this.#state === state) return
    this.#state = state
    this.#options.onState(state, error)
  }
}
