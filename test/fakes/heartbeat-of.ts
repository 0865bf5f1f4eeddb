import type { Agent } from '../../src/api.ts'

/** Sends an agent one message after the other, as long as it is not ended; keeps the longest time to an answer. */
export class HeartbeatOf {
  readonly #agent: Agent
  readonly #done: Promise<void>
  #ending = false
  #answers = 0
  #longestMs = 0

  constructor(agent: Agent) {
    this.#agent = agent
    this.#done = this.#beat()
    this.#done.catch(() => undefined) // end() reports it
  }

  /** Rejects if the agent failed once. */
  async end(): Promise<{ answers: number; longestMs: number }> {
    this.#ending = true
    await this.#done
    return { answers: this.#answers, longestMs: this.#longestMs }
  }

  async #beat(): Promise<void> {
    while (!this.#ending) {
      const sentMs = performance.now()
      const { result } = await this.#agent.send(`beat ${this.#answers}`)
      if (result !== `beat ${this.#answers}`) throw new Error(`expected the beat back, received ${result}`)
      this.#longestMs = Math.max(this.#longestMs, performance.now() - sentMs)
      this.#answers += 1
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
