/**
 * The snapshot: a whole session as one readable JSON file. The journal is the truth; a snapshot saves reading it from the start, and
 * is what people look at.
 *
 *   {
 *     "checksum": "crc32:HHHHHHHH-BBBBBBBB",
 *     "formatVersion": 1,
 *     …the header: all other keys of SessionState, in its order…
 *     "memory": [
 *       {"seq":3,…},
 *       …one entry a line: half the bytes of an indented one, and readable still…
 *     ]
 *   }
 *
 * Two CRC-32 (checksum.ts) guard it. The first covers the header: from the line behind `checksum` to the newline before the `memory`
 * key, that newline not included. The second covers the rest of the file. So a catalog verifies a header without reading the
 * conversation. No text can look like the `memory` key: JSON escapes newlines, so a newline and two spaces are indentation.
 *
 * Invariants:
 * N1  a snapshot that decodes is the one that was written; a change of any byte makes it bad, never another session.
 * N2  a file that says it is of a newer format is `newer`, even where its checksum fails: it is not ours to judge or replace.
 */
import { constants } from 'node:buffer'
import {
  FORMAT_VERSION,
  type OpenTurn,
  type SessionHeader,
  type SessionState,
} from '../core/session-state.ts'
import { noUsage } from '../core/usage.ts'
import { describeThrown } from '../errors.ts'
import { checksum } from './checksum.ts'
import { snapshotTooLarge } from './session-errors.ts'

/** What came of reading a snapshot: `state` has an empty memory where only the header was read. */
export type DecodedSnapshot =
  | { kind: 'good'; state: SessionState }
  | { kind: 'bad'; reason: string }
  | { kind: 'newer'; formatVersion: number }

