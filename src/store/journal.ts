/**
 * The journal: every record of a session since it was created, one line each. It is only ever appended to.
 *
 *   {"seq":7,"epoch":3000001,"at":"2026-01-01T00:00:00.000Z","type":"session.trashed","crc":"0f1e2d3c"}\n
 *
 * A line is the JSON of the record, its keys in the order seq, epoch, at, type, then the fields of the type; then `crc`, the
 * CRC-32 (checksum.ts) of the bytes of the line before `,"crc":`; then one newline, the only newline byte in
 * the line, as JSON escapes those in text. JSON.stringify escapes lone surrogates too, so that every string comes back as it was.
 * Behind the type of the first record, session.created, comes the `formatVersion` of the journal; it is no part of the record.
 *
 * Invariants:
 * J1  a record that reads back is the record that was written: every bit of a line is covered by its checksum or compared.
 * J2  only what is behind the last newline can be torn: the beginning of a write that a crash cut off, maybe with NUL bytes
 *     in place of data that did not reach the disk. Everything else that does not verify is damage.
 * J3  a record whose epoch is lower than that of the record before it was written by an owner that had lost its claim: it is no part
 *     of the session. The seq of the others grows by 1.
 * J4  a journal whose first line says that it is of a newer format is `newer`, even where the line does not verify: it is not ours to
 *     judge or repair. A line without a version is of format 1. One that verifies with our version in it is ours, and damaged.
 */
import { quote } from '../core/ids.ts'
import type { RecordEnvelope, RecordType, SessionRecord } from '../core/record.ts'
import { FORMAT_VERSION } from '../core/session-state.ts'
import { describeThrown } from '../errors.ts'
import { checksum } from './checksum.ts'
import type { DurableFile } from './durable-fs.ts'

const NEWLINE = 0x0a
const CRC_KEY = ',"crc":"'
/** `,"crc":"`, 8 digits, `"}` */
const CRC_LENGTH = CRC_KEY.length + 10
/** How much is read at a time; more where a line is longer. */
const CHUNK_BYTES = 256 * 1024

const NEAR_START = 256
const VERSION_KEY = '"type":"session.created","formatVersion":'
const FORMAT_VERSION_NEAR_START = new RegExp(`${VERSION_KEY.replace('.', '\\.')}(\\d{1,9}),`)

/** A map, so that the compiler holds it complete. */
const RECORD_TYPES: Readonly<Record<RecordType, true>> = {
  'session.created': true,
  'session.changed': true,
  'session.trashed': true,
  'session.restored': true,
  'message.accepted': true,
  'turn.started': true,
  'message.steered': true,
  'step.model': true,
  'agent.asked': true,
  'approval.asked': true,
  'approval.answered': true,
  'memory.compacted': true,
  'tool.started': true,
  'tool.finished': true,
  'turn.finished': true,
}

/** Where a reading starts: `offset` is the start of a line, `seq` and `epoch` are those of the last record before it. */
export interface JournalPosition {
  offset: number
  seq: number
  epoch: number
}

export const JOURNAL_START: JournalPosition = { offset: 0, seq: 0, epoch: 0 }

/** A part of the journal, from byte `start` to byte `end` (exclusive), its newline included. */
export type JournalItem = { start: number; end: number } & (
  | { kind: 'record'; record: SessionRecord }
  | { kind: 'stale'; record: SessionRecord }
  /** What only a newer version writes: a type of record, or a format. The reading ends here. */
  | { kind: 'newer'; found: string }
  /** The reading ends here. */
  | { kind: 'damage'; reason: string }
  /** The last item, up to the end of the file. */
  | { kind: 'torn' }
)

/** The line of a record, its newline included. */
export function encodeRecord(record: SessionRecord): string {
  const { seq, epoch, at, type, ...fields } = record
  const version = type === 'session.created' ? { formatVersion: FORMAT_VERSION } : {}
  const body = JSON.stringify({ seq, epoch, at, type, ...version, ...fields }).slice(0, -1)
  return `${body}${CRC_KEY}${checksum(body)}"}\n`
}

/**
 * Reads the journal from `from` to the end that it has at the first step. What is appended meanwhile is not read, what a writer is
 * just writing may come as torn.
 */
