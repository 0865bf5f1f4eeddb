/**
 * One MCP server of an agent: started when it is needed, started again when it has died, left alone for a while when it
 * cannot start.
 *
 * Invariants:
 * M1  there is at most one connection, or one start, at a time, and nothing is left of the one before.
 * M2  a call is sent at most once. Where its answer is lost, its outcome is called unknown.
 * M3  a server that has failed is tried again at its next use and after a pause that grows with each failure; nothing starts
 *     by itself. One that ran for a minute has no failures behind it.
 * M4  after close() nothing starts, and nothing of the server is left.
 */
import { type Backoff, backoffMs } from '../../core/backoff.ts'
import type { Clock } from '../../core/clock.ts'
import { setDeadline, untilAborted } from '../../core/deadline.ts'
import type { JsonObject } from '../../core/json.ts'
import type { ToolResult } from '../../behavior.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import type { McpServerSpec } from '../../llm-spec.ts'
import type { Reaper } from '../processes/reaper.ts'
import type { CallEnd, Connection } from './connection.ts'
import { shortened } from '../../core/shortened.ts'
import type { ServerTool } from './tool-list.ts'

/** The first death after a good while is followed by a start at once; what fails again waits. */
const BACKOFF: Backoff = { firstMs: 1_000, maxMs: 300_000, jitter: 0.2 }
const STABLE_MS = 60_000
/** Of what a server says: it may be megabytes. */
const MAX_REASON = 16_384

export interface McpServerOptions {
  workingDir: string
  environment: NodeJS.ProcessEnv
  clock: Clock
  reaper: Reaper
  /** How long a call may take. */
  callMs: number
  /** A number in [0, 1). */
  random: () => number
  /** From the end of its input to SIGTERM, and from that to SIGKILL. */
  graceMs?: number
  /** What went wrong, in a sentence that names the server; bounded, yet longer than anybody wants to read. */
  onNote: (message: string) => void
}

export interface McpCall {
  signal: AbortSignal
  emit: (text: string) => void
}

interface Running {
  connection: Connection
  tools: ServerTool[]
  sinceMs: number
  /** The server said that its tools are others now. */
  stale: boolean
}

export class McpServer {
  readonly name: string
  readonly #spec: McpServerSpec
  readonly #options: McpServerOptions
  #running: Running | undefined
  #starting: Promise<Running | undefined> | undefined
  #failure: string | undefined
  #failures = 0
  #retryAtMs = Number.NEGATIVE_INFINITY
  /** Connections that were given up and are not gone yet. */
  #leaving: Promise<unknown> = Promise.resolve()
  readonly #closed = new AbortController()

  constructor(name: string, spec: McpServerSpec, options: McpServerOptions) {
    this.name = name
    this.#spec = spec
    this.#options = options
  }

