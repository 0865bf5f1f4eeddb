/** What clients were told by gateways that were killed: the part of it that must be true for ever. */
import { strict as assert } from 'node:assert'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { Served } from '../e2e/built-serve.ts'

export interface KillMessage {
  agentId: string
  taskId: string
  /** No other message has the same. */
  input: string
  /** Answered with 200 when its turn has ended; otherwise with 202 when it is accepted. */
  waits: boolean
}

export class GatewayKillLedger {
  /** All that were ever sent, by taskId. */
  readonly tried: Map<string, KillMessage> = new Map()
  /** By taskId: the outcome of the turn as it was given with 200. */
  readonly finished: Map<string, Outcome> = new Map()
  /** By taskId: what was given with 202, and not yet found to have ended. */
  readonly accepted: Map<string, Outcome> = new Map()
  /** Of all that was ever answered with 202: a stop keeps it, as a kill does. */
  readonly kept: Set<string> = new Set()
  /** Answers in all: with 200, with 202, and those to a message that was sent before. */
  readonly counts: { answered: number; accepted: number; repeated: number } = {
    answered: 0,
    accepted: 0,
    repeated: 0,
  }

  try(message: KillMessage): void {
    if (this.tried.has(message.taskId)) this.counts.repeated += 1
    this.tried.set(message.taskId, message)
  }

  /** Throws for an answer that contradicts an earlier one. */
  answer({ agentId, taskId, input }: KillMessage, status: number, outcome: Outcome): void {
    assert(status === 200 || status === 202, `${taskId} was answered ${status}: ${JSON.stringify(outcome)}`)
    assert.deepEqual([outcome.agentId, outcome.taskId], [agentId, taskId])
    const before = this.finished.get(taskId) ?? this.accepted.get(taskId)
    assert.equal(outcome.turnId, before?.turnId ?? outcome.turnId, `${taskId} has two turns`)
    if (outcome.status === 'accepted' || outcome.status === 'running') {
      assert.equal(status, 202, `${taskId} was answered before its end`)
      this.counts.accepted += 1
      this.accepted.set(taskId, outcome)
      this.kept.add(taskId)
      return
    }
    if (outcome.status === 'completed' && agentId !== SHELL) assert.equal(outcome.result, input)
    this.counts.answered += 1
    this.end(taskId, outcome)
  }

  /** The turn has ended, as it was answered or found. Throws where another end was given before. */
  end(taskId: string, outcome: Outcome): void {
    this.accepted.delete(taskId)
    const before = this.finished.get(taskId)
    if (before !== undefined) assert.deepEqual(outcome, before, `${taskId} has ended twice`)
    this.finished.set(taskId, outcome)
  }
}

/** The agent that runs commands; the others echo. */
export const SHELL = 'shell'
export const KILL_AGENTS: readonly string[] = [SHELL, 'echo-1', 'echo-2', 'echo-3']

/** Makes them, each with the one session that it has from then on. */
export async function addKillAgents(served: Served): Promise<void> {
  for (const id of KILL_AGENTS) {
    const behavior = id === SHELL ? 'shell' : 'echo'
    assert.equal((await served.ask('POST', '/agents', { id, behavior })).status, 201)
    assert.equal((await served.ask('POST', `/agents/${id}/sessions`, { name: 'only' })).status, 201)
  }
}
