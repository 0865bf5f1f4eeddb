/**
 * The sessions of one agent as its thread sees them: which one is current, and the commands on all of them.
 *
 * Q1  At most one session is current. Making one current is durable before the one before is suspended; a crash between the
 *     two leaves two active sessions, of which the one with the higher `activation` is current.
 * Q2  A command on a session that is not current opens it, does its work durably and closes it again.
 * Q3  Another agent's session is not found.
 * Q4  Of a session that is opened, the header is reported before any record of it: who follows the records may not know it yet.
 *
 * A little past 400 lines, because all commands share how a session is opened, changed, brought to rest and announced; how new ones
 * begin is in new-session.ts.
 */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { AgentSpec } from '../agent-spec.ts'
import type { Clock } from '../core/clock.ts'
import { headerOf } from '../core/fold.ts'
import { createId } from '../core/ids.ts'
import type { SessionRecord } from '../core/record.ts'
import type { SessionHeader, SessionState } from '../core/session-state.ts'
import { recoverTurn } from '../core/turn.ts'
import { AgentryError, assertNever, describeThrown } from '../errors.ts'
import type {
  CreateSessionInput,
  ImportedSession,
  SessionCommand,
  SessionPatch,
} from '../protocol/commands.ts'
import { assertSessionPatch } from '../protocol/session-input.ts'
import type { Claim, SessionNote, SessionStore } from '../store/session-store.ts'
import { forkOf, importOf, type NewSession, newSessionOf } from './new-session.ts'
import { Session, type SessionOptions } from './session.ts'

export interface SessionSetOptions {
  spec: AgentSpec
  claim: Claim
  store: SessionStore
  clock: Clock
  activation: number
  onDurable(session: Session, records: SessionRecord[]): void
  onSaved(session: Session, snapshotBytes: number): void
  /** A write of the session failed: it has to be opened again. */
  onBroken(session: Session, error: AgentryError): void
  onNote(note: SessionNote): void
  /** Ends what the commands of a turn left behind. Never rejects: what could not be ended is noted, and its error returned. */
  endLeftovers(session: Session, turnId: string): Promise<AgentryError | undefined>
  /** A session was opened (before any record is added to it), or changed by a command. */
  onSession(header: SessionHeader, gone: boolean): void
}

export class SessionSet {
  readonly #options: SessionSetOptions & SessionOptions
  #activation: number
  #current: Session | undefined
  /** Why the session that should be current cannot be opened. */
  #lost: AgentryError | undefined

