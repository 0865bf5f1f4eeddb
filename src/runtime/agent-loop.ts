/**
 * The agent itself: takes messages and commands in order, runs one turn at a time, acknowledges only what is durable.
 *
 * L1  Everything happens in the order it came: a message belongs to the session that is current when it is accepted; commands
 *     that change the current session wait for its turn and queue, and what came after them waits behind them.
 * L2  Served at any time, also during a turn: acceptance of messages, cancel, ping, commands on other sessions.
 * L3  Every message and command gets exactly one answer: a reply, a failure, or the end of its turn. Only the end of the
 *     thread may come instead; the supervisor settles what is open then.
 * L4  After a failed write nothing of it is acknowledged; a turn of the session is ended at once (it could record nothing any more), and
 *     the session is opened again from disk before the next work.
 * L5  A turn that only waits (for a person, for other agents) can be left open: at a stop, and where the thread is asked for. Another
 *     stay goes on with it. Of a behavior that cannot resume, no turn is left open.
 * L6  What was taken in is on disk LINGER_MS later, whatever its turn or the turn before it does: who waits for the end of a turn would
 *     lose a message that was never written. Short turns write it with their own end.
 *
 * One long file, because order is its subject: what is sent and waits is in Inbox, sessions are in SessionSet, a turn is in
 * turn-runner.ts, who may end it in running-turn.ts; what is left decides which of them is next.
 */
import type { Behavior } from '../behavior.ts'
import type { Timer } from '../core/clock.ts'
import { summarizeRecord } from '../core/record.ts'
import { closeTurn, OUTCOME_UNKNOWN, recoverTurn } from '../core/turn.ts'
import { AgentryError, assertNever, type ErrorCode, toAgentryError, type WireError } from '../errors.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'
import type { StayOptions } from '../protocol/stay.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import { Answers } from './answers.ts'
import { type CommandEnvelope, Inbox, unfinishedOf } from './inbox.ts'
import { endLeftovers } from './processes/leftover-processes.ts'
import type { Session } from './session.ts'
import { SessionSet } from './session-set.ts'
import type { StayEnvironment, StayPort } from './stay.ts'
import { Questions } from './questions.ts'
import { RunningTurn } from './running-turn.ts'
import { TeamLine } from './team-line.ts'
import { TurnEnds } from './turn-ends.ts'
import { runTurn } from './turn-runner.ts'

/** What is wrong with one session alone. */
const DAMAGE_CODES: ReadonlySet<ErrorCode> = new Set([
  'session_not_found',
  'session_damaged',
  'session_unreadable',
  'journal_missing',
  'journal_truncated',
  'unsupported_format',
])

const CANCELLED: WireError = { code: 'cancelled', message: 'the turn was cancelled' }

const UNSTARTED: WireError = {
  code: 'cancelled',
  message: 'the message was cancelled before it was started',
}

/** How long a message that is answered at the end of its turn, or the start of a turn, may be in memory alone: most turns are shorter. */
const LINGER_MS = 20

/** How often a session that could not be written is tried again by itself, while it has work. */
const REOPEN_MS = 2_000

type ApprovalEnvelope = Extract<ToAgent, { type: 'approval' }>

export interface AgentLoopOptions {
  stay: StayOptions
  port: StayPort
  environment: StayEnvironment
  behavior: Behavior
  /** Code of others may end the thread at any moment: a turn is durably started before it runs. */
  userModule: boolean
}

export class AgentLoop {
  readonly #options: AgentLoopOptions
  readonly #sessions: SessionSet
  readonly #answers: Answers
  readonly #inbox: Inbox
  readonly #ends: TurnEnds
  /** The turn under way: it runs, or is taken up after a crash. */
  #running: RunningTurn | undefined
  /** Settles with the last command: they run one after the other, those that waited for turns and those that did not. */
  #commands: Promise<void> = Promise.resolve()
  /** Commands and answers that are under way. */
  #openWork = 0
  readonly #questions: Questions
  readonly #team: TeamLine
  /** True while a command that may change the current session runs. */
  #switching = false
  /** The session to open again after a failed write (L4). */
  #reopenId: string | undefined
  #resume: boolean
  /** The session whose leftover turn was seen to. */
  #recovered: Session | undefined
  /** The turn that was cancelled last: it stays so, where its end could not be written. */
  #cancelledId: string | undefined
  /** `rest`: nobody stopped the agent, its thread is wanted. */
  #stop: { graceMs: number; rest?: true } | undefined
  #wake = Promise.withResolvers<void>()
  #admissionDue = false
  #lingering: Timer | undefined
  /** Rejects with an error in the work beside the loop. */
  readonly #bug = Promise.withResolvers<never>()

