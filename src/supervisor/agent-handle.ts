/** The Agent of the public API: checks what callers give, and asks the supervisor. Holds no state of the agent. */
import type { Agent, AgentInfo, CommandOptions, SendOptions, SessionFilter, SessionInfo } from '../api.ts'
import { assertJson, assertText } from '../core/json.ts'
import { assertSessionId, assertTaskId } from '../core/ids.ts'
import { messageBytes } from '../core/record.ts'
import { AgentryError } from '../errors.ts'
import { parseImportedSession } from '../imported-session.ts'
import type {
  CommandName,
  CreateSessionInput,
  ImportedSession,
  SessionCommand,
  SessionPatch,
} from '../protocol/commands.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import { assertCreateInput, assertSessionPatch } from '../protocol/session-input.ts'
import { type Catalog, infoOf } from '../store/catalog.ts'
import type { Supervisor } from './supervisor.ts'
import { streamTurn } from './turn-stream.ts'

/** How long a running turn may go on when its agent is stopped, unless the caller says otherwise. */
export const DEFAULT_GRACE_MS = 10_000

/** Characters of `from`: a name, not a text. */
const MAX_FROM = 200

export class AgentHandle implements Agent {
  readonly id: string
  readonly #supervisor: Supervisor
  readonly #catalog: Catalog
  readonly #messageBytes: number

  constructor(id: string, supervisor: Supervisor, catalog: Catalog, messageBytes: number) {
    this.id = id
    this.#supervisor = supervisor
    this.#catalog = catalog
    this.#messageBytes = messageBytes
  }

  info(): AgentInfo {
    return this.#supervisor.info(this.id)
  }

  async send(input: string, options: SendOptions = {}): Promise<Outcome> {
    this.#assertMessage(input, options)
    return this.#supervisor.send(this.id, { input, ack: 'finished', options })
  }

  async post(input: string, options: SendOptions = {}): Promise<Outcome> {
    this.#assertMessage(input, options)
    return this.#supervisor.send(this.id, { input, ack: 'accepted', options })
  }

  async *stream(input: string, options: SendOptions = {}): AsyncGenerator<TurnEvent, void, undefined> {
    this.#assertMessage(input, options)
    yield* streamTurn((onEvent) =>
      this.#supervisor.send(this.id, { input, ack: 'finished', options, onEvent }),
    )
  }

  async cancel(turnId?: string): Promise<boolean> {
    if (turnId !== undefined) assertSessionId(turnId)
    return this.#supervisor.cancel(this.id, turnId)
  }

  async createSession(input: CreateSessionInput): Promise<SessionInfo> {
    assertCreateInput(input)
    return this.#command({ name: 'create', input })
  }

  async loadSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo> {
    assertSessionId(sessionId)
    return this.#command({ name: 'load', sessionId }, options)
  }

  async resumeSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo> {
    assertSessionId(sessionId)
    return this.#command({ name: 'resume', sessionId }, options)
  }

  async saveSession(sessionId?: string): Promise<SessionInfo> {
    return this.#command({ name: 'save', ...optionalId(sessionId) })
  }

  async suspendSession(sessionId?: string, options?: CommandOptions): Promise<SessionInfo> {
    return this.#command({ name: 'suspend', ...optionalId(sessionId) }, options)
  }

  async terminateSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo> {
    assertSessionId(sessionId)
    return this.#command({ name: 'terminate', sessionId }, options)
  }

  async updateSession(sessionId: string, patch: SessionPatch): Promise<SessionInfo> {
    assertSessionId(sessionId)
    assertSessionPatch(patch)
    return this.#command({ name: 'update', sessionId, patch })
  }

  async forkSession(sessionId: string, name?: string): Promise<SessionInfo> {
    assertSessionId(sessionId)
    return this.#command({ name: 'fork', sessionId, ...(name !== undefined && { newName: name }) })
  }

  async importSession(session: ImportedSession): Promise<SessionInfo> {
    return this.#command({ name: 'import', session: parseImportedSession(session) })
  }

  async deleteSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo> {
    assertSessionId(sessionId)
    return this.#command({ name: 'trash', sessionId }, options)
  }

  async restoreSession(sessionId: string): Promise<SessionInfo> {
    assertSessionId(sessionId)
    return this.#command({ name: 'restore', sessionId })
  }

  currentSession(): SessionInfo | undefined {
    return this.#catalog.currentOf(this.id)
  }

  sessions(filter: Omit<SessionFilter, 'agentId'> = {}): SessionInfo[] {
    return this.#catalog.list({ ...filter, agentId: this.id })
  }

  async stop(options: { graceMs?: number } = {}): Promise<void> {
    await this.#supervisor.stop(this.id, options.graceMs ?? DEFAULT_GRACE_MS)
  }

  async start(): Promise<void> {
    await this.#supervisor.start(this.id)
  }

  async restart(options: { graceMs?: number } = {}): Promise<void> {
    await this.stop(options)
    await this.start()
  }

  /** The session as the catalog has it after the command: a command's report comes before its answer. */
  async #command(
    command: Exclude<SessionCommand, { name: 'purge' }>,
    options: CommandOptions = {},
  ): Promise<SessionInfo> {
    const header = await this.#supervisor.command<Exclude<CommandName, 'purge'>>(
      this.id,
      command,
      options.cancel,
    )
    return this.#catalog.get(header.id) ?? infoOf(header, { current: false, diskBytes: header.journalOffset })
  }

  #assertMessage(input: string, options: SendOptions): void {
    const { taskId, sessionId, from, metadata } = options
    assertTextOf('input', input)
    if (taskId !== undefined) assertTaskId(taskId)
    if (sessionId !== undefined) assertSessionId(sessionId)
    if (from !== undefined) {
      assertTextOf('from', from)
      if (from.length > MAX_FROM) {
        throw invalid('from', `at most ${MAX_FROM} characters`, `${from.length} characters`)
      }
    }
    if (metadata !== undefined) {
      assertJson(metadata, 'metadata')
      if (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)) {
        throw invalid('metadata', 'an object', Array.isArray(metadata) ? 'a list' : String(metadata))
      }
    }
    const bytes = messageBytes({ input, ...(from !== undefined && { from }), ...(metadata && { metadata }) })
    if (bytes <= this.#messageBytes) return
    const message = `expected a message (with \`from\` and metadata) of at most ${this.#messageBytes} bytes, received ${bytes}`
    throw new AgentryError('message_too_large', message, {
      data: { limit: this.#messageBytes, received: bytes },
    })
  }
}

function assertTextOf(path: string, value: string): void {
  if (typeof value !== 'string') throw invalid(path, 'text', typeof value)
  assertText(value, path)
}

function invalid(path: string, expected: string, received: string): AgentryError {
  return new AgentryError('invalid_input', `${path}: expected ${expected}, received ${received}`)
}

function optionalId(sessionId: string | undefined): { sessionId?: string } {
  if (sessionId === undefined) return {}
  assertSessionId(sessionId)
  return { sessionId }
}
