/**
 * An MCP server as a process of ours: one JSON message a line, over its standard input and output.
 *
 * Invariants:
 * T1  the server has a session and process group of its own, registered with the reaper before it runs: it does not outlive its
 *     thread, however that ends.
 * T2  once the server has ended or was closed nothing of its group is left, nor a process that left the group and kept the
 *     environment.
 * T3  memory is bounded, whatever the server writes, and whatever it does not read.
 * T4  `onclose` is called once, after `endedBecause` was set.
 */
import type { ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import {
  type JSONRPCMessage,
  ReadBuffer,
  serializeMessage,
  type Transport,
} from '@modelcontextprotocol/client'
import type { Clock } from '../../core/clock.ts'
import { createId } from '../../core/ids.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import { TURN_MARKER } from '../processes/command-environment.ts'
import { killLeftovers } from '../processes/leftover-processes.ts'
import { endGroup, signalProcesses } from '../processes/process-group.ts'
import type { Reaper } from '../processes/reaper.ts'
import { InboundLimits, MAX_MESSAGE_BYTES, MessageBytes } from './inbound-limits.ts'
import { StderrTail } from './stderr-tail.ts'

/** $1 and on: the server. File descriptor 3: the reaper's input. Exits 125 where the registration fails. */
const LAUNCHER = `trap '' PIPE
printf '+%s:\\n' "$$" >&3 || exit 125
trap - PIPE
exec 3>&-
exec "$@"`

/** The most bytes that wait for a server to read them. */
const MAX_UNREAD_BYTES = 16 * 1024 * 1024
/** How long the output may stay open after the server has ended. */
const DRAIN_MS = 200

export interface StdioOptions {
  command: string
  args: readonly string[]
  workingDir: string
  environment: ReadonlyMap<string, string>
  reaper: Reaper
  clock: Clock
  /** How long a server may take to end once its input is closed, and again after SIGTERM. Default 1,000. */
  graceMs?: number
}

type ServerProcess = ChildProcessByStdio<Writable, Readable, Readable>

/** The message has not left this process. */
export class NotSentError extends Error {}

export class StdioTransport implements Transport {
  onclose?: () => void
  onerror?: (error: Error) => void
  onmessage?: (message: JSONRPCMessage) => void
  /** Why the server ended; undefined while it runs, and where it was closed. */
  endedBecause: string | undefined

  readonly #options: StdioOptions
  readonly #graceMs: number
  /** Found in the environment of whatever the server started. */
  readonly #marker = `mcp-${createId()}`
  readonly #buffer = new ReadBuffer({ maxBufferSize: MAX_MESSAGE_BYTES })
  readonly #limits: InboundLimits
  readonly #bytes = new MessageBytes()
  readonly #stderr = new StderrTail()
  #starting: Promise<void> = Promise.resolve()
  #child: ServerProcess | undefined
  #exited: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  constructor(options: StdioOptions) {
    this.#options = options
    this.#graceMs = options.graceMs ?? 1_000
    this.#limits = new InboundLimits(options.clock)
  }

  /** Rejects with `tool_failed` where no process can be started. That a program is not there shows at its end only. */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const { command, args, workingDir, environment, reaper } = this.#options
    try {
      const { spawn } = process.getBuiltinModule('node:child_process')
      const child = spawn('/bin/sh', ['-c', LAUNCHER, 'agentry', command, ...args], {
        cwd: workingDir,
        env: Object.fromEntries([...environment, ['PWD', workingDir], [TURN_MARKER, this.#marker]]),
        detached: true,
        stdio: ['pipe', 'pipe', 'pipe', reaper.registration()],
      })
      await once(child, 'spawn')
      const { pid, stdin, stdout, stderr } = child
      if (pid === undefined || stdin === null || stdout === null || stderr === null) {
        throw new Error('the process has no id or no streams')
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its streams were just seen to be there
      this.#attach(child as unknown as ServerProcess, pid)
    } catch (error) {
      throw new AgentryError(
        'tool_failed',
        `${command} in ${workingDir} cannot be run: ${describeThrown(error)}`,
        {
          cause: error,
        },
      )
    }
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const stdin = this.#child?.stdin
    if (stdin === undefined || this.#closing !== undefined)
      throw new NotSentError('the server is not running')
    if (stdin.writableLength > MAX_UNREAD_BYTES) {
      throw this.#fail(`it left more than ${MAX_UNREAD_BYTES} bytes of its input unread`)
    }
    const { promise, resolve } = Promise.withResolvers<unknown>()
    stdin.write(serializeMessage(message), (error) => resolve(error))
    if ((await promise) instanceof Error) {
      // The exit of a server that has ended tells more than the broken pipe that comes before it.
      await this.#within(this.#graceMs, this.#exited)
      throw this.#fail('it closed its input')
    }
  }

  /** Ends the server, politely first: closes its input, then SIGTERM, then SIGKILL. Resolves when nothing of it is left. */
  close(): Promise<void> {
    this.#closing ??= this.#end(undefined)
    return this.#closing
  }

  /** The end of what the server wrote to its standard error, in one line; may be empty. */
  lastWords(): string {
    return this.#stderr.text()
  }

  #attach(child: ServerProcess, pgid: number): void {
    this.#child = child
    this.#options.reaper.hold(pgid, '')
    // A write to a server that has just ended: its end, which follows, is what counts.
    child.stdin.on('error', () => {})
    child.stdout.on('error', () => {})
    child.stderr.on('error', () => {})
    child.stderr.on('data', (chunk: Buffer) => this.#stderr.write(chunk))
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk))
    this.#exited = once(child, 'exit').then(([code, signal]: (string | number | null)[]) => {
      const how = signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`
      this.#closing ??= this.#end(code === 125 ? 'the process that guards it was gone' : how)
    })
  }

  #read(chunk: Buffer): void {
    if (this.#closing !== undefined) return
    try {
      this.#bytes.take(chunk.length)
      this.#buffer.append(chunk)
      let others = newlinesIn(chunk)
      for (let message = this.#next(); message !== undefined; message = this.#next()) {
        others -= 1
        this.#bytes.reset()
        this.#limits.takeMessage(message)
        this.onmessage?.(message)
      }
      this.#limits.takeUnsolicited(others)
    } catch (error) {
      this.#fail(describeThrown(error))
    }
  }

  /** Passes over lines that are no messages of MCP: many a server prints a greeting. */
  #next(): JSONRPCMessage | undefined {
    for (;;) {
      try {
        return this.#buffer.readMessage() ?? undefined
      } catch {
        this.onerror?.(new Error('a line that is JSON, but no message of MCP'))
      }
    }
  }

  #fail(why: string): Error {
    this.#closing ??= this.#end(why)
    return new AgentryError('tool_failed', why)
  }

  /** Never rejects: whoever calls it may have nobody to tell (T4). */
  async #end(why: string | undefined): Promise<void> {
    try {
      // A process that is being started would be left behind.
      await this.#starting.catch(() => {})
      if (this.#child?.pid !== undefined) await this.#endProcess(this.#child, this.#child.pid)
    } catch (error) {
      this.onerror?.(toError(error))
    } finally {
      this.#buffer.clear()
      this.endedBecause = why
      this.onclose?.()
    }
  }

  async #endProcess(child: ServerProcess, pgid: number): Promise<void> {
    const { clock, reaper } = this.#options
    const graceMs = this.#graceMs
    try {
      child.stdin.end()
      await this.#within(graceMs, this.#exited)
      await endGroup(pgid, clock, graceMs)
    } finally {
      // Also where its end could not be watched (no file descriptor is left to read /proc with).
      signalProcesses(-pgid, 'SIGKILL')
      await this.#within(graceMs, this.#exited)
      await killLeftovers(this.#marker, { clock }).catch((error: unknown) => this.onerror?.(toError(error)))
      await this.#within(DRAIN_MS, child.stderr.closed ? undefined : once(child.stderr, 'close'))
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy()
      reaper.release(pgid)
    }
  }

  async #within(ms: number, what: Promise<unknown> | undefined): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#options.clock.setTimer(ms, resolve)
    await Promise.race([what, promise])
    timer.cancel()
  }
}

function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(describeThrown(thrown))
}

function newlinesIn(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) count += 1
  return count
}
