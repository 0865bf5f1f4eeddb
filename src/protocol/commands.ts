/**
 * Session commands: what the outside asks of one agent beside messages. They run on the agent's own thread, in the order in
 * which they came (see `runtime/agent-loop.ts` for which of them wait for the running turn).
 */
import type { Json } from '../core/json.ts'
import type { MemoryEntry, SessionHeader, SessionStatus } from '../core/session-state.ts'

export interface CreateSessionInput {
  name: string
  description?: string
  /** Default: the agent's. Need not exist yet; relative paths resolve from the agent's. */
  workingDir?: string
  prompt?: string
  vars?: { [name: string]: string }
  metadata?: { [key: string]: Json }
}

export interface SessionPatch {
  name?: string
  description?: string
  workingDir?: string
  prompt?: string
  /** Merge patch: null removes. */
  vars?: { [name: string]: string | null }
  metadata?: { [key: string]: Json | null }
}

/** A session from elsewhere, whole: it gets a new id, and is suspended until loaded. */
export interface ImportedSession extends CreateSessionInput {
  status: SessionStatus
  memory: MemoryEntry[]
}

export type SessionCommand =
  /** Makes a new session current; the one before is suspended. */
  | { name: 'create'; input: CreateSessionInput }
  /** Makes an existing session current; the one before is suspended. Throws `session_terminated`. */
  | { name: 'load'; sessionId: string }
  /** Writes the snapshot now. Without an id: the current session. */
  | { name: 'save'; sessionId?: string }
  | { name: 'suspend'; sessionId?: string }
  /** Like load. */
  | { name: 'resume'; sessionId: string }
  | { name: 'terminate'; sessionId: string }
  | { name: 'update'; sessionId: string; patch: SessionPatch }
  /** A new, suspended session with the same conversation, prompt, vars and metadata. */
  | { name: 'fork'; sessionId: string; newName?: string }
  | { name: 'import'; session: ImportedSession }
  /** Terminates and moves to the trash. */
  | { name: 'trash'; sessionId: string }
  | { name: 'restore'; sessionId: string }
  /** Deletes from the trash, for good. */
  | { name: 'purge'; sessionId: string }

export type CommandName = SessionCommand['name']

/** What each command answers with. */
export interface CommandResults {
  create: SessionHeader
  load: SessionHeader
  save: SessionHeader
  suspend: SessionHeader
  resume: SessionHeader
  terminate: SessionHeader
  update: SessionHeader
  fork: SessionHeader
  import: SessionHeader
  trash: SessionHeader
  restore: SessionHeader
  purge: { sessionId: string }
}
