/** What an agent's turn asks of its team while it runs, and what it is answered. */
import type { AskedBy } from '../core/record.ts'
import type { AgentryError } from '../errors.ts'
import type { UsageTotal } from '../core/session-state.ts'
import type { Outcome } from './from-agent.ts'

export type TeamRequest =
  /**
   * Sends a message and waits for the end of its turn. Repeated with the same taskId (after a crash, after a rest) it joins that
   * turn or gets its outcome. Fails with `ask_refused` where the wait could never end or the asking is too deep.
   */
  | { name: 'ask'; agentId: string; taskId: string; input: string; askedBy: AskedBy }
  /** Sends a message; answered when that is durable in the other agent's queue. */
  | { name: 'tell'; agentId: string; taskId: string; input: string }
  | { name: 'list' }
  /** What the whole team has used since its supervisor started. */
  | { name: 'usage' }

export interface TeamResponses {
  ask: Outcome
  tell: Outcome
  list: Teammate[]
  usage: UsageTotal
}

export type TeamRequestName = TeamRequest['name']

/** What a request comes to, where it is answered. */
export type TeamAnswer = { value: unknown } | { error: AgentryError }
export type SettleTeamRequest = (answer: TeamAnswer) => void

/** Another agent of the team, as one that may ask it sees it. */
export interface Teammate {
  id: string
  role: string
  behavior: string
  /** As AgentInfo has it. */
  state: string
}
