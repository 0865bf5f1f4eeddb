/** Echo agents of the library, and what one of their turns writes. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Agent, Team } from '../../src/api.ts'

/** The message of every measured turn: 100 characters. */
export const MESSAGE: string = 'All of this text comes back. '.repeat(4).slice(0, 100)

/** One turn, checked: a figure of turns that failed is none. */
export async function echoTurn(agent: Agent): Promise<void> {
  const { status, result, error } = await agent.send(MESSAGE)
  if (status !== 'completed' || result !== MESSAGE) {
    throw new Error(`expected the message back, received ${status} ${JSON.stringify(error ?? result)}`)
  }
}

/** What one turn adds to the journal, in bytes, as the mean of `turns`. */
export async function bytesPerTurn(team: Team, agent: Agent, turns: number): Promise<number> {
  await echoTurn(agent)
  const sessionId = agent.currentSession()?.id
  if (sessionId === undefined) throw new Error('expected a current session after a turn')
  const journal = join(team.directory, `${sessionId}.journal.jsonl`)
  const before = statSync(journal).size
  for (let turn = 0; turn < turns; turn += 1) await echoTurn(agent)
  return Math.round((statSync(journal).size - before) / turns)
}
