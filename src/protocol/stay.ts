/** What a stay (one agent's time on a thread) is given at its start. */
import type { AgentSpec } from '../agent-spec.ts'
import type { TeamModels } from '../llm-spec.ts'
import type { Claim } from '../store/session-store.ts'

/** Everything that a stay needs to know at its start. Must survive structured clone. */
export interface StayOptions {
  spec: AgentSpec
  claim: Claim
  /** The session to open at once: the agent's current one. */
  currentSessionId?: string
  /** Active sessions that a crash left beside the current one: suspended at the start. */
  strayActiveIds: string[]
  /** The highest `activation` among the agent's sessions. */
  activation: number
  /** Continue or settle an unfinished turn and run the queue; false leaves both as they are. */
  resume: boolean
  store: StoreOptions
  limits: StayLimits
  models: TeamModels
}

export interface StoreOptions {
  /** Absolute path of the data directory; undefined for the memory store. */
  directory?: string
  fsync: 'always' | 'interval'
}

export interface StayLimits {
  mailboxMessages: number
  mailboxBytes: number
  messageBytes: number
  resultBytes: number
  /** Of all agents together since the start of the supervisor; undefined: no limit. */
  teamTokens?: number
  teamCostUsd?: number
}
