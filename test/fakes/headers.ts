import { noUsage } from '../../src/core/usage.ts'
import { createId } from '../../src/core/ids.ts'
import { FORMAT_VERSION, type SessionHeader, type TaskEntry } from '../../src/core/session-state.ts'

/** The header of a healthy, suspended session of agent `coder` that has done nothing yet. */
export function makeHeader(overrides: Partial<SessionHeader> = {}): SessionHeader {
  return {
    formatVersion: FORMAT_VERSION,
    id: createId(),
    agentId: 'coder',
    name: 'work',
    description: '',
    status: 'suspended',
    createdAt: '2026-01-01T00:00:00.000Z',
    lastAccessedAt: '2026-01-01T00:00:00.000Z',
    seq: 1,
    epoch: 1_000_001,
    journalOffset: 300,
    activation: 0,
    counts: { turns: 0, entries: 0, ...noUsage() },
    workingDir: '/home/me/project',
    prompt: '',
    vars: {},
    metadata: {},
    grants: [],
    turn: null,
    queue: [],
    approvals: [],
    tasks: [],
    ...overrides,
  }
}

/** A finished turn; without a taskId of its own its taskId is its turnId, as two equal strings (as read from disk). */
export function makeTask(taskId?: string): TaskEntry {
  const turnId = createId()
  return { taskId: taskId ?? Buffer.from(turnId).toString(), turnId, status: 'completed' }
}
