import { type AgentryError, toAgentryError } from '../errors.ts'
import type { FromAgent } from '../protocol/from-agent.ts'

/** Answers calls of the supervisor, by their ids. */
export class Answers {
  readonly #port: { send(envelope: FromAgent): void }

  constructor(port: { send(envelope: FromAgent): void }) {
    this.#port = port
  }

  reply(id: number, value: unknown): void {
    this.#port.send({ type: 'reply', id, value })
  }

  fail(id: number, error: AgentryError): void {
    this.#port.send({ type: 'failure', id, error: error.toJSON() })
  }

  /** The call gets the outcome of another turn than its own. */
  join(id: number, turnId: string): void {
    this.#port.send({ type: 'joined', id, turnId })
  }

  /** The call sees the events of another turn too. */
  follow(id: number, turnId: string): void {
    this.#port.send({ type: 'following', id, turnId })
  }

  /** Answers with what `work` comes to. Never rejects. */
  async answer(id: number, work: () => Promise<unknown>): Promise<void> {
    try {
      this.reply(id, await work())
    } catch (error) {
      this.fail(id, toAgentryError(error))
    }
  }
}