  /** Why the server is not there; undefined where it is, or was never needed. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** The tools that the server has now; none where it cannot be started, see `failure`. Rejects with the signal's reason only. */
  async tools(signal: AbortSignal): Promise<ServerTool[]> {
    const running = await untilAborted(this.#ensureRunning(), signal)
    if (running?.stale === true) await untilAborted(this.#readAgain(running), signal)
    return running?.tools ?? []
  }

  /**
   * Rejects with the reason of the call's signal, or `tool_failed`: the message says whether the server may have done what it
   * was asked for.
   */
  async call(tool: string, input: JsonObject, { signal, emit }: McpCall): Promise<ToolResult> {
    signal.throwIfAborted()
    const running = await untilAborted(this.#ensureRunning(), signal)
    if (running === undefined) {
      throw failed(`the MCP server ${this.name} is not running: ${this.#failure ?? 'it was closed'}`)
    }
    const { clock, callMs } = this.#options
    const limit = new AbortController()
    const deadline = setDeadline(clock, callMs, () => limit.abort(new Error(`no answer within ${callMs} ms`)))
    let end: CallEnd
    try {
      end = await running.connection.call(tool, input, {
        signal: AbortSignal.any([signal, limit.signal]),
        onProgress: emit,
      })
    } finally {
      deadline.cancel()
    }
    if (end.kind === 'answered') return end.result
    if (end.lost) this.#drop(running, end.why)
    signal.throwIfAborted()
    if (limit.signal.aborted) {
      throw unknown(
        `the MCP server ${this.name} gave no answer within ${callMs} ms; the call was cancelled, ${MAYBE_DONE}`,
      )
    }
    if (end.kind === 'refused') throw failed(`the MCP server ${this.name} refused the call: ${end.why}`)
    throw unknown(`the MCP server ${this.name} was lost during the call, ${MAYBE_DONE}: ${end.why}`)
  }

  /** Resolves when nothing of the server is left. Idempotent; calls under way reject. */
  async close(): Promise<void> {
    this.#closed.abort(new Error('the agent leaves'))
    await this.#starting
    await this.#running?.connection.close()
    this.#running = undefined
    await this.#leaving
  }

  async #ensureRunning(): Promise<Running | undefined> {
    if (this.#running !== undefined) return this.#running
    if (this.#starting !== undefined) return this.#starting
    if (this.#closed.signal.aborted || this.#options.clock.monotonicMs() < this.#retryAtMs) return undefined
    this.#starting = this.#start()
    try {
      return await this.#starting
    } finally {
      this.#starting = undefined
    }
  }

  /** Never rejects. */
  async #start(): Promise<Running | undefined> {
    const { clock } = this.#options
    let connection: Connection | undefined
    let running: Running | undefined
    let endedEarly: string | undefined
    let stale = false
    try {
      await this.#leaving
      // Loaded with the first start: most agents have no server, and each would pay for the SDK.
      const { connect } = await import('./connection.ts')
      return await this.#withDeadline('start', async (signal) => {
        connection = await connect(
          this.#spec,
          {
            ...this.#options,
            onToolsChanged: () => {
              stale = true
              if (running !== undefined) running.stale = true
            },
            onEnd: (why) => {
              endedEarly = why
              if (running !== undefined) this.#onEnd(running, why)
            },
          },
          signal,
        )
        stale = false
        const { tools, leftOut } = await connection.list(signal)
        if (endedEarly !== undefined) throw new Error(endedEarly)
        running = { connection, tools, sinceMs: clock.monotonicMs(), stale }
        this.#running = running
        this.#failure = undefined
        this.#noteLeftOut(leftOut)
        return running
      })
    } catch (error) {
      const why = endedEarly ?? describeThrown(error)
      await connection?.close()
      this.#fail(why, 'could not be started', 0)
      return undefined
    }
  }

  /** Keeps the tools that were known where the list cannot be read: a call tells what is wrong. */
  async #readAgain(running: Running): Promise<void> {
    running.stale = false
    try {
      const { tools, leftOut } = await this.#withDeadline('list its tools', (signal) =>
        running.connection.list(signal),
      )
      running.tools = tools
      this.#noteLeftOut(leftOut)
    } catch (error) {
      running.stale = true
      this.#options.onNote(
        `the MCP server ${this.name} changed its tools and did not list them: ${shortened(describeThrown(error), MAX_REASON)}`,
      )
    }
  }

  async #withDeadline<T>(what: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { startMs } = this.#spec
    const late = new AbortController()
    const error = new Error(`it did not ${what} within ${startMs} ms`)
    const deadline = setDeadline(this.#options.clock, startMs, () => late.abort(error))
    const signal = AbortSignal.any([late.signal, this.#closed.signal])
    try {
      return await work(signal)
    } catch (thrown) {
      if (this.#closed.signal.aborted || !late.signal.aborted) throw thrown
      // With what the server said last, where the connection could tell it.
      throw describeThrown(thrown).includes(error.message) ? thrown : error
    } finally {
      deadline.cancel()
    }
  }

  #drop(running: Running, why: string): void {
    this.#onEnd(running, why)
    this.#leaving = Promise.all([this.#leaving, running.connection.close()])
  }

  #onEnd(running: Running, why: string): void {
    if (this.#running !== running) return
    this.#running = undefined
    const upMs = this.#options.clock.monotonicMs() - running.sinceMs
    if (upMs >= STABLE_MS) this.#failures = 0
    this.#fail(why, 'ended', 1)
  }

  /** `free`: how many failures are followed by a start without a pause. */
  #fail(cause: string, what: string, free: number): void {
    const { clock, random, onNote } = this.#options
    if (this.#closed.signal.aborted) return
    const why = shortened(cause, MAX_REASON)
    this.#failure = why
    this.#failures += 1
    const attempt = this.#failures - free
    this.#retryAtMs = clock.monotonicMs() + (attempt < 1 ? 0 : backoffMs(BACKOFF, attempt, random))
    onNote(`the MCP server ${this.name} ${what}: ${why}`)
  }

  #noteLeftOut(leftOut: readonly string[]): void {
    if (leftOut.length === 0) return
    const shown = leftOut.slice(0, 10).join('; ')
    this.#options.onNote(`of the MCP server ${this.name} ${leftOut.length} tools are left out: ${shown}`)
  }
}

const MAYBE_DONE = 'its outcome is unknown: the server may have done it, or not'

function unknown(message: string): AgentryError {
  return new AgentryError('outcome_unknown', message)
}

function failed(message: string): AgentryError {
  return new AgentryError('tool_failed', message)
}