  constructor(options: AgentLoopOptions) {
    this.#options = options
    const { stay, environment, port } = options
    this.#resume = stay.resume
    this.#answers = new Answers(port)
    this.#team = new TeamLine(port)
    this.#questions = new Questions({
      clock: environment.clock,
      sendEvent: (session, turnId, event) =>
        port.send({ type: 'turn-event', turnId, sessionId: session.id, event }),
    })
    this.#sessions = new SessionSet({
      spec: stay.spec,
      claim: stay.claim,
      store: environment.store,
      clock: environment.clock,
      activation: stay.activation,
      onDurable: (session, records) => {
        const { journalOffset } = session.state
        port.send({
          type: 'records',
          sessionId: session.id,
          records: records.map(summarizeRecord),
          journalOffset,
        })
      },
      onBroken: (session, error) => {
        if (session === this.#sessions.current) this.#running?.end(error)
      },
      onSaved: (session, snapshotBytes) => port.send({ type: 'saved', sessionId: session.id, snapshotBytes }),
      onNote: (note) => port.send({ type: 'note', note }),
      endLeftovers: (session, turnId) => this.#endLeftovers(session, turnId),
      onSession: (header, gone) => port.send({ type: 'session', header, ...(gone && { gone: true }) }),
    })
    this.#inbox = new Inbox({
      agentId: stay.spec.id,
      capacity: stay.limits.mailboxMessages,
      maxBytes: stay.limits.mailboxBytes,
      answers: this.#answers,
      sessions: this.#sessions,
      store: environment.store,
    })
    this.#ends = new TurnEnds(port, this.#inbox)
  }

  /** Takes up what the last stay left: the current session, and (Q1) active ones beside it. */
  async open(): Promise<void> {
    const { currentSessionId, strayActiveIds } = this.#options.stay
    for (const sessionId of strayActiveIds) {
      await this.#unlessDamaged(sessionId, () => this.#sessions.suspendStray(sessionId))
    }
    if (currentSessionId === undefined) return
    const damage = await this.#unlessDamaged(currentSessionId, async () => {
      const { state } = await this.#sessions.open(currentSessionId)
      this.#inbox.adopt(state)
    })
    // One whose files are gone was taken away on purpose: a new one may begin.
    if (damage && damage.code !== 'session_not_found') this.#sessions.lose(damage)
  }

  /** A session that cannot be read is noted, left as it is, and returned as its error: commands on others must go on. */
  async #unlessDamaged(sessionId: string, work: () => Promise<void>): Promise<AgentryError | undefined> {
    try {
      await work()
      return undefined
    } catch (thrown) {
      const error = toAgentryError(thrown)
      if (!DAMAGE_CODES.has(error.code)) throw error
      this.#options.port.send({ type: 'note', note: { kind: 'damage', sessionId, message: error.message } })
      return error
    }
  }

  /** Takes one envelope; never throws. */
  receive(envelope: ToAgent): void {
    switch (envelope.type) {
      case 'message':
        this.#resume = true
        if (this.#inbox.offerMessage(envelope)) this.#admitSoon()
        return
      case 'command':
        this.#takeCommand(envelope)
        return
      case 'cancel':
        void this.#answers.answer(envelope.id, () => this.#cancel(envelope.turnId))
        return
      case 'approval':
        void this.#answerApproval(envelope)
        return
      case 'team-response':
      case 'team-failure':
        // The turn goes on with an answer only in the next round, and a rest may stand behind it in this frame.
        if (this.#team.receive(envelope) === 'ask') this.#running?.setWaiting(false)
        return
      case 'ping':
        this.#options.port.send({ type: 'pong', id: envelope.id })
        return
      case 'rest':
        this.#takeRest()
        return
      case 'stop':
        this.#takeStop(envelope.graceMs)
        return
      default:
        assertNever(envelope)
    }
  }

  /** Works until `stop`; resolves when everything is durable and closed. Rejects where a behavior was abandoned, and for a bug. */
  async run(): Promise<void> {
    await Promise.race([this.#work(), this.#bug.promise])
  }

  async #work(): Promise<void> {
    while (this.#stop === undefined) {
      await this.#reopen()
      await this.#inbox.admit()
      await this.#recover()
      await this.#cancelForNext()
      if (this.#stop !== undefined) break // it may have come meanwhile: a turn that starts now would not be interrupted
      if (this.#hasWork()) {
        await this.#turn()
      } else {
        const command = this.#inbox.takeCommand()
        if (command !== undefined) await this.#switch(command)
        else if (this.#inbox.isEmpty || this.#reopenId !== undefined) await this.#sleep()
      }
    }
    await this.#commands
    await this.#windUp()
  }

  #hasWork(): boolean {
    const state = this.#sessions.current?.state
    return this.#resume && state !== undefined && (state.turn !== null || state.queue.length > 0)
  }

  async #sleep(): Promise<void> {
    const retry =
      this.#reopenId === undefined
        ? undefined
        : this.#options.environment.clock.setTimer(REOPEN_MS, () => this.#wake.resolve())
    await this.#wake.promise
    this.#wake = Promise.withResolvers()
    retry?.cancel()
  }

  // --- messages

  /** Something to admit has come. */
  #admitSoon(): void {
    this.#wake.resolve()
    this.#admitBeside()
  }

  /** Beside a turn. All messages of one frame are taken in before the first is admitted, so that they share one write. */
  #admitBeside(): void {
    if (this.#running === undefined || this.#admissionDue) return
    this.#admissionDue = true
    queueMicrotask(() => {
      this.#admissionDue = false
      const session = this.#sessions.current
      if (this.#running === undefined || session === undefined || session.broken) return
      this.#writeSoon()
      Promise.all([this.#inbox.admit(), this.#cancelForNext()]).catch(this.#bug.reject)
    })
  }

  /** L6 */
  #writeSoon(): void {
    this.#lingering ??= this.#options.environment.clock.setTimer(LINGER_MS, () => {
      this.#lingering = undefined
      // A failure is told to everyone whom it concerns (L4).
      this.#sessions.current?.flush().catch(() => undefined)
    })
  }

  // --- turns

  async #turn(): Promise<void> {
    const session = this.#sessions.ensureCurrent()
    const { stay, behavior, environment, userModule } = this.#options
    const first = session.state.queue[0]
    if (session.state.turn === null && first)
      session.record({ type: 'turn.started', turnId: first.turnId, attempt: 1 })
    const turn = session.state.turn
    if (turn === null) return
    const { turnId, attempt } = turn
    const running = this.#begin(turnId)
    this.#admitBeside() // what came since the last admission
    const sendEvent = (event: TurnEvent) =>
      this.#options.port.send({ type: 'turn-event', turnId, sessionId: session.id, event })
    let abandoned = false
    try {
      if (userModule) await session.flush()
      sendEvent({ type: 'turn-started', turnId, sessionId: session.id, attempt })
      if (userModule) this.#options.port.flush()
      const end = await runTurn({
        session,
        behavior,
        clock: environment.clock,
        turnMs: stay.spec.limits.turnMs,
        resultBytes: stay.limits.resultBytes,
        abort: running.abort,
        isLeftOpen: () => running.isLeftOpen,
        questions: this.#questions,
        team: this.#team,
        redactor: environment.redactor,
        sendEvent,
        onWaiting: (waiting) => this.#noteWaiting(running, waiting),
        onSteered: (messageTurnId) => this.#inbox.steered(messageTurnId, turnId),
      })
      abandoned = end.abandoned
      await session.flush()
      for (const event of end.untold) sendEvent(event)
      this.#ends.announce(end.outcomes)
      if (!abandoned) await this.#sessions.saveIfOutgrown(session)
    } catch (error) {
      await this.#breakOff(session, error)
    } finally {
      this.#over(running)
    }
    if (abandoned) {
      throw new AgentryError(
        'agent_unresponsive',
        `turn ${turnId} went on after its signal was aborted: its thread is ended`,
      )
    }
  }

  #begin(turnId: string): RunningTurn {
    const { behavior, environment } = this.#options
    this.#running = new RunningTurn(turnId, environment.clock, behavior.resumable === true)
    this.#writeSoon()
    return this.#running
  }

  #over(running: RunningTurn): void {
    running.close()
    this.#running = undefined
    this.#lingering?.cancel()
    this.#lingering = undefined
  }

  /** Settles or continues what a crash cut off, once for each session that becomes current. */
  async #recover(): Promise<void> {
    const session = this.#sessions.current
    if (session === undefined || session === this.#recovered || !this.#resume) return
    this.#recovered = session
    const turn = session.state.turn
    if (turn === null) return
    const running = this.#begin(turn.turnId)
    this.#admitBeside()
    const leftover = await this.#endLeftovers(session, turn.turnId)
    this.#over(running)
    try {
      // Never run on beside a command of its own that may still be at work.
      const { signal } = running.abort
      const cancelled = turn.turnId === this.#cancelledId ? AgentryError.from(CANCELLED) : undefined
      const cause = signal.aborted ? toAgentryError(signal.reason) : (cancelled ?? leftover)
      const records = cause
        ? closeTurn(turn, OUTCOME_UNKNOWN, {
            status: cause.code === 'cancelled' ? 'cancelled' : 'interrupted',
            error: cause.toJSON(),
          })
        : recoverTurn(session.state, this.#options.behavior.resumable === true)
      await this.#ends.take(session, records)
    } catch (error) {
      await this.#breakOff(session, error)
    }
  }

  async #endLeftovers(session: Session, turnId: string): Promise<AgentryError | undefined> {
    const { environment, port } = this.#options
    try {
      await (environment.endLeftovers ?? endLeftovers)(turnId)
      return undefined
    } catch (thrown) {
      const error = toAgentryError(thrown)
      const message = `what turn ${turnId} left behind could not be ended: ${error.message}`
      port.send({ type: 'note', note: { kind: 'agent-fault', sessionId: session.id, message } })
      return error
    }
  }

  async #cancel(turnId = this.#running?.turnId): Promise<boolean> {
    if (turnId === undefined) return false
    const session = this.#sessions.current
    // A turn whose end is recorded is over, also where that is not durable yet.
    if (this.#running?.turnId === turnId && session?.state.turn?.turnId === turnId) {
      if (session.broken) throw session.broken // it is ended already, and taken up again from disk
      this.#running.end(AgentryError.from(CANCELLED))
      this.#cancelledId = turnId
      return true
    }
    if (session?.state.turn?.turnId === turnId) return this.#cancelLeftOpen(session, turnId)
    if (session === undefined || !session.state.queue.some((message) => message.turnId === turnId)) {
      return this.#inbox.withdraw(turnId, AgentryError.from(UNSTARTED))
    }
    await this.#ends.ofQueued(session, [turnId], UNSTARTED)
    return true
  }

  /** Ends a turn that another stay left open and this one has not taken up, or never will. */
  async #cancelLeftOpen(session: Session, turnId: string): Promise<boolean> {
    await this.#endLeftovers(session, turnId)
    if (this.#running?.turnId === turnId) return this.#cancel(turnId)
    if (session.state.turn?.turnId !== turnId) return false
    await this.#ends.ofOpen(session, CANCELLED)
    return true
  }

  /** Where the next in line is a command that cancels: ends the running turn and the queue. */
  async #cancelForNext(): Promise<void> {
    const next = this.#inbox.nextCommand
    if (!next?.cancelTurn || !this.#sessions.isBarrier(next.command)) return
    const session = this.#sessions.current
    if (session === undefined || session.broken || !this.#resume) return
    if (this.#running) await this.#cancel()
    const { turn } = session.state
    try {
      // After a crash, about to go on.
      if (turn && !this.#running) await this.#ends.ofOpen(session, CANCELLED)
      const queued = session.state.queue.map(({ turnId }) => turnId)
      await this.#ends.ofQueued(session, queued, UNSTARTED)
    } catch (error) {
      if (!session.broken) throw error
      this.#wake.resolve() // who waits is answered when the session is given up
    }
  }

  #noteWaiting(running: RunningTurn, waiting: boolean): void {
    running.setWaiting(waiting)
    this.#options.port.send({ type: 'waiting', waiting })
    if (waiting && this.#stop !== undefined) running.leaveOpen()
  }

  /** Never rejects. */
  async #answerApproval({ id, approvalId, decision, reason }: ApprovalEnvelope): Promise<void> {
    this.#openWork += 1
    const answer = { decision, ...(reason !== undefined && { reason }), by: 'person' as const }
    await this.#answers.answer(id, () => this.#questions.answer(this.#sessions.current, approvalId, answer))
    this.#openWork -= 1
    this.#wake.resolve() // it may have broken the current session
  }

  // --- commands

  #takeCommand(envelope: CommandEnvelope): void {
    const waits =
      this.#sessions.isBarrier(envelope.command) ||
      this.#switching ||
      !this.#inbox.isEmpty ||
      this.#reopenId !== undefined
    if (!waits) {
      void this.#execute(envelope)
      return
    }
    if (this.#inbox.offerCommand(envelope)) this.#admitSoon()
  }

  /** Runs a command after those before it. Never rejects. */
  #execute({ id, command }: CommandEnvelope, run = () => this.#sessions.execute(command)): Promise<void> {
    this.#openWork += 1
    this.#commands = this.#commands.then(async () => {
      await this.#answers.answer(id, run)
      this.#openWork -= 1
      this.#wake.resolve() // it may have broken the current session
    })
    return this.#commands
  }

  /** Runs a command that waited; another session may be current then. */
  async #switch(envelope: CommandEnvelope): Promise<void> {
    this.#switching = true
    await this.#execute(envelope, async () => {
      const before = this.#sessions.current
      const left = before === undefined ? [] : unfinishedOf(before.state)
      try {
        return await this.#sessions.execute(envelope.command)
      } finally {
        const { current } = this.#sessions
        if (current !== before) {
          this.#inbox.settle(left)
          if (current) this.#inbox.adopt(current.state)
        }
      }
    })
    this.#switching = false
  }

  // --- failed writes

  /** L4: fails everyone who waits for something of the session, and marks it to be opened again. */
  async #breakOff(session: Session, cause: unknown): Promise<void> {
    const error = toAgentryError(cause)
    if (!session.broken) throw error // not a failed write, but a bug: the stay ends
    this.#inbox.forget(unfinishedOf(session.state), error)
    this.#reopenId = session.id
    await this.#sessions.drop()
  }

  /** Opens a broken session again. While that fails, what waits in the mailbox fails with the cause. */
  async #reopen(): Promise<void> {
    const { current } = this.#sessions
    if (current?.broken) await this.#breakOff(current, current.broken)
    const sessionId = this.#reopenId
    if (sessionId === undefined) return
    try {
      const { state } = await this.#sessions.open(sessionId)
      this.#reopenId = undefined
      this.#inbox.adopt(state)
    } catch (thrown) {
      const error = toAgentryError(thrown)
      // A session that was never durable is gone with its first write: there is nothing to open.
      if (error.code === 'session_not_found') this.#reopenId = undefined
      else this.#inbox.failLine(error)
    }
  }

  // --- stop

  #takeStop(graceMs: number): void {
    this.#stop ??= { graceMs }
    this.#wake.resolve()
    const running = this.#running
    if (running && !running.leaveOpen()) running.interruptAfter(graceMs)
  }

  /** L5 */
  #takeRest(): void {
    const idle =
      this.#stop === undefined &&
      this.#inbox.isEmpty &&
      this.#openWork === 0 &&
      this.#reopenId === undefined &&
      !this.#admissionDue &&
      !this.#sessions.current?.broken
    const running = this.#running
    if (!idle || (running ? !running.leaveOpen() : this.#hasWork())) {
      this.#options.port.send({ type: 'busy' })
      return
    }
    this.#stop = { graceMs: 0, rest: true }
    this.#wake.resolve()
  }

  /**
   * Leaves acknowledged messages in the queue, and questions of other agents, which are asked again or withdrawn; fails the rest, unless
   * it rests only; closes the session.
   */
  async #windUp(): Promise<void> {
    if (this.#stop?.rest) return this.#sessions.close()
    const agentId = this.#options.stay.spec.id
    const stopped = new AgentryError('agent_stopped', `agent ${agentId} was stopped`, {
      data: { agentId, state: 'stopped' },
    })
    this.#inbox.failLine(stopped)
    const session = this.#sessions.current
    if (session !== undefined) {
      const left = session.state.queue
        .filter(({ turnId, askedBy }) => askedBy === undefined && !this.#inbox.isAcknowledged(turnId))
        .map(({ turnId }) => turnId)
      await this.#ends.ofQueued(session, left, stopped.toJSON())
    }
    this.#inbox.failWaiting(stopped)
    await this.#sessions.close()
  }
}
