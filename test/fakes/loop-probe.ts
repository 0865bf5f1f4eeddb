/** One stay of an agent in this thread, asked over its protocol: what the supervisor does, without a supervisor. */
import { createRedactor } from '../../src/runtime/secrets/redactor.ts'
import { NO_MODELS } from '../../src/llm-spec.ts'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Behavior } from '../../src/behavior.ts'
import type { Clock } from '../../src/core/clock.ts'
import { createId } from '../../src/core/ids.ts'
import type { Message, SessionRecord } from '../../src/core/record.ts'
import { DEFAULT_RESTART } from '../../src/core/restart-policy.ts'
import type { Approval, ApprovalDecision, SessionHeader } from '../../src/core/session-state.ts'
import type { AgentryError } from '../../src/errors.ts'
import type { SessionCommand } from '../../src/protocol/commands.ts'
import type { FromAgent, Outcome, TurnEvent } from '../../src/protocol/from-agent.ts'
import type { StayOptions } from '../../src/protocol/stay.ts'
import type { ToAgent } from '../../src/protocol/to-agent.ts'
import { echoBehavior } from '../../src/runtime/behaviors/echo.ts'
import type { Secret } from '../../src/runtime/secrets/secrets-of.ts'
import { runStay } from '../../src/runtime/stay.ts'
import { createClaimAuthority } from '../../src/store/claims.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { ClaimAuthority, SessionStore } from '../../src/store/session-store.ts'
import { PendingCalls, type Request } from '../../src/supervisor/pending-calls.ts'
import { SimulatedClock } from './simulated-clock.ts'

export interface LoopOptions {
  behavior?: Behavior
  userModule?: boolean
  store?: SessionStore
  clock?: Clock
  claims?: ClaimAuthority
  agentId?: string
  currentSessionId?: string
  strayActiveIds?: string[]
  activation?: number
  resume?: boolean
  mailboxMessages?: number
  mailboxBytes?: number
  turnMs?: number
  secrets?: readonly Secret[]
  endLeftovers?: (turnId: string) => Promise<void>
}

interface MessageOptions {
  taskId?: string
  turnId?: string
  sessionId?: string
  mode?: Message['mode']
  onEvent?: (event: TurnEvent) => void
}

export class LoopProbe {
  readonly store: SessionStore
  readonly claims: ClaimAuthority
  readonly options: StayOptions
  /** Everything that the stay has sent, in order. */
  readonly envelopes: FromAgent[] = []
  /** Settles as runStay does; its claim is released then. */
  readonly ended: Promise<void>
  readonly #calls = new PendingCalls()
  #receive: ((envelope: ToAgent) => void) | undefined
  #ready = Promise.withResolvers<void>()

