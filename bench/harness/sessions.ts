/** Sessions to measure with, written through the store itself but without waiting for the disk. */
import { createId } from '../../src/core/ids.ts'
import type { RecordBody, SessionRecord } from '../../src/core/record.ts'
import { fold, foldFirst } from '../../src/core/fold.ts'
import { library } from './library.ts'

/** Entries of memory that one turn of `turnRecords` makes. */
export const STEPS_PER_TURN = 4

export interface SessionsOptions {
  directory: string
  agents: number
  sessionsPerAgent: number
  /** Entries of memory in each, a multiple of STEPS_PER_TURN. */
  steps: number
  /** False leaves the journal alone. Default true. */
  snapshot?: boolean
}

/**
 * Fills a data directory and gives it back unowned. Agents are `agent-1`, `agent-2`, …; each session holds turns that ran one
 * command, of about 130 bytes an entry. The last session of each agent is active, the others are suspended.
 */
export async function writeSessions(options: SessionsOptions): Promise<string[]> {
  const { createDurableFs, createFileStore, openDirectory, systemCalls } = library
  const fs = createDurableFs({ ...systemCalls, fsync: () => {}, fdatasync: () => {} })
  const owned = await openDirectory({ directory: options.directory, fs })
  const store = createFileStore({ directory: owned.directory, fs })
  const ids: string[] = []
  for (let agent = 1; agent <= options.agents; agent += 1) {
    const claim = owned.claims.claim(`agent-${agent}`)
    for (let number = 1; number <= options.sessionsPerAgent; number += 1) {
      const sessionId = createId()
      const records = sessionRecords(sessionId, claim.agentId, claim.token, number, options)
      const [first, ...rest] = records
      if (first === undefined) continue
      await store.append(claim, sessionId, 0, [first])
      const journalOffset = await store.append(claim, sessionId, 1, rest)
      if (options.snapshot !== false) {
        const state = rest.reduce(fold, foldFirst(first))
        await store.snapshot(claim, { ...state, journalOffset })
      }
      await store.release(sessionId)
      ids.push(sessionId)
    }
    owned.claims.release(claim)
  }
  owned.close()
  return ids
}

function sessionRecords(
  sessionId: string,
  agentId: string,
  epoch: number,
  activation: number,
  { steps, sessionsPerAgent }: SessionsOptions,
): SessionRecord[] {
  const created: RecordBody = {
    type: 'session.created',
    sessionId,
    agentId,
    name: `session ${activation}`,
    description: 'Made for a benchmark',
    status: activation === sessionsPerAgent ? 'active' : 'suspended',
    activation,
    workingDir: '/home/user/project',
    prompt: 'You are a careful engineer.',
    vars: { LANG: 'C.UTF-8' },
    metadata: { made: 'for a benchmark' },
  }
  const turns = Array.from({ length: steps / STEPS_PER_TURN }, (_, turn) => turnRecords(turn))
  const at = new Date().toISOString()
  return [created, ...turns.flat()].map((body, index) => ({ seq: index + 1, epoch, at, ...body }))
}

function turnRecords(number: number): RecordBody[] {
  const turnId = createId()
  const toolCallId = createId()
  const text = `turn ${number}: what is in the folder, and what does the third line of its README say?`
  const output = `README.md\nsrc\ntest\n${number} files`
  return [
    { type: 'message.accepted', turnId, taskId: turnId, input: text },
    { type: 'turn.started', turnId, attempt: 1 },
    {
      type: 'tool.started',
      turnId,
      toolCallId,
      name: 'shell',
      input: { command: 'ls; sed -n 3p README.md' },
    },
    { type: 'tool.finished', turnId, toolCallId, outcome: 'ok', content: output, exitCode: 0 },
    { type: 'turn.finished', turnId, status: 'completed', result: `It has ${number} files. ${text}` },
  ]
}
