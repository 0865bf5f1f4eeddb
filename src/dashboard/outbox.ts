/**
 * The user's messages on their way to the team.
 *
 * O1  messages to one agent are accepted in the order in which they were entered: the next is sent when the one before is settled.
 * O2  a message that found nobody, or whose answer was lost with the supervisor, is sent again to the next one under the same taskId:
 *     it runs once, however often it is sent.
 * O3  each is settled once, with `sent` or `not-sent`, unless the dashboard closes before.
 */
import type { SendOptions } from '../api.ts'
import { createId } from '../core/ids.ts'
import { toAgentryError } from '../errors.ts'
import type { Input } from './model/input.ts'
import { requireAgent } from './run-command.ts'
import { isLoss, type TeamConnection } from './team-connection.ts'

export interface OutboxOptions {
  connection: Pick<TeamConnection, 'whenConnected' | 'pause'>
  dispatch: (input: Input) => void
}

export class Outbox {
  readonly #options: OutboxOptions
  /** By agent: settled when all that was entered for it so far is. */
  readonly #last = new Map<string, Promise<void>>()
  readonly #closing = new AbortController()

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** `steer`: into the running turn. */
  send(agentId: string, text: string, mode?: 'steer'): void {
    const before = this.#last.get(agentId) ?? Promise.resolve()
    this.#last.set(
      agentId,
      before.then(() => this.#deliver(agentId, text, mode)),
    )
  }

  /** Nothing is sent or dispatched any more. Idempotent. */
  close(): void {
    this.#closing.abort()
  }

  async #deliver(agentId: string, text: string, mode: 'steer' | undefined): Promise<void> {
    const options = { taskId: createId(), ...(mode !== undefined && { mode }) }
    const message = { agentId, text, ...(mode !== undefined && { mode }) }
    while (!this.#closing.signal.aborted) {
      try {
        const sessionId = await this.#post(agentId, text, options)
        this.#settle({ type: 'sent', ...message, sessionId })
        return
      } catch (error) {
        if (isLoss(error)) {
          await this.#options.connection.pause(this.#closing.signal)
          continue
        }
        this.#settle({ type: 'not-sent', ...message, error: toAgentryError(error).toJSON() })
        return
      }
    }
  }

  async #post(agentId: string, text: string, options: SendOptions): Promise<string> {
    const agent = await requireAgent(await this.#options.connection.whenConnected(), agentId)
    return (await agent.post(text, options)).sessionId
  }

  #settle(input: Input): void {
    if (!this.#closing.signal.aborted) this.#options.dispatch(input)
  }
}
