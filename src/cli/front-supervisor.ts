/**
 * The supervisor of a dashboard: a keeper process (keep.ts), started here and started again when it dies, for as long as the dashboard
 * wants one.
 *
 * F1  at most one keeper of this front lives; the next one is started after the one before has ended.
 * F2  until a server has served, its first failure is the end: `failed` is called with it, once. Later ones are said and tried again.
 * F3  where another supervisor was quicker to own the directory, at the start or after a loss, that one is joined: `owned` is false from
 *     then on.
 * F4  after stop() or release() nothing is started any more. A keeper that was neither stopped nor released ends with this process.
 */
import { backoffMs, RESTART_BACKOFF } from '../core/backoff.ts'
import type { RemoteTeam } from '../client/remote-team.ts'
import type { Clock } from '../core/clock.ts'
import { pause } from '../core/deadline.ts'
import type { FrontEvents, FrontNotice } from '../dashboard/options.ts'
import { AgentryError, type WireError } from '../errors.ts'
import type { KeeperMessage } from './front-channel.ts'

/** A keeper that runs. */
export interface KeeperProcess {
  /** Resolves when it has ended and everything it said was heard. */
  readonly ended: Promise<void>
  /** Asks it to end in good order. Idempotent. */
  end(): void
  /** Asks it to stay. Resolves when it has agreed, or has ended. */
  release(): Promise<void>
  /** From now on this process may end before it does. */
  abandon(): void
}

export interface FrontSupervisorOptions {
  startKeeper: (hear: (message: KeeperMessage) => void) => KeeperProcess
  /** The team of whoever serves the directory now. Throws `gateway_unreachable`. */
  connect: () => RemoteTeam
  /** F2. Nothing is tried any more; stop() still has to be called. */
  failed: (error: AgentryError) => void
  /** Named where a keeper ended and never said why. */
  logFile: string
  clock: Clock
}

/** A keeper that lived this long had started well: the waits begin anew. */
const WELL_MS = 10_000
/** How long the other one of two that started at once may take until it serves, and how often it is looked for. */
const OTHER_STARTS_MS = 10_000
const LOOK_MS = 100
/** After so many tries the owner of the directory is no server of ours that is ending. */
const STILL_OWNED = 8

export class FrontSupervisor implements FrontEvents {
  readonly #options: FrontSupervisorOptions
  readonly #ending = new AbortController()
  readonly #notices: FrontNotice[] = []
  readonly #listeners = new Set<(notice: FrontNotice) => void>()
  #keeper: KeeperProcess | undefined
  /** What the keeper said last of a server that could not start. */
  #failure: WireError | undefined
  #owned = true
  #hasServed = false
  #isServing = false
  #hasFailed = false
  /** Resolves when somebody serves; a new one after each loss. */
  #serving = Promise.withResolvers<void>()
  #released: Promise<void> | undefined
  readonly #done: Promise<void>

  /** Starts it. */
  constructor(options: FrontSupervisorOptions) {
    this.#options = options
    this.#done = this.#keep()
  }

  get owned(): boolean {
    return this.#owned
  }

  /** Resolves once release() holds, whatever happens to this process. At once where it was not called. */
  async released(): Promise<void> {
    await this.#released
  }

