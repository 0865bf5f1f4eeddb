/**
 * What must hold of the disk after a kill, whatever the instant of it.
 *
 * A kill -9 takes the process, not the machine: what was written and not yet synced is still in the kernel's memory and reaches
 * the disk. So these campaigns show that nothing is acknowledged before it is written, and that every cut is mended; that it is
 * synced as well can be shown by a power cut only, or by watching the calls (the tests of the store do that).
 */
import { strict as assert } from 'node:assert'
import type { SessionInfo } from '../../src/api.ts'
import { headerOf } from '../../src/core/fold.ts'
import type { RecordType, SessionRecord } from '../../src/core/record.ts'
import type { SessionHeader } from '../../src/core/session-state.ts'
import { MAX_ATTEMPTS } from '../../src/core/turn.ts'
import { epochOf } from '../../src/store/claims.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { outcomeOf } from '../../src/protocol/outcome.ts'
import type { KillReport } from '../fakes/kill-protocol.ts'
import type { StepsInput } from '../fakes/kill-behavior.ts'
import type { DiskState, SessionOnDisk } from './kill-disk.ts'
import type { KillLedger } from './kill-ledger.ts'

/** Journals are only ever appended to: each begins with all that was there at the kill before. */
export function checkJournalsGrew(before: DiskState, now: DiskState): void {
  for (const [id, { journal }] of before.sessions) {
    const grown = now.sessions.get(id)?.journal
    assert(grown !== undefined, `session ${id} is gone`)
    assert(grown.subarray(0, journal.length).equals(journal), `the journal of session ${id} was changed`)
  }
}

/** Every answer that was given is in the journal and in the memory, exactly once and as it was given. */
export function checkAcknowledged(ledger: KillLedger, disk: DiskState): void {
  const accepted = byTurn(disk, 'message.accepted')
  const finished = byTurn(disk, 'turn.finished')
  for (const [turnId, { input, outcome }] of [...ledger.finished, ...ledger.accepted]) {
    assert.equal(accepted.get(turnId)?.length, 1, `turn ${turnId} was acknowledged: acceptances of it`)
    assert.equal(accepted.get(turnId)?.[0]?.record.input, input)
    assert.equal(accepted.get(turnId)?.[0]?.session.id, outcome.sessionId)
  }
  for (const [turnId, { input, outcome }] of ledger.finished) {
    const [end, ...more] = finished.get(turnId) ?? []
    assert(
      end !== undefined && more.length === 0,
      `turn ${turnId} was acknowledged as ${outcome.status}: ends of it`,
    )
    const { state } = end.session
    const isRemembered = state.tasks.some((task) => task.turnId === turnId)
    if (isRemembered) assert.deepEqual(outcomeOf(state, turnId), outcome)
    const entries = state.memory.filter((entry) => entry.turnId === turnId)
    assert.equal(entries.filter((entry) => entry.role === 'user' && entry.content === input).length, 1)
    if (outcome.status === 'completed') assert.equal(entries.at(-1)?.content, outcome.result)
  }
}

/** Every turn is whole: accepted once, started once for each attempt, ended once, and a completed one has its true result. */
export function checkTurns(disk: DiskState): void {
  const starts = byTurn(disk, 'turn.started')
  const ends = byTurn(disk, 'turn.finished')
  for (const [turnId, acceptances] of byTurn(disk, 'message.accepted')) {
    const [acceptance, ...more] = acceptances
    assert(acceptance !== undefined && more.length === 0, `turn ${turnId} was accepted more than once`)
    const { session } = acceptance
    const attempts = (starts.get(turnId) ?? []).map((start) => start.record)
    assert.deepEqual(
      attempts.map((start) => start.attempt),
      attempts.map((_, index) => index + 1),
    )
    assert.equal(
      new Set(attempts.map((start) => start.epoch)).size,
      attempts.length,
      `turn ${turnId}: attempts of one run`,
    )
    const [end, ...otherEnds] = ends.get(turnId) ?? []
    assert(otherEnds.length === 0, `turn ${turnId} ended more than once`)
    if (end === undefined) {
      const isOpen = session.state.turn?.turnId === turnId
      assert(
        isOpen || session.state.queue.some((message) => message.turnId === turnId),
        `turn ${turnId} is lost`,
      )
      continue
    }
    const lastAttempt = attempts.at(-1)
    checkEnd(end.record, session, acceptance.record.input, lastAttempt?.attempt ?? 0, lastAttempt?.epoch)
  }
}

