/**
 * Agents on threads of their own: one task of the pool is one agent's whole stay. Invariants H1 to H4 of agent-host.ts, and:
 *
 * P1  Nothing waits in the pool for a thread to become free: there are as many threads as stays and reads at once, and more are
 *     refused. What waits, waits for a thread of its own that is starting.
 * P2  A thread takes a new task only when it is idle in the pool; a thread that is not to be used again keeps its task until it is
 *     terminated (thread-stay.ts).
 * P3  A start needs nothing of libuv's threads, which blocked reads of another agent can hold for ever: Piscina takes the entry by
 *     require(), and that reads synchronously as long as nothing in it has a top-level await.
 *
 * Measured (Node 26, two cores): from start() to `ready` 0.13 ms on a warm thread and 50 ms on a cold one, of which 20 for a bare
 * worker; from `stop` to `exited` 0.07 ms; a ping to an agent and its pong 20 us, where two bare ports take 17.
 */
import { Piscina, type PiscinaTask, queueOptionsSymbol } from 'piscina'
import type { SessionState } from '../core/session-state.ts'
import { AgentryError } from '../errors.ts'
import type { FromAgent } from '../protocol/from-agent.ts'
import { createFrameLine } from '../protocol/port.ts'
import type { FromThread, ReadResult, ReadTask, StayTask, ThreadError } from '../protocol/thread-task.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import type { AgentHost, Stay, StayOptions, StoreOptions } from './agent-host.ts'
import { Limiter } from './limiter.ts'
import { ThreadStay } from './thread-stay.ts'

const READS_AT_ONCE = 2
const MAX_HEAP_MB = 4_096

const AGENT_ENTRY = new URL(
  `../../workers/agent${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`,
  import.meta.url,
)

export interface ThreadHostOptions {
  /** Stays at once. */
  capacity: number
  /** How long a thread without work waits for some before it is ended, in ms. Default 30,000. */
  idleMs?: number
  /** The module that threads run. Default: workers/agent. */
  entry?: URL
  /** Takes the secrets of a stay out of an error that escaped in its thread. Default: none are known. */
  redactError?(this: void, stay: StayOptions, error: ThreadError): ThreadError
}

type LoadBalancer = NonNullable<NonNullable<ConstructorParameters<typeof Piscina>[0]>['loadBalancer']>
type PoolThread = Parameters<LoadBalancer>[1][number]
/** The stay rides on the task where the pool's balancer sees it; structured clone leaves it behind. */
type PoolTask = { [queueOptionsSymbol]: ThreadStay }

export class ThreadHost implements AgentHost {
  readonly capacity: number
  /** A stay's task returns nothing. */
  readonly #pool: Piscina<StayTask | ReadTask, ReadResult>
  readonly #stays = new Set<ThreadStay>()
  readonly #reads = new Limiter(READS_AT_ONCE)
  readonly #redactError: NonNullable<ThreadHostOptions['redactError']>
  #closed: Promise<void> | undefined

  constructor({
    capacity,
    idleMs = 30_000,
    entry = AGENT_ENTRY,
    redactError = (_stay, error) => error,
  }: ThreadHostOptions) {
    this.capacity = capacity
    this.#redactError = redactError
    this.#pool = new Piscina({
      filename: entry.href,
      minThreads: 0,
      maxThreads: capacity + READS_AT_ONCE,
      idleTimeout: idleMs,
      // By default an idle thread sleeps in Atomics.wait with its event loop stopped, and what a stay has left there (a late
      // rejection, a port that is closing) comes up in the next agent's stay. A warm start is as fast without.
      atomics: 'disabled',
      recordTiming: false,
      // V8 aborts the whole process when one allocation does not fit under its limit, so the limit only has to be out of reach:
      // the supervisor ends a thread that uses more memory than its agent may.
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
      loadBalancer: (task, threads) => this.#choose(task, threads),
    })
    this.#pool.on('error', (error: unknown) => this.#failWaiting(error))
  }

  start(options: StayOptions, receive: (envelope: FromAgent) => void): Stay {
    if (this.#closed) throw new AgentryError('team_closed', 'no agent can be started: its host is closed')
    if (this.#stays.size >= this.capacity) {
      throw new AgentryError('no_thread', `all ${this.capacity} threads are busy`)
    }
    const { near, far } = createFrameLine<ToAgent, FromThread>()
    const stay = new ThreadStay(near, receive, (error) => this.#redactError(options, error))
    this.#stays.add(stay)
    void stay.exited.then(() => this.#stays.delete(stay))
    const task: StayTask & PoolTask = { options, port: far, [queueOptionsSymbol]: stay }
    // @ts-expect-error -- the pool wants an array, but takes its type from the other overload of postMessage
    void stay.follow(this.#pool.run(task, { transferList: [far], signal: stay.signal }))
    return stay
  }

  async read(store: StoreOptions, sessionId: string): Promise<SessionState> {
    const task: ReadTask = { store, sessionId }
    const result = await this.#reads.run(async () => {
      if (this.#closed) throw noRead()
      try {
        return await this.#pool.run(task, { name: 'readSession' })
      } catch (error) {
        // The pool ended the thread under it.
        throw this.#closed ? noRead() : error
      }
    })
    if ('error' in result) throw AgentryError.from(result.error)
    return result.state
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    for (const stay of this.#stays) stay.terminate('the host was closed')
    await Promise.all([...this.#stays].map((stay) => stay.exited))
    await this.#pool.destroy()
  }

  /** P2. The last of the idle threads is one that is up, where there is one; those that are starting come first. */
  #choose(task: PiscinaTask, threads: PoolThread[]): PoolThread | null {
    const chosen = threads.findLast((thread) => thread.currentUsage === 0)
    const worker = chosen && this.#pool.threads.find(({ threadId }) => threadId === chosen.id)
    if (chosen === undefined || worker === undefined) return null
    const stay = task[queueOptionsSymbol]
    if (stay instanceof ThreadStay) stay.attach(worker)
    return chosen
  }

  /**
   * A thread without a task ended by an error: most likely it could not start, and a stay waits for it. The pool does not tell
   * which, so all that wait for a thread fail, and their restart policies try again: better than to wait for ever.
   */
  #failWaiting(error: unknown): void {
    for (const stay of this.#stays) if (!stay.hasThread) stay.fail(error)
  }
}

function noRead(): AgentryError {
  return new AgentryError('team_closed', 'no session can be read: the host is closed')
}
