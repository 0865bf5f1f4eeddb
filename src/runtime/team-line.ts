import type { FromAgent } from '../protocol/from-agent.ts'
import type { TeamRequest, TeamRequestName, TeamResponses } from '../protocol/team-requests.ts'
import type { ToAgent } from '../protocol/to-agent.ts'
import { untilAborted } from '../core/deadline.ts'
import { AgentryError } from '../errors.ts'

type Answer = Extract<ToAgent, { type: 'team-response' | 'team-failure' }>

/** What a thread asks of its team: each request is answered once, or given up with its signal; a late answer is dropped. */
export class TeamLine {
  readonly #port: { send(envelope: FromAgent): void }
  readonly #open = new Map<number, { name: TeamRequestName; answer: PromiseWithResolvers<unknown> }>()
  #nextId = 1

  constructor(port: { send(envelope: FromAgent): void }) {
    this.#port = port
  }

  async request<N extends TeamRequestName>(
    request: Extract<TeamRequest, { name: N }>,
    signal: AbortSignal,
  ): Promise<TeamResponses[N]> {
    signal.throwIfAborted()
    const id = this.#nextId++
    const answer = Promise.withResolvers<unknown>()
    this.#open.set(id, { name: request.name, answer })
    this.#port.send({ type: 'team-request', id, request })
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the protocol pairs each request with its response
      return (await untilAborted(answer.promise, signal)) as TeamResponses[N]
    } finally {
      this.#open.delete(id)
    }
  }

  /** What was asked, where somebody still waits for the answer. */
  receive(envelope: Answer): TeamRequestName | undefined {
    const open = this.#open.get(envelope.id)
    if (open === undefined) return undefined
    if (envelope.type === 'team-response') open.answer.resolve(envelope.value)
    else open.answer.reject(AgentryError.from(envelope.error))
    return open.name
  }
}