const FIRST_LINE = /^\{\n {2}"checksum": "crc32:([0-9a-f]{8})-([0-9a-f]{8})",\n/
/** Both checksums have a fixed length. */
const HEADER_START = '{\n  "checksum": "crc32:hhhhhhhh-bbbbbbbb",\n'.length
const MEMORY_KEY = '\n  "memory":'
/** Where a newer format is expected to give its version too. */
const NEAR_START = 256
const FORMAT_VERSION_NEAR_START = /"formatVersion"\s*:\s*(\d{1,9})/

/** What can be read back: JSON is parsed out of one string. */
const MAX_BYTES = constants.MAX_STRING_LENGTH

/** The content of the file. Throws `snapshot_too_large`. */
export function encodeSnapshot(state: SessionState, maxBytes: number = MAX_BYTES): Buffer {
  const indented = JSON.stringify(orderedHeader(state), null, 2)
  const header = Buffer.from(`${indented.slice('{\n'.length, -'\n}'.length)},`)
  const body = Buffer.from(`${MEMORY_KEY} ${encodeMemory(state, maxBytes)}\n}\n`)
  if (HEADER_START + header.length + body.length > maxBytes) throw snapshotTooLarge(state.id, maxBytes)
  const first = `{\n  "checksum": "crc32:${checksum(header)}-${checksum(body)}",\n`
  return Buffer.concat([Buffer.from(first), header, body])
}

/** The header with its keys in the order of the file; the return type holds it complete. */
function orderedHeader(state: SessionState): Record<keyof SessionHeader, unknown> {
  return {
    formatVersion: state.formatVersion,
    id: state.id,
    agentId: state.agentId,
    name: state.name,
    description: state.description,
    status: state.status,
    createdAt: state.createdAt,
    lastAccessedAt: state.lastAccessedAt,
    seq: state.seq,
    epoch: state.epoch,
    journalOffset: state.journalOffset,
    activation: state.activation,
    trashedAt: state.trashedAt,
    forkedFrom: state.forkedFrom,
    counts: state.counts,
    workingDir: state.workingDir,
    prompt: state.prompt,
    vars: state.vars,
    metadata: state.metadata,
    summary: state.summary,
    grants: state.grants,
    turn: state.turn,
    queue: state.queue,
    approvals: state.approvals,
    tasks: state.tasks,
  }
}

function encodeMemory({ id, memory }: SessionState, maxBytes: number): string {
  if (memory.length === 0) return '[]'
  let length = 0
  const entries = memory.map((entry) => {
    const text = JSON.stringify(entry)
    length += text.length
    if (length > maxBytes) throw snapshotTooLarge(id, maxBytes)
    return text
  })
  return `[\n    ${entries.join(',\n    ')}\n  ]`
}

/** Decodes a whole file that should hold the session `sessionId`. */
export function decodeSnapshot(bytes: Buffer, sessionId: string): DecodedSnapshot {
  if (bytes.length > MAX_BYTES) return newerOrBad(bytes, `it has more than ${MAX_BYTES} bytes`)
  const header = verifyHeader(bytes)
  if (header === undefined) return newerOrBad(bytes, 'it has no memory')
  if (header.kind !== 'verified') return header
  const sum = checksum(bytes.subarray(header.end))
  if (sum !== header.bodySum) return newerOrBad(bytes, expectedSum(header.bodySum, sum, 'memory'))
  const decoded = parse(bytes.toString(), sessionId)
  if (decoded.kind !== 'good') return decoded
  const { checksum: _checksum, ...state }: SessionState & { checksum?: unknown } = decoded.state
  return { kind: 'good', state }
}

/**
 * Decodes the header alone, from the first bytes of a file; the state has an empty memory. Undefined: the header does not end
 * within `bytes`.
 */
export function decodeSnapshotHeader(bytes: Buffer, sessionId: string): DecodedSnapshot | undefined {
  const header = verifyHeader(bytes)
  if (header === undefined || header.kind !== 'verified') return header
  return parse(`{${bytes.toString('utf8', HEADER_START, header.end)}"memory":[]}`, sessionId)
}

type VerifiedHeader = { kind: 'verified'; /** Where the memory key starts. */ end: number; bodySum: string }

function verifyHeader(
  bytes: Buffer,
): VerifiedHeader | Exclude<DecodedSnapshot, { kind: 'good' }> | undefined {
  const [, headerSum, bodySum] = FIRST_LINE.exec(bytes.toString('latin1', 0, HEADER_START)) ?? []
  if (headerSum === undefined || bodySum === undefined)
    return newerOrBad(bytes, 'it does not begin with a checksum')
  const end = bytes.indexOf(MEMORY_KEY)
  if (end === -1) return undefined
  const sum = checksum(bytes.subarray(HEADER_START, end))
  if (sum !== headerSum) return newerOrBad(bytes, expectedSum(headerSum, sum, 'header'))
  return { kind: 'verified', end, bodySum }
}

function expectedSum(expected: string, found: string, part: string): string {
  return `expected the checksum ${expected} for its ${part}, found ${found}`
}

/** N2 */
function newerOrBad(bytes: Buffer, reason: string): Exclude<DecodedSnapshot, { kind: 'good' }> {
  const version = Number(FORMAT_VERSION_NEAR_START.exec(bytes.toString('latin1', 0, NEAR_START))?.[1] ?? 0)
  return version > FORMAT_VERSION ? { kind: 'newer', formatVersion: version } : { kind: 'bad', reason }
}

/** The JSON of a snapshot whose checksums are right. */
function parse(json: string, sessionId: string): DecodedSnapshot {
  try {
    const value: unknown = JSON.parse(json)
    assertFits(value, sessionId)
    const { formatVersion } = value
    if (formatVersion > FORMAT_VERSION) return { kind: 'newer', formatVersion }
    return { kind: 'good', state: withAllKeys(value) }
  } catch (error) {
    return { kind: 'bad', reason: describeThrown(error) }
  }
}

/** What snapshots did not have before sessions knew of models. */
type Added = 'grants' | 'approvals'
type OldTurn = Omit<OpenTurn, 'steps' | 'usage' | 'steered'> & Partial<OpenTurn>
type OldState = Omit<SessionState, Added | 'turn'> &
  Partial<Pick<SessionState, Added>> & { turn: OldTurn | null }

const NO_COUNTS: SessionState['counts'] = { turns: 0, entries: 0, ...noUsage() }

function withAllKeys(state: OldState): SessionState {
  const { counts, grants = [], approvals = [], turn } = state
  const added = { steps: 0, usage: noUsage(), steered: [] }
  return {
    ...state,
    counts: { ...NO_COUNTS, ...counts },
    grants,
    approvals,
    turn: turn && { ...added, ...turn },
  }
}

/**
 * Throws unless the value is a state of this session. The checksums say that we wrote it, so this is for files that were renamed or
 * made by other programs, and only for what the store itself relies on.
 */
function assertFits(value: unknown, sessionId: string): asserts value is SessionState {
  const field = (key: keyof SessionState): unknown => Reflect.get(Object(value), key)
  if (field('id') !== sessionId) throw new Error(`expected the id ${sessionId}, found another`)
  for (const key of ['formatVersion', 'seq', 'epoch', 'journalOffset'] as const) {
    const number = field(key)
    if (typeof number !== 'number' || !Number.isSafeInteger(number) || number < 1) {
      throw new Error(`expected ${key} to be a positive integer`)
    }
  }
  if (typeof field('agentId') !== 'string') throw new Error('expected agentId to be text')
  if (!Array.isArray(field('memory'))) throw new Error('expected memory to be a list')
}
