/** What a journal that cannot be true is refused with. */
import { AgentryError } from '../errors.ts'
import type { SessionRecord } from './record.ts'

/** `session_damaged`: names the record by its seq and type, and what was expected in its place. */
export function damaged(record: SessionRecord, expected: string): AgentryError {
  return new AgentryError('session_damaged', `record ${record.seq} (${record.type}): expected ${expected}`, {
    data: { seq: record.seq, type: record.type, expected },
  })
}
