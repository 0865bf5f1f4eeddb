/** A session file from elsewhere: our own export or snapshot, or one of the original Agentry (go-session.ts). Pure. */
import { z } from 'zod'
import { assertJson, type Json, type JsonObject } from '../../core/json.ts'
import { FORMAT_VERSION } from '../../core/session-state.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import { parseImportedSession } from '../../imported-session.ts'
import type { ImportedSession } from '../../protocol/commands.ts'
import { pathText, problemsOf } from '../../validation.ts'
import { goSession, looksLikeGoSession } from './go-session.ts'

/** A session file that was understood. */
export interface SessionFile {
  /** Suspended or terminated: an import is made current by a load only. */
  session: ImportedSession
  /** The agent that it belonged to, which need not exist here. */
  agentId?: string
  /** What could not be imported as it was, one sentence each. */
  notes: string[]
}

/** The file a text came from, and the time for what has none in it. */
export interface FileOrigin {
  /** Its name without folder and extension: the name of a session that has none. */
  name: string
  nowMs: number
}

/**
 * Reads the text of a session file. Throws `invalid_input` where it is no JSON or no session, `unsupported_format` where a newer
 * version of Agentry wrote it.
 */
export function parseSessionFile(text: string, origin: FileOrigin): SessionFile {
  const value = parseJson(text)
  if (isObject(value) && typeof value['formatVersion'] === 'number') return ownSession(value)
  if (looksLikeGoSession(value)) return goSession(value, origin)
  throw new AgentryError(
    'invalid_input',
    'expected a session that Agentry exported (formatVersion, memory) or a session file of the original Agentry (agent_id, memory)',
  )
}

/** What such a file has beside the session itself. */
const ownSchema = z.object({
  id: z.string(),
  agentId: z.string(),
  createdAt: z.string(),
  turn: z.unknown(),
  queue: z.array(z.unknown()),
})

function ownSession(value: JsonObject): SessionFile {
  const version = Number(value['formatVersion'])
  if (version > FORMAT_VERSION) {
    const message = `expected a formatVersion of at most ${FORMAT_VERSION}, received ${version}: the file was written by a newer Agentry`
    throw new AgentryError('unsupported_format', message, { data: { formatVersion: version } })
  }
  const parsed = ownSchema.safeParse(value, { reportInput: true })
  if (!parsed.success) {
    const lines = problemsOf(parsed.error).map(({ path, message }) => `${pathText(path)}: ${message}`)
    throw new AgentryError('invalid_input', lines.join('\n'))
  }
  const { id, agentId, createdAt, turn, queue } = parsed.data
  const session = parseImportedSession(value)
  const notes: string[] = []
  if (turn !== null || queue.length > 0) {
    notes.push(
      'the unfinished turn and the queued messages are not imported; the conversation up to there is',
    )
  }
  return {
    session: {
      ...session,
      status: session.status === 'terminated' ? 'terminated' : 'suspended',
      metadata: { ...session.metadata, importedFrom: { id, agentId, createdAt } },
    },
    agentId,
    notes,
  }
}

/** Levels of the file above the JSON that callers gave: session, memory, entry, toolCalls, call. */
const OUTER_LEVELS = 5

function parseJson(text: string): Json {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    const message = `expected a session file in JSON: ${describeThrown(cause)}`
    throw new AgentryError('invalid_input', message, { cause })
  }
  assertJson(value, 'session', -OUTER_LEVELS)
  return value
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