function checkEnd(
  end: Of<'turn.finished'>,
  { state }: SessionOnDisk,
  input: string,
  attempts: number,
  lastEpoch: number | undefined,
): void {
  const { turnId, status } = end
  const result = state.memory.findLast((entry) => entry.turnId === turnId)?.content
  const what = `turn ${turnId} of ${state.agentId}`
  switch (status) {
    case 'completed':
      assert(lastEpoch === end.epoch, `${what} was completed by another run than the one that ran it`)
      if (state.agentId.startsWith('echo')) assert.equal(result, input)
      else if (state.agentId === 'steps') {
        assert.equal(result, `${(JSON.parse(input) as StepsInput).steps} steps`)
      } else assert(typeof end.exitCode === 'number', `${what} has no exit code`)
      return
    case 'interrupted':
      assert(lastEpoch !== end.epoch, `${what} was interrupted by no kill`)
      return
    case 'failed':
      assert.equal(end.error?.code, 'poison_turn', `${what} failed`)
      assert.equal(attempts, MAX_ATTEMPTS)
      return
    case 'cancelled':
      assert.fail(`${what} was cancelled by nobody`)
  }
}

/**
 * No command and no tool call ran twice or unrecorded, and a call that a kill cut off ended `unknown`: in the journal each has one
 * start, which was there before the effect, and one end.
 */
export function checkToolCalls(disk: DiskState): void {
  const effects = new Set(disk.effects)
  assert.equal(
    effects.size,
    disk.effects.length,
    `something ran twice: ${duplicates(disk.effects).join(', ')}`,
  )
  const ends = new Map<string, Of<'tool.finished'>>()
  for (const { key, record } of toolRecords(disk, 'tool.finished')) {
    assert(!ends.has(key), `call ${key} ended more than once`)
    ends.set(key, record)
  }
  const started = new Set<string>()
  for (const { key, record } of toolRecords(disk, 'tool.started')) {
    assert(!started.has(key), `call ${key} was started more than once`)
    started.add(key)
    const end = ends.get(key)
    if (end === undefined) continue
    if (end.epoch !== record.epoch) assert.equal(end.outcome, 'unknown', `call ${key} was cut off by a kill`)
    else assert.equal(end.outcome, 'ok', `call ${key}`)
    if (end.outcome === 'ok') assert(effects.has(key), `call ${key} ended well and left no effect`)
  }
  for (const key of effects) assert(started.has(key), `${key} ran without a record of its start`)
}

/** The effect that a call leaves (kill-team.ts, kill-behavior.ts): one command a turn, or one of several steps. */
function toolRecords<T extends 'tool.started' | 'tool.finished'>(
  disk: DiskState,
  type: T,
): { key: string; record: Of<T> }[] {
  return [...disk.sessions.values()].flatMap((session) =>
    recordsOf(session, type).map((record) => ({ key: effectOf(session, record), record })),
  )
}

function effectOf(
  { state }: SessionOnDisk,
  { turnId, toolCallId }: Of<'tool.started' | 'tool.finished'>,
): string {
  return state.agentId === 'steps' ? `${turnId}/${toolCallId}` : turnId
}

