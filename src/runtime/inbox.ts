/**
 * What an agent was sent and has not answered yet: the line of messages and commands, the tasks that this stay knows, and who waits
 * for the end of which turn.
 *
 * I1  A message is acknowledged as accepted only when its record is durable.
 * I2  A taskId that this stay has seen, or its current session remembers, is never run again: it is joined or answered.
 * I3  Whoever waits is answered: by the end of the turn (`finished`), or by one cause (`forget`, `failLine`, `failWaiting`).
 */
import { Mailbox } from '../core/mailbox.ts'
import { type Message, messageBytes } from '../core/record.ts'
import type { SessionState } from '../core/session-state.ts'
import { findTask } from '../core/turn.ts'
import { AgentryError, toAgentryError } from '../errors.ts'
import type { Outcome } from '../protocol/from-agent.ts'
import { mailboxFullOfBytes } from '../protocol/mailbox-full.ts'
import { outcomeOf } from '../protocol/outcome.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import type { SessionStore } from '../store/session-store.ts'
import type { Answers } from './answers.ts'
import type { Session } from './session.ts'
import type { SessionSet } from './session-set.ts'
import { TaskMemory } from './task-memory.ts'

export type MessageEnvelope = Extract<ToAgent, { type: 'message' }>
export type CommandEnvelope = Extract<ToAgent, { type: 'command' }>

export interface InboxOptions {
  agentId: string
  /** Unfinished messages at most. */
  capacity: number
  /** Of all of them together. */
  maxBytes: number
  answers: Answers
  sessions: SessionSet
  store: SessionStore
}

export class Inbox {
  readonly #options: InboxOptions
  readonly #mailbox: Mailbox<MessageEnvelope, CommandEnvelope>
  readonly #tasks = new TaskMemory()
  /** Ids of the messages that wait for the end of a turn. */
  readonly #waiting = new Map<string, number[]>()
  /** Turns acknowledged as accepted: a stop leaves them in the queue. */
  readonly #acknowledged = new Set<string>()

  constructor(options: InboxOptions) {
    this.#options = options
    this.#mailbox = new Mailbox(options)
  }

  get isEmpty(): boolean {
    return this.#mailbox.isEmpty
  }

  /** Puts a message into the line; where that is full answers `mailbox_full` and returns false. */
  offerMessage(envelope: MessageEnvelope): boolean {
    const { agentId, capacity, maxBytes, answers } = this.#options
    const { turnId: id } = envelope.message
    const bytes = messageBytes(envelope.message)
    const offer = this.#mailbox.offerMessage(envelope, { id, bytes })
    if (offer === 'taken') return true
    if (offer === 'too-many-bytes') {
      const heldBytes = this.#mailbox.bytes
      answers.fail(envelope.id, mailboxFullOfBytes(agentId, { heldBytes, bytes, maxBytes }))
      return false
    }
    const message = `agent ${agentId} has ${this.#mailbox.unfinished} unfinished messages, at most ${capacity} are taken`
    answers.fail(envelope.id, new AgentryError('mailbox_full', message))
    return false
  }