  constructor(options: LoopOptions = {}) {
    const {
      clock = new SimulatedClock(),
      agentId = 'probed',
      behavior = echoBehavior,
      userModule = false,
    } = options
    this.store = options.store ?? createMemoryStore({ clock })
    this.claims = options.claims ?? createClaimAuthority(1)
    const claim = this.claims.claim(agentId)
    this.options = {
      spec: {
        id: agentId,
        role: '',
        behavior: 'echo',
        instructions: '',
        workingDir: '/',
        restart: DEFAULT_RESTART,
        limits: { memoryMb: 512, turnMs: options.turnMs ?? 600_000 },
      },
      claim,
      ...(options.currentSessionId !== undefined && { currentSessionId: options.currentSessionId }),
      strayActiveIds: options.strayActiveIds ?? [],
      activation: options.activation ?? 0,
      resume: options.resume ?? true,
      store: { fsync: 'always' },
      models: NO_MODELS,
      limits: {
        mailboxMessages: options.mailboxMessages ?? 100,
        mailboxBytes: options.mailboxBytes ?? 1_000_000,
        messageBytes: 1_000_000,
        resultBytes: 1_000_000,
      },
    }
    const port = {
      send: (envelope: FromAgent) => this.#take(envelope),
      onReceive: (handler: (envelope: ToAgent) => void) => (this.#receive = handler),
      flush: () => undefined,
      close: () => undefined,
    }
    this.ended = runStay(this.options, port, {
      store: this.store,
      clock,
      threadId: 1,
      redactor: createRedactor(options.secrets ?? []),
      ...(options.endLeftovers && { endLeftovers: options.endLeftovers }),
      loadBehavior: () => Promise.resolve({ behavior, userModule }),
    }).finally(() => this.claims.release(claim))
    this.ended.catch((error: unknown) => this.#ready.reject(error))
  }

  ready(): Promise<void> {
    return this.#ready.promise
  }

  /** Sends a message; resolves with the outcome of its turn. Calls of one tick are one frame. */
  send(input: string, options: MessageOptions = {}): Promise<Outcome> {
    return this.#message(input, 'finished', options)
  }

  /** Sends a message; resolves when it is accepted. */
  post(input: string, options: MessageOptions = {}): Promise<Outcome> {
    return this.#message(input, 'accepted', options)
  }

  command(command: SessionCommand, cancelTurn = false): Promise<SessionHeader> {
    return this.#call<SessionHeader>({ type: 'command', command, cancelTurn })
  }

  cancel(turnId?: string): Promise<boolean> {
    return this.#call<boolean>({ type: 'cancel', ...(turnId !== undefined && { turnId }) })
  }

  /** What this stay has asked of its team, in order. */
  teamRequests(): Extract<FromAgent, { type: 'team-request' }>[] {
    return this.envelopes.filter((envelope) => envelope.type === 'team-request')
  }

  /** Answers a question, as a person; resolves with the question. */
  answer(approvalId: string, decision: ApprovalDecision): Promise<Approval> {
    return this.#call<Approval>({ type: 'approval', approvalId, decision })
  }

  /** The questions that were asked, in order, answered or not. */
  get asked(): Approval[] {
    return this.envelopes.flatMap((envelope) =>
      envelope.type === 'turn-event' && envelope.event.type === 'approval-asked'
        ? [envelope.event.approval]
        : [],
    )
  }

  /** Whether the turn waits, as the stay has said last. */
  get waiting(): boolean {
    return this.envelopes.findLast((envelope) => envelope.type === 'waiting')?.waiting ?? false
  }

  /** Asks for the thread; true where the stay has said that it is busy. */
  rest(): boolean {
    const before = this.envelopes.length
    this.#deliver({ type: 'rest' })
    return this.envelopes.slice(before).some(({ type }) => type === 'busy')
  }

  /** Envelopes of one frame, as they stand. */
  deliver(...envelopes: ToAgent[]): void {
    for (const envelope of envelopes) this.#deliver(envelope)
  }

  /** Asks the stay to stop; settles with it. */
  async stop(graceMs = 0): Promise<void> {
    this.#deliver({ type: 'stop', graceMs })
    await this.ended
  }

  /** What the store has of a session. */
  async records(sessionId: string): Promise<SessionRecord[]> {
    return Array.fromAsync(this.store.replay(sessionId))
  }

  /** Lets everything that needs no outside event happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) await nextTurn()
  }

  #message(input: string, ack: 'accepted' | 'finished', options: MessageOptions): Promise<Outcome> {
    const { turnId = createId(), sessionId, mode, onEvent } = options
    const message = { turnId, taskId: options.taskId ?? turnId, input, ...(mode && { mode }) }
    return this.#call<Outcome>(
      { type: 'message', message, ack, ...(sessionId !== undefined && { sessionId }) },
      onEvent,
    )
  }

  #call<T>(request: Request, onEvent?: (event: TurnEvent) => void): Promise<T> {
    return new Promise<T>((resolve, reject: (error: AgentryError) => void) => {
      const envelope = this.#calls.add({
        request,
        resolve: (value) => resolve(value as T),
        reject,
        ...(onEvent && { onEvent }),
      })
      this.#deliver(envelope)
    })
  }

  #deliver(envelope: ToAgent): void {
    if (this.#receive === undefined) throw new Error('the stay is not ready: await ready() first')
    this.#receive(envelope)
  }

  #take(envelope: FromAgent): void {
    this.envelopes.push(envelope)
    switch (envelope.type) {
      case 'ready':
        // The handler is set right after this envelope was sent.
        queueMicrotask(() => this.#ready.resolve())
        return
      case 'reply':
        this.#calls.reply(envelope.id, envelope.value)
        return
      case 'failure':
        this.#calls.fail(envelope.id, envelope.error)
        return
      case 'joined':
        this.#calls.join(envelope.id, envelope.turnId)
        return
      case 'following':
        this.#calls.follow(envelope.id, envelope.turnId)
        return
      case 'turn-event':
        this.#calls.turnEvent(envelope.turnId, envelope.event)
        return
      default:
    }
  }
}

/** A stay that is ready. */
export async function startLoop(options: LoopOptions = {}): Promise<LoopProbe> {
  const probe = new LoopProbe(options)
  await probe.ready()
  return probe
}