  constructor(options: SessionSetOptions) {
    this.#options = {
      ...options,
      onFailed: (session, what, error) => {
        const note = failureNote(session.id, what, error)
        if (note) options.onNote(note)
        if (what === 'append') options.onBroken(session, error)
      },
    }
    this.#activation = options.activation
  }

  get current(): Session | undefined {
    return this.#current
  }

  /** Takes up the session that was current before. Not an access: lastAccessedAt stays. */
  async open(sessionId: string): Promise<Session> {
    this.#current = await this.#open(sessionId)
    return this.#current
  }

  /** The session that should be current cannot be opened: no other takes its place until one is created or loaded. */
  lose(cause: AgentryError): void {
    const message = `the current session of agent ${this.#options.spec.id} cannot be opened: ${cause.message}`
    this.#lost = new AgentryError(cause.code, message, { cause, ...(cause.data && { data: cause.data }) })
  }

  /**
   * The current session; where there is none, a new one named `default` (its first record still to be flushed). Throws where the
   * one that should be current cannot be opened: work must not go on elsewhere by itself.
   */
  ensureCurrent(): Session {
    if (this.#current === undefined && this.#lost) throw this.#lost
    this.#current ??= this.#newCurrent({ name: 'default' })
    return this.#current
  }

  /** Lets go of the current session without writing: for one that is broken. */
  async drop(): Promise<void> {
    const session = this.#current
    this.#current = undefined
    await session?.close()
  }

  /** For between two turns. Never fails for the snapshot's sake. */
  async saveIfOutgrown(session: Session): Promise<void> {
    await this.#tolerating(session, () => session.saveIfOutgrown())
  }

  /** Brings the current session to rest and closes it. */
  async close(): Promise<void> {
    const session = this.#current
    if (session === undefined) return
    await this.#rest(session)
    await this.drop()
  }

  /** Suspends an active session that a crash left beside the current one. */
  async suspendStray(sessionId: string): Promise<void> {
    await this.#edit(sessionId, (session) => setStatus(session, 'suspended'))
  }

  /** Runs one command. The caller sees to its order among turns; see `isBarrier`. */
  async execute(command: SessionCommand): Promise<SessionHeader | { sessionId: string }> {
    switch (command.name) {
      case 'create':
        return this.#createCurrent(command.input)
      case 'load':
      case 'resume':
        return this.#load(command.sessionId)
      case 'save':
        return this.#edit(
          command.sessionId,
          () => undefined,
          (session) => session.save(),
        )
      case 'suspend':
        return this.#suspend(command.sessionId)
      case 'terminate':
        return this.#terminate(command.sessionId)
      case 'update':
        return this.#update(command.sessionId, command.patch)
      case 'fork':
        return this.#fork(command.sessionId, command.newName)
      case 'import':
        return this.#import(command.session)
      case 'trash':
        return this.#trash(command.sessionId)
      case 'restore':
        await this.#options.store.restore(this.#options.claim, command.sessionId)
        return this.#edit(command.sessionId, () => undefined)
      case 'purge':
        await this.#options.store.purge(this.#options.claim, command.sessionId)
        return { sessionId: command.sessionId }
      default:
        return assertNever(command)
    }
  }

  /** True for a command that changes which session is current: it waits for the turn and the queue. */
  isBarrier(command: SessionCommand): boolean {
    switch (command.name) {
      case 'create':
      case 'load':
      case 'resume':
        return true
      case 'suspend':
        return command.sessionId === undefined || command.sessionId === this.#current?.id
      case 'terminate':
      case 'trash':
        return command.sessionId === this.#current?.id
      case 'save':
      case 'update':
      case 'fork':
      case 'import':
      case 'restore':
      case 'purge':
        return false
      default:
        return assertNever(command)
    }
  }

  async #createCurrent(input: CreateSessionInput): Promise<SessionHeader> {
    const session = this.#newCurrent(input)
    await this.#flushOrClose(session)
    await this.#switchTo(session)
    await this.#saveIfPossible(session)
    return this.#announce(session)
  }

  async #load(sessionId: string): Promise<SessionHeader> {
    const current = this.#current
    const session = current?.id === sessionId ? current : await this.#open(sessionId)
    const { status, name, workingDir } = session.state
    if (status === 'terminated') {
      await session.close()
      throw new AgentryError(
        'session_terminated',
        `session ${name} (${sessionId}) is terminated: read it, or fork it`,
        {
          data: { sessionId, status },
        },
      )
    }
    const changes = session === current ? {} : { status: 'active' as const, activation: ++this.#activation }
    session.record({ type: 'session.changed', changes, accessed: true })
    await this.#flushOrClose(session)
    if (session !== current) await this.#switchTo(session)
    if (!existsSync(workingDir)) {
      const message = `the working directory ${workingDir} of session ${name} does not exist`
      this.#options.onNote({ kind: 'working-dir-missing', sessionId, message })
    }
    return this.#announce(session)
  }

  async #suspend(sessionId = this.#current?.id): Promise<SessionHeader> {
    if (sessionId === undefined) {
      throw new AgentryError(
        'no_current_session',
        `agent ${this.#options.spec.id} has no current session to suspend`,
      )
    }
    return this.#retire(sessionId, 'suspended')
  }

  async #terminate(sessionId: string): Promise<SessionHeader> {
    return this.#retire(sessionId, 'terminated')
  }

  async #update(sessionId: string, patch: SessionPatch): Promise<SessionHeader> {
    assertSessionPatch(patch)
    const { workingDir } = patch
    const changes = {
      ...patch,
      ...(workingDir !== undefined && { workingDir: resolve(this.#options.spec.workingDir, workingDir) }),
    }
    return this.#edit(sessionId, (session) => session.record({ type: 'session.changed', changes }))
  }

  async #fork(sessionId: string, newName?: string): Promise<SessionHeader> {
    const { spec, store } = this.#options
    const current = this.#current?.id === sessionId ? this.#current : undefined
    const source = current?.state ?? (await store.load(sessionId)).state
    if (source.agentId !== spec.id) throw notFound(sessionId)
    const body = forkOf(source, newName)
    await current?.flush() // what the fork has of it must not be less durable than the fork
    return this.#addSuspended(body)
  }

  async #import(imported: ImportedSession): Promise<SessionHeader> {
    return this.#addSuspended(importOf(this.#options.spec, imported))
  }

  async #trash(sessionId: string): Promise<SessionHeader> {
    const header = await this.#retire(sessionId, 'terminated')
    await this.#options.store.trash(this.#options.claim, sessionId)
    const gone = { ...header, trashedAt: new Date(this.#options.clock.now()).toISOString() }
    this.#options.onSession(gone, true)
    return gone
  }

  /** Ends the session's time as current (if it is) with a new status, its unfinished work settled. Idempotent. */
  async #retire(sessionId: string, status: 'suspended' | 'terminated'): Promise<SessionHeader> {
    const header = await this.#edit(
      sessionId,
      async (session) => {
        const { state } = session
        if (state.status === status) return
        if (state.status === 'terminated') {
          throw new AgentryError(
            'session_terminated',
            `session ${state.name} (${sessionId}) is terminated already`,
            {
              data: { sessionId, status: state.status },
            },
          )
        }
        if (status === 'terminated') {
          if (state.turn) await this.#options.endLeftovers(session, state.turn.turnId)
          settleUnfinished(session)
        }
        setStatus(session, status)
      },
      (session) => this.#saveIfPossible(session),
    )
    if (this.#current?.id === sessionId) await this.drop()
    return header
  }

  /** Opens a session if it is not the current one, changes it durably, and brings it to rest again. */
  async #edit(
    sessionId = this.#current?.id,
    change: (session: Session) => void | Promise<void> = () => undefined,
    save?: (session: Session) => Promise<void>,
  ): Promise<SessionHeader> {
    if (sessionId === undefined) {
      throw new AgentryError('no_current_session', `agent ${this.#options.spec.id} has no current session`)
    }
    const isCurrent = this.#current?.id === sessionId
    const session = isCurrent && this.#current ? this.#current : await this.#open(sessionId)
    try {
      await change(session)
      await session.flush()
      if (save) await save(session)
      else if (!isCurrent) await this.#rest(session)
      return this.#announce(session)
    } finally {
      if (!isCurrent) await session.close()
    }
  }

  async #addSuspended(body: NewSession): Promise<SessionHeader> {
    const session = this.#new(body)
    try {
      await session.flush()
      await this.#saveIfPossible(session)
      return this.#announce(session)
    } finally {
      await session.close()
    }
  }

  /** Writes a session that is about to become current. Where that fails it does not, and is closed again. */
  async #flushOrClose(session: Session): Promise<void> {
    try {
      await session.flush()
    } catch (error) {
      if (session !== this.#current) await session.close()
      throw error
    }
  }

  #newCurrent(input: CreateSessionInput): Session {
    const body = newSessionOf(this.#options.spec, input)
    return this.#new({ ...body, status: 'active', activation: ++this.#activation })
  }

  /** A new session from a filled-in body; nothing is written yet. */
  #new(body: NewSession): Session {
    const { spec, clock } = this.#options
    const sessionId = createId(clock.now())
    return Session.create(this.#options, { sessionId, agentId: spec.id, activation: 0, ...body })
  }

  /** Never fails for the previous session's sake: the new one is current, and what is left active beside it is seen to later (Q1). */
  async #switchTo(session: Session): Promise<void> {
    const previous = this.#current
    this.#current = session
    this.#lost = undefined
    if (previous === undefined) return
    try {
      if (previous.broken) return
      setStatus(previous, 'suspended')
      await previous.flush()
      await this.#saveIfPossible(previous)
      this.#announce(previous)
    } catch (error) {
      if (!previous.broken) throw error
      const message = `session ${previous.state.name} is not current any more, but could not be suspended: the next start does that (${describeThrown(error)})`
      this.#options.onNote({ kind: 'suspend-failed', sessionId: previous.id, message })
    } finally {
      await previous.close()
    }
  }

  async #open(sessionId: string): Promise<Session> {
    const { session, notes } = await Session.open(this.#options, sessionId)
    for (const note of notes) this.#options.onNote(note)
    this.#announce(session)
    return session
  }

  async #rest(session: Session): Promise<void> {
    await this.#tolerating(session, () => session.saveAtRest())
  }

  async #saveIfPossible(session: Session): Promise<void> {
    await this.#tolerating(session, () => session.save())
  }

  /** The journal has everything: a snapshot that could not be written is worth its note, not a failure. */
  async #tolerating(session: Session, save: () => Promise<void>): Promise<void> {
    try {
      await save()
    } catch (error) {
      if (session.broken) throw error
    }
  }

  #announce(session: Session): SessionHeader {
    const header = headerOf(session.state)
    this.#options.onSession(header, false)
    return header
  }
}