/** Answered session commands stand: sessions exist, ended ones stay ended, edits are there, and the current one is current. */
export function checkSessions(ledger: KillLedger, disk: DiskState): void {
  for (const acknowledged of ledger.sessions.values()) {
    const { id, n, highestTriedN, terminated, trashed, pendingMove } = acknowledged
    const session = disk.sessions.get(id)
    assert(session !== undefined, `session ${id} was acknowledged and is gone`)
    const { state, place, movingSinceMs } = session
    if (terminated) assert.equal(state.status, 'terminated', `status of session ${id}`)
    if (!pendingMove) {
      assert.equal(state.trashedAt !== undefined, trashed, `session ${id} in the trash`)
      assert.equal(place, trashed ? 'trash' : 'sessions')
      assert(movingSinceMs === undefined, `the move of session ${id} was acknowledged and is not over`)
    }
    if (n !== undefined) {
      const found = Number(state.metadata['n'])
      assert(
        found >= n && found <= (highestTriedN ?? n),
        `metadata of session ${id}: expected ${n}, found ${found}`,
      )
    }
  }
  for (const [agentId, sessionId] of ledger.current) {
    const active = activeSessions(disk, agentId).map(({ id }) => id)
    assert.deepEqual(active, [sessionId], `the current session of ${agentId}`)
  }
}

/** A session reads the same from its snapshot and tail as from its whole journal, and nothing that is there is unreadable. */
export async function checkReads(directory: string, disk: DiskState): Promise<void> {
  const store = createFileStore({ directory })
  for (const { id, state, place, movingSinceMs } of disk.sessions.values()) {
    if (place === 'trash' || movingSinceMs !== undefined || state.trashedAt !== undefined) continue
    assert.deepEqual(
      (await store.load(id)).state,
      state,
      `session ${id} from its snapshot and from its journal`,
    )
  }
  for await (const { sessionId, problem } of store.list()) {
    assert.equal(problem, undefined, `session ${sessionId} cannot be read`)
  }
}

/** The start after a kill: it saw what the kill had left, and cleared up. `crashed` is the disk at the kill, `now` at the next one. */
export function checkStart(reports: readonly KillReport[], crashed: DiskState, now: DiskState): void {
  const up = reports.find((report) => report.type === 'up')
  if (up === undefined) return
  checkCatalog(up.sessions, crashed)
  for (const temp of crashed.temps) assert(!now.temps.includes(temp), `${temp} was left by the start`)
  for (const { id, movingSinceMs } of crashed.sessions.values()) {
    const isLeft = movingSinceMs !== undefined && now.sessions.get(id)?.movingSinceMs === movingSinceMs
    assert(!isLeft, `the start did not finish the move of session ${id}`)
  }
  for (const report of reports) if (report.type === 'back') checkBack(report, up.epoch, crashed, now)
}

/** The catalog of a start holds what is on the disk; agents may have gone on with their work already. */
function checkCatalog(catalog: readonly SessionInfo[], crashed: DiskState): void {
  const listed = new Map(catalog.map((session) => [session.id, session]))
  for (const { id, state } of crashed.sessions.values()) {
    const info = listed.get(id)
    assert.equal(info === undefined, state.trashedAt !== undefined, `session ${id} in the catalog`)
    if (info === undefined) continue
    assert(info.seq >= state.seq, `session ${id} is at ${info.seq} in the catalog, at ${state.seq} on disk`)
    if (info.seq === state.seq) assert.deepEqual(headerIn(info), headerIn(headerOf(state)))
  }
}

/** An agent that answers has settled what the kill cut off, and no command of an earlier run goes on beside it. */
function checkBack(
  { agentId, leftovers }: KillReport & { type: 'back' },
  epoch: number,
  crashed: DiskState,
  now: DiskState,
): void {
  assert.deepEqual(leftovers, [], `processes of ${agentId} that outlived its return`)
  const isOfThisRun = (record: SessionRecord): boolean => epochOf(record.epoch) === epoch
  for (const { id, state, records } of now.sessions.values()) {
    const { turn } = state
    if (state.agentId !== agentId || turn === null) continue
    const isTakenUp = records.some((record) => isOfThisRun(record) && isStartOf(record, turn.turnId))
    assert(isTakenUp, `turn ${turn.turnId} of session ${id} was left open`)
  }
  // A kill in the middle of a switch leaves two active sessions: the later one is current.
  const [, ...strays] = activeSessions(crashed, agentId)
  for (const { id, records } of strays) {
    const isSuspended = now.sessions.get(id)?.records.slice(records.length).some(isOfThisRun)
    assert(isSuspended, `session ${id} was left active beside the current one`)
  }
}