  /**
   * Puts a command into the line: it waits for the messages before it, and those behind it wait for it. Where too many wait answers
   * `mailbox_full` and returns false.
   */
  offerCommand(envelope: CommandEnvelope): boolean {
    if (this.#mailbox.offerBarrier(envelope)) return true
    const { agentId, capacity, answers } = this.#options
    const message = `agent ${agentId} has ${capacity} waiting commands: more are not taken`
    answers.fail(envelope.id, new AgentryError('mailbox_full', message))
    return false
  }

  /** Takes a message that is not accepted yet out of the line, and fails it with `error`. False where there is none of that turnId. */
  withdraw(turnId: string, error: AgentryError): boolean {
    const envelope = this.#mailbox.removeMessage(({ message }) => message.turnId === turnId)
    if (envelope === undefined) return false
    this.#mailbox.settle(turnId)
    this.#options.answers.fail(envelope.id, error)
    return true
  }

  /** The command that is first in the line, if one is. */
  get nextCommand(): CommandEnvelope | undefined {
    return this.#mailbox.nextBarrier
  }

  takeCommand(): CommandEnvelope | undefined {
    return this.#mailbox.takeBarrier()
  }

  /** Counts and remembers the unfinished work that a session brings from disk: all of it was acknowledged, or is run again. */
  adopt(state: SessionState): void {
    for (const message of unfinishedOf(state)) {
      this.#mailbox.adopt({ id: message.turnId, bytes: messageBytes(message) })
      this.#acknowledged.add(message.turnId)
      this.#tasks.add(message, state.id)
    }
  }

  /** Accepts messages up to the next barrier. Resolves when the acknowledged ones are durable and answered; never rejects. */
  async admit(): Promise<void> {
    const { answers, sessions } = this.#options
    const accepted: { id: number; message: Message; sessionId: string }[] = []
    for (;;) {
      const envelope = this.#mailbox.takeMessage()
      if (envelope === undefined) break
      const { id, message, ack, sessionId } = envelope
      if (this.#answerKnownTask(envelope)) {
        if (!this.#holds(message.turnId)) this.#mailbox.settle(message.turnId)
        continue
      }
      if (sessionId !== undefined && sessionId !== sessions.current?.id) {
        this.#mailbox.settle(message.turnId)
        answers.fail(id, new AgentryError('session_not_found', `session ${sessionId} is not the current one`))
        continue
      }
      const session = this.#sessionFor(envelope)
      if (session === undefined) continue
      session.record({ type: 'message.accepted', ...message })
      this.#tasks.add(message, session.id)
      if (ack === 'accepted') accepted.push({ id, message, sessionId: session.id })
      else this.#wait(message.turnId, id)
    }
    if (accepted.length === 0) return
    try {
      await sessions.current?.flush()
    } catch (error) {
      for (const { id } of accepted) answers.fail(id, toAgentryError(error))
      return
    }
    for (const { id, message, sessionId } of accepted) {
      this.#acknowledged.add(message.turnId)
      answers.reply(id, this.#accepted(message, sessionId))
    }
  }

  /** True for a message that was sent a second time, under its own turnId: the place it has is that of the first. */
  #holds(turnId: string): boolean {
    const state = this.#options.sessions.current?.state
    return state !== undefined && unfinishedOf(state).some((message) => message.turnId === turnId)
  }

  /** The session that a message goes to; where there is none to be had, the message fails with the cause. */
  #sessionFor({ id, message }: MessageEnvelope): Session | undefined {
    const { answers, sessions } = this.#options
    try {
      return sessions.ensureCurrent()
    } catch (error) {
      this.#mailbox.settle(message.turnId)
      answers.fail(id, toAgentryError(error))
      return undefined
    }
  }

  /** I2: true where the taskId is known, and the message was answered or joined to its turn. */
  #answerKnownTask({ id, message, ack }: MessageEnvelope): boolean {
    const { answers, sessions } = this.#options
    const remembered = this.#tasks.find(message.taskId)
    const session = sessions.current
    const inSession = session && findTask(session.state, message.taskId)
    const turnId = remembered?.turnId ?? inSession?.turnId
    const sessionId = remembered?.sessionId ?? session?.id
    if (turnId === undefined || sessionId === undefined) return false
    if (remembered?.outcome) {
      answers.reply(id, remembered.outcome)
    } else if (session && inSession?.state === 'finished') {
      void answers.answer(id, async () => {
        const outcome = outcomeOf(session.state, turnId) // now: it may be forgotten when the flush is done
        await session.flush()
        return outcome
      })
    } else if (remembered?.finished) {
      void answers.answer(id, async () => outcomeOf(await this.#stateOf(sessionId), turnId))
    } else if (ack === 'accepted') {
      void answers.answer(id, async () => {
        await session?.flush()
        this.#acknowledged.add(turnId)
        return this.#accepted({ turnId, taskId: message.taskId }, sessionId)
      })
    } else {
      answers.join(id, turnId)
      this.#wait(turnId, id)
      const into = session?.state.turn
      if (into?.steered.some((steered) => steered.turnId === turnId)) answers.follow(id, into.turnId)
    }
    return true
  }

  async #stateOf(sessionId: string): Promise<SessionState> {
    const { sessions, store } = this.#options
    const current = sessions.current
    if (current?.id === sessionId) return current.state
    return (await store.load(sessionId)).state
  }

  #wait(turnId: string, id: number): void {
    const ids = this.#waiting.get(turnId)
    if (ids) ids.push(id)
    else this.#waiting.set(turnId, [id])
  }

  #accepted({ turnId, taskId }: { turnId: string; taskId: string }, sessionId: string): Outcome {
    return { status: 'accepted', result: '', turnId, taskId, agentId: this.#options.agentId, sessionId }
  }

  /** A turn has ended, durably: who waits for it is answered by its event. */
  finished(outcome: Outcome): void {
    this.#tasks.finish(outcome)
    this.#waiting.delete(outcome.turnId)
    this.#acknowledged.delete(outcome.turnId)
    this.#mailbox.settle(outcome.turnId)
  }

  /** A message became a part of the turn `turnId`: who waits for it sees that turn, and is answered by the end of its own. */
  steered(messageTurnId: string, turnId: string): void {
    for (const id of this.#waiting.get(messageTurnId) ?? []) this.#options.answers.follow(id, turnId)
  }

  isAcknowledged(turnId: string): boolean {
    return this.#acknowledged.has(turnId)
  }

  /** Frees the places of unfinished messages that stay in a session which is not current any more. */
  settle(messages: readonly Message[]): void {
    for (const { turnId } of messages) this.#mailbox.settle(turnId)
  }

  /** After a failed write: everyone who waits fails, and the `unfinished` messages of the session are forgotten. */
  forget(unfinished: readonly Message[], error: AgentryError): void {
    this.failWaiting(error)
    this.#tasks.forgetUnfinished()
    this.#acknowledged.clear()
    this.settle(unfinished)
  }

  /** Fails all that is in the line. */
  failLine(error: AgentryError): void {
    for (;;) {
      const message = this.#mailbox.takeMessage()
      if (message) this.#mailbox.settle(message.message.turnId)
      const envelope = message ?? this.#mailbox.takeBarrier()
      if (envelope === undefined) return
      this.#options.answers.fail(envelope.id, error)
    }
  }

  /** Fails everyone who waits for the end of a turn. */
  failWaiting(error: AgentryError): void {
    for (const ids of this.#waiting.values()) for (const id of ids) this.#options.answers.fail(id, error)
    this.#waiting.clear()
  }
}

/** The open turn and the queue, as they are now. */
export function unfinishedOf({ turn, queue }: SessionState): Message[] {
  return turn === null ? [...queue] : [turn, ...queue]
}