  /** The team, as soon as somebody serves it. Throws `gateway_unreachable`, and `cancelled` when `signal` aborts. */
  async connect(signal: AbortSignal): Promise<RemoteTeam> {
    if (!(await settled(this.#serving.promise, signal))) {
      throw new AgentryError('cancelled', 'the connection was given up')
    }
    return this.#options.connect()
  }

  onNotice(listener: (notice: FrontNotice) => void): () => void {
    for (const notice of this.#notices) listener(notice)
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#ending.abort()
    if (this.#released !== undefined) return
    this.#keeper?.end()
    if (!(await settled(this.#done, signal))) this.#keeper?.abandon()
  }

  release(): void {
    if (this.#ending.signal.aborted || this.#hasFailed) return
    this.#ending.abort()
    // While one was waited for, there is none to stay.
    if (this.#owned) this.#keeper ??= this.#start()
    this.#released = this.#keeper?.release() ?? Promise.resolve()
  }

  async #keep(): Promise<void> {
    let brief = 0
    while (!this.#ending.signal.aborted) {
      const startedMs = this.#options.clock.monotonicMs()
      const keeper = this.#start()
      await keeper.ended
      this.#keeper = undefined
      this.#lost()
      if (this.#ending.signal.aborted || this.#hasFailed) return
      const failure = this.#failure
      if (!this.#hasServed) {
        if (failure?.code === 'directory_owned' && (await this.#joinOther())) return
        return this.#fail(failure)
      }
      brief = this.#options.clock.monotonicMs() - startedMs < WELL_MS ? brief + 1 : 0
      // The server of the keeper that died is still ending: expected, and soon over. Where it is not, it is no server of ours.
      if (failure?.code === 'directory_owned' && brief >= STILL_OWNED && (await this.#joinOther())) return
      if (failure?.code !== 'directory_owned' || brief === STILL_OWNED) {
        this.#say('error', `the supervisor ended${reasonOf(failure)} and is started again`)
      }
      if (brief > 1) await this.#wait(backoffMs(RESTART_BACKOFF, brief - 1, Math.random))
    }
  }

  #start(): KeeperProcess {
    this.#failure = undefined
    const keeper = this.#options.startKeeper((message) => this.#hear(message))
    this.#keeper = keeper
    return keeper
  }

  #hear(message: KeeperMessage): void {
    switch (message.type) {
      case 'serving':
        if (this.#hasServed) this.#say('info', `the supervisor is back at ${message.url}`)
        this.#hasServed = true
        this.#served()
        return
      case 'restarting':
        this.#lost()
        if (this.#hasServed) this.#say('error', message.reason)
        return
      case 'failed':
        this.#failure = message.error
        // The keeper may try again what cannot get better (F2), or while another one has the directory (F3).
        if (!this.#hasServed) this.#keeper?.end()
        return
      case 'released':
        return
    }
  }

  /** F3. False where the other one does not serve in time. */
  async #joinOther(): Promise<boolean> {
    const { clock, connect } = this.#options
    const untilMs = clock.monotonicMs() + OTHER_STARTS_MS
    while (!this.#ending.signal.aborted) {
      try {
        await connect().close()
        this.#owned = false
        this.#say('info', 'another supervisor serves the directory: joined it')
        this.#served()
        return true
      } catch {
        // Not there yet, or its files are just being written.
        if (clock.monotonicMs() >= untilMs) return false
        await this.#wait(LOOK_MS)
      }
    }
    return true
  }

  #fail(failure: WireError | undefined): void {
    this.#hasFailed = true
    const { logFile } = this.#options
    this.#options.failed(
      failure === undefined
        ? new AgentryError(
            'gateway_unreachable',
            `the supervisor ended before it could serve: see ${logFile}`,
          )
        : new AgentryError(
            failure.code,
            failure.message,
            failure.data === undefined ? {} : { data: failure.data },
          ),
    )
  }

  #served(): void {
    this.#isServing = true
    this.#serving.resolve()
  }

  #lost(): void {
    if (!this.#isServing) return
    this.#isServing = false
    this.#serving = Promise.withResolvers()
  }

  #say(kind: FrontNotice['kind'], text: string): void {
    const notice = { kind, text }
    this.#notices.push(notice)
    for (const listener of this.#listeners) listener(notice)
  }

  async #wait(delayMs: number): Promise<void> {
    await pause(this.#options.clock, delayMs, this.#ending.signal)
  }
}

function reasonOf(failure: WireError | undefined): string {
  return failure === undefined ? '' : ` (${failure.message})`
}

/** True when `promise` has resolved, false when `signal` aborted before. */
async function settled(promise: Promise<void>, signal: AbortSignal): Promise<boolean> {
  const aborted = Promise.withResolvers<false>()
  const onAbort = (): void => aborted.resolve(false)
  if (signal.aborted) return false
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([promise.then(() => true), aborted.promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