function isStartOf(record: SessionRecord, turnId: string): boolean {
  return record.type === 'turn.started' && record.turnId === turnId
}

/** The last one that became active first. */
function activeSessions(disk: DiskState, agentId: string): SessionOnDisk[] {
  return [...disk.sessions.values()]
    .filter(({ state }) => state.agentId === agentId && state.status === 'active')
    .sort((a, b) => b.state.activation - a.state.activation)
}

/** With all work done nothing is left over, and the catalog equals what a fresh look at the disk gives. */
export async function checkRest(
  directory: string,
  reports: readonly KillReport[],
  ledger: KillLedger,
  disk: DiskState,
): Promise<void> {
  const quiet = reports.find((report) => report.type === 'quiet')
  assert(quiet !== undefined)
  assert.deepEqual(disk.temps, [])
  for (const { id, state, place, movingSinceMs } of disk.sessions.values()) {
    assert(
      movingSinceMs === undefined && (place === 'trash') === (state.trashedAt !== undefined),
      `session ${id} is in the wrong place`,
    )
    assert(state.turn === null && state.queue.length === 0, `session ${id} has unfinished work`)
  }
  const ended = byTurn(disk, 'turn.finished')
  for (const turnId of ledger.accepted.keys())
    assert(ended.has(turnId), `turn ${turnId} was accepted and never ran`)
  const store = createFileStore({ directory })
  assert.deepEqual(byId(quiet.sessions.map(scanned)), byId(await Array.fromAsync(store.list(), scanned)))
  assert.deepEqual(byId(quiet.trash.map(scanned)), byId(await Array.fromAsync(store.listTrash(), scanned)))
}

type Scanned = { diskBytes: number; header: unknown; id: string }

function scanned(
  session: SessionInfo | { header?: SessionHeader; sessionId: string; diskBytes: number },
): Scanned {
  if ('sessionId' in session)
    return {
      id: session.sessionId,
      header: session.header && headerIn(session.header),
      diskBytes: session.diskBytes,
    }
  return { id: session.id, header: headerIn(session), diskBytes: session.diskBytes }
}

/** What lists and headers have in common. */
function headerIn({
  current: _current,
  diskBytes: _diskBytes,
  tasks: _tasks,
  ...header
}: Partial<SessionInfo & SessionHeader>): Partial<SessionHeader> {
  return header
}

function byId(sessions: readonly Scanned[]): Scanned[] {
  return [...sessions].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** A record of one type. */
type Of<T extends RecordType> = Extract<SessionRecord, { type: T }>

type Found<T extends RecordType> = { session: SessionOnDisk; record: Of<T> }

/** All records of a type over all sessions, by the turn that they name. */
function byTurn<T extends RecordType & ('message.accepted' | 'turn.started' | 'turn.finished')>(
  disk: DiskState,
  type: T,
): Map<string, Found<T>[]> {
  const found = new Map<string, Found<T>[]>()
  for (const session of disk.sessions.values()) {
    for (const record of recordsOf(session, type)) {
      const { turnId } = record as { turnId: string }
      found.set(turnId, [...(found.get(turnId) ?? []), { session, record }])
    }
  }
  return found
}

function recordsOf<T extends RecordType>({ records }: SessionOnDisk, type: T): Of<T>[] {
  return records.filter((record): record is Of<T> => record.type === type)
}

function duplicates(lines: readonly string[]): string[] {
  return lines.filter((line, index) => lines.indexOf(line) !== index)
}