/** A write that failed, for who watches the disk. One that was refused because another owns the session is no fault of it. */
function failureNote(
  sessionId: string,
  what: 'append' | 'snapshot',
  error: AgentryError,
): SessionNote | undefined {
  if (what === 'snapshot') {
    const message = `the snapshot was not written (the journal has everything): ${error.message}`
    return { kind: 'snapshot-failed', sessionId, message }
  }
  if (error.code !== 'storage_full' && error.code !== 'storage_failed') return undefined
  const kind = error.data?.['operation'] === 'fdatasync' ? 'sync-failed' : 'append-failed'
  return { kind, sessionId, message: `records were not written, and not acknowledged: ${error.message}` }
}

function setStatus(session: Session, status: SessionState['status']): void {
  session.record({ type: 'session.changed', changes: { status } })
}

/** Ends what a session that is about to be terminated still holds: a turn cut off by a crash, queued messages. */
function settleUnfinished(session: Session): void {
  for (const record of recoverTurn(session.state, false)) session.record(record)
  for (const turnId of session.state.queue.map((message) => message.turnId)) {
    const message = 'the session was terminated before this message was started'
    session.record({
      type: 'turn.finished',
      turnId,
      status: 'cancelled',
      error: { code: 'cancelled', message },
    })
  }
}

function notFound(sessionId: string): AgentryError {
  return new AgentryError('session_not_found', `no session ${sessionId} of this agent`, {
    data: { sessionId },
  })
}