export function* readJournal(
  file: DurableFile,
  from: JournalPosition = JOURNAL_START,
): Generator<JournalItem, void> {
  const { size } = file.info()
  let { seq, epoch } = from
  /** The bytes from `start` on that are read and not yet given out. */
  let pending: Buffer = Buffer.alloc(0)
  let start = from.offset
  while (start + pending.length < size) {
    const position = start + pending.length
    const wanted = Math.min(Math.max(CHUNK_BYTES, pending.length), size - position)
    const chunk = file.read(wanted, position)
    if (chunk.length === 0) break
    let searched = pending.length
    pending = searched === 0 ? chunk : Buffer.concat([pending, chunk])
    let taken = 0
    for (;;) {
      const newline = pending.indexOf(NEWLINE, searched)
      if (newline === -1) break
      const item = judge(pending.subarray(taken, newline), seq, epoch)
      const span = { start: start + taken, end: start + newline + 1 }
      yield { ...span, ...item }
      if (item.kind === 'damage' || item.kind === 'newer') return
      if (item.kind === 'record') ({ seq, epoch } = item.record)
      taken = newline + 1
      searched = taken
    }
    pending = pending.subarray(taken)
    start += taken
  }
  if (pending.length === 0) return
  const span = { start, end: start + pending.length }
  if (isTorn(pending)) yield { ...span, kind: 'torn' }
  else yield { ...span, kind: 'damage', reason: 'the record is whole, but no newline follows it' }
}

type Judgement =
  | { kind: 'record' | 'stale'; record: SessionRecord }
  | { kind: 'newer'; found: string }
  | { kind: 'damage'; reason: string }

function judge(line: Buffer, lastSeq: number, lastEpoch: number): Judgement {
  const decoded = decodeRecord(line)
  if (decoded.kind === 'damage' && lastSeq === 0 && !isOurs(line)) return newerFormat(line) ?? decoded
  if (decoded.kind !== 'record') return decoded
  const { record } = decoded
  if (record.epoch < lastEpoch) return { kind: 'stale', record }
  if (record.seq === lastSeq + 1) return decoded
  return { kind: 'damage', reason: `expected seq ${lastSeq + 1}, found seq ${record.seq}` }
}

/** The record of a line that comes without its newline. */
export function decodeRecord(line: Buffer): Exclude<Judgement, { kind: 'stale' }> {
  const bodyEnd = line.length - CRC_LENGTH
  if (bodyEnd < 1)
    return { kind: 'damage', reason: `a line of ${line.length} bytes is too short for a record` }
  const end = line.toString('latin1', bodyEnd)
  const expected = `${CRC_KEY}${checksum(line.subarray(0, bodyEnd))}"}`
  if (end !== expected) {
    return {
      kind: 'damage',
      reason: `expected a line that ends in ${expected}, found ${JSON.stringify(end)}`,
    }
  }
  let value: unknown
  try {
    value = JSON.parse(`${line.toString('utf8', 0, bodyEnd)}}`)
  } catch (error) {
    return { kind: 'damage', reason: `the line is no JSON: ${describeThrown(error)}` }
  }
  if (!isEnvelope(value)) return { kind: 'damage', reason: 'expected a record with seq, epoch, at and type' }
  if (value.type === 'session.created') {
    const newer = newerFormat(line)
    if (newer) return newer
    Reflect.deleteProperty(value, 'formatVersion')
  }
  return isRecord(value)
    ? { kind: 'record', record: value }
    : { kind: 'newer', found: `a record of type ${quote(value.type)}` }
}

/** J4: true where all that is wrong with the line is its version. */
function isOurs(line: Buffer): boolean {
  const ours = line.toString('latin1').replace(FORMAT_VERSION_NEAR_START, `${VERSION_KEY}${FORMAT_VERSION},`)
  return decodeRecord(Buffer.from(ours, 'latin1')).kind === 'record'
}

/** J4 */
function newerFormat(line: Buffer): { kind: 'newer'; found: string } | undefined {
  const [, version] = FORMAT_VERSION_NEAR_START.exec(line.toString('latin1', 0, NEAR_START)) ?? []
  return version !== undefined && Number(version) > FORMAT_VERSION
    ? { kind: 'newer', found: `format ${version}` }
    : undefined
}

type Envelope = RecordEnvelope & { type: string }

/** The checksum says that we wrote the line: its fields are those of its type. */
function isRecord(value: Envelope): value is SessionRecord {
  return Object.hasOwn(RECORD_TYPES, value.type)
}

function isEnvelope(value: unknown): value is Envelope {
  if (typeof value !== 'object' || value === null) return false
  if (!('seq' in value && 'epoch' in value && 'at' in value && 'type' in value)) return false
  const { seq, epoch, at, type } = value
  return (
    Number.isSafeInteger(seq) &&
    Number.isSafeInteger(epoch) &&
    typeof at === 'string' &&
    typeof type === 'string'
  )
}

/**
 * True for bytes that a cut-off write can have left behind the last newline. A whole record with another byte in the newline's
 * place is damage: it may have been acknowledged. With nothing behind it, or NUL bytes, it was not: its write had not ended.
 */
function isTorn(tail: Buffer): boolean {
  let from = 0
  for (;;) {
    const key = tail.indexOf(CRC_KEY, from)
    if (key === -1) return true
    const end = key + CRC_LENGTH
    if (end < tail.length && decodeRecord(tail.subarray(0, end)).kind !== 'damage') {
      return tail.subarray(end).every((byte) => byte === 0)
    }
    from = key + 1
  }
}
