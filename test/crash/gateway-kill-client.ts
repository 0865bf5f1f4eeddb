/** A client that takes no answer for a no: what it has no answer to it sends again, with the same taskId, to the next gateway. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { SeededRandom } from '../fakes/kill-random.ts'
import { type GatewayKillLedger, KILL_AGENTS, type KillMessage, SHELL } from './gateway-kill-ledger.ts'

/** Where a client sends its messages. `ending` aborts before the gateway ends: an answer can be lost from then on, and not before. */
export interface KillTarget {
  url: string
  token: string
  ending: AbortSignal
}

export interface KillClientOptions {
  name: string
  /** To which each command of the shell appends the taskId of its message. */
  effects: string
  ledger: GatewayKillLedger
  random: SeededRandom
}

/** The share of messages that wait for the end of their turn, and of those that are answered and sent once more all the same. */
const WAITS = 0.75
const AGAIN = 0.1
const MAX_PAUSE_MS = 40

export class KillClient {
  readonly #options: KillClientOptions
  #sent = 0
  /** Sent, and not answered. */
  #open: KillMessage | undefined
  #answered: KillMessage | undefined

  constructor(options: KillClientOptions) {
    this.#options = options
  }

  /** Sends one message after the other until the gateway ends. Throws for an answer that is wrong, or lost without a reason. */
  async run(target: KillTarget): Promise<void> {
    const { ledger, random } = this.#options
    while (!target.ending.aborted) {
      const message = (this.#open ??= this.#again() ?? this.#next())
      ledger.try(message)
      const answer = await this.#send(target, message)
      if (answer === undefined) return
      ledger.answer(message, answer.status, answer.outcome)
      this.#answered = message
      this.#open = undefined
      await sleep(random.between(0, MAX_PAUSE_MS))
    }
  }

  #again(): KillMessage | undefined {
    return this.#options.random.next() < AGAIN ? this.#answered : undefined
  }

  #next(): KillMessage {
    const { name, effects, random } = this.#options
    this.#sent += 1
    const taskId = `${name}-${this.#sent}`
    const agentId = random.pick(KILL_AGENTS) ?? SHELL
    const input =
      agentId === SHELL
        ? `echo ${taskId} >> '${effects}'; echo done ${taskId}`
        : `${taskId}\r\n${'é'.repeat(random.between(0, 500))}`
    return { agentId, taskId, input, waits: random.next() < WAITS }
  }

  /** Undefined where the gateway ended before its answer was here. */
  async #send(
    { url, token, ending }: KillTarget,
    { agentId, taskId, input, waits }: KillMessage,
  ): Promise<{ status: number; outcome: Outcome } | undefined> {
    try {
      const response = await fetch(`${url}/agents/${agentId}/message`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          ...(!waits && { prefer: 'respond-async' }),
        },
        body: JSON.stringify({ input, taskId }),
      })
      const outcome = (await response.json()) as Outcome
      if (response.status === 503 && ending.aborted) return undefined
      return { status: response.status, outcome }
    } catch (error) {
      if (ending.aborted) return undefined
      throw error
    }
  }
}
