/** The first record of a session, for each of the ways in which one begins. */
import { resolve } from 'node:path'
import type { AgentSpec } from '../agent-spec.ts'
import type { BodyOf } from '../core/record.ts'
import type { MemoryEntry, SessionState } from '../core/session-state.ts'
import type { CreateSessionInput, ImportedSession } from '../protocol/commands.ts'
import { assertCreateInput } from '../protocol/session-input.ts'

/** What is left to be said when the session is made: its id, and whose it is. */
export type NewSession = Omit<BodyOf<'session.created'>, 'type' | 'sessionId' | 'agentId' | 'activation'> & {
  activation?: number
}

/** A suspended session, its gaps filled from the agent's spec; relative paths resolve from the agent's directory. */
export function newSessionOf(spec: AgentSpec, input: CreateSessionInput): NewSession {
  assertCreateInput(input)
  return {
    name: input.name,
    description: input.description ?? '',
    workingDir: resolve(spec.workingDir, input.workingDir ?? '.'),
    prompt: input.prompt ?? spec.instructions,
    vars: { ...input.vars },
    metadata: { ...input.metadata },
    status: 'suspended',
  }
}

/** A suspended session with the conversation of `source`, up to the turn that is not finished. */
export function forkOf(source: SessionState, newName = `${source.name} (fork)`): NewSession {
  assertCreateInput({ name: newName })
  const { id, seq, description, workingDir, prompt, vars, metadata, memory, turn } = source
  return {
    name: newName,
    description,
    workingDir,
    prompt,
    vars,
    metadata,
    status: 'suspended',
    forkedFrom: { sessionId: id, seq },
    memory: broughtAlong(memory.filter((entry) => entry.turnId !== turn?.turnId)),
  }
}

/** A session from elsewhere: an active one comes in suspended. */
export function importOf(spec: AgentSpec, imported: ImportedSession): NewSession {
  const { memory, status, ...input } = imported
  return {
    ...newSessionOf(spec, input),
    status: status === 'active' ? 'suspended' : status,
    memory: broughtAlong(memory),
  }
}

/** All of it comes with the first record. */
function broughtAlong(memory: readonly MemoryEntry[]): MemoryEntry[] {
  return memory.map((entry) => ({ ...entry, seq: 1 }))
}
