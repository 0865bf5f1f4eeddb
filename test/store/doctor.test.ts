import type { TaskEntry } from '../../src/core/session-state.ts'
import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { isAgentryError } from '../../src/errors.ts'
import { adoptState } from '../../src/store/adopt-state.ts'
import { examine, type Finding, type RepairKind } from '../../src/store/doctor.ts'
import type { DurableFs } from '../../src/store/durable-fs.ts'
import { encodeRecord } from '../../src/store/journal.ts'
import { repair } from '../../src/store/repair.ts'
import { encodeSnapshot } from '../../src/store/snapshot.ts'
import { storageError } from '../../src/store/storage-errors.ts'
import { journal as anyJournal, replay } from '../core/journals.ts'
import { DataDirectory, unsyncedFs } from '../fakes/data-directory.ts'
import { FailingFs } from '../fakes/failing-fs.ts'
import { claimOf, creation, enveloped, renaming, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const later = claimOf(4)
/** Creation, a finished turn, a running one, one in the queue: 14 records. */
const recordsOf = (id: string): SessionRecord[] => [
  ...creation(claim, id),
  ...turn(claim, 1),
  ...turn(claim, 6).slice(0, 3),
  ...enveloped(claim, 9, [
    { type: 'message.accepted', turnId: 'queued', taskId: 'task', input: 'wait', from: 'me' },
  ]),
  ...renaming(claim, 10, 'renamed'),
]

test('a healthy directory has no findings, whether it is empty, at work or in the trash', async () => {
  const data = new DataDirectory()
  expect(await findingsIn(data)).toEqual([])
  const [id, trashed] = [createId(), createId()]
  await data.create(claim, id, recordsOf(id), 4)
  await data.create(claim, trashed, creation(claim, trashed))
  await data.store().trash(claim, trashed)
  expect(await findingsIn(data)).toEqual([])
})

test('a journal that can be read but not written is found, and nothing is done about it', async () => {
  const data = new DataDirectory()
  const id = createId()
  await data.create(claim, id, recordsOf(id), 4)
  const { journal } = data.files(id)
  const readOnly: DurableFs = {
    ...unsyncedFs,
    open(path, mode) {
      if (path !== journal || mode === 'read') return unsyncedFs.open(path, mode)
      throw storageError(
        Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' }),
        'open',
        path,
      )
    },
  }
  const findings = await Array.fromAsync(examine(data.path, { fs: readOnly }))
  expect(findings).toMatchObject([{ kind: 'unwritable', place: 'sessions', sessionId: id }])
  expect(findings[0]?.message).toContain(`${journal} cannot be written`)
  expect(findings.flatMap((finding) => repair(data.path, finding, { dryRun: false }))).toEqual([])
})

test('any legal journal with the snapshot of any of its records has no findings', async () => {
  await fc.assert(
    fc.asyncProperty(anyJournal, fc.nat(), async (records, cut) => {
      const data = new DataDirectory()
      const [first] = records
      if (first?.type !== 'session.created') throw new Error('no creation')
      const covered = records.slice(0, (cut % records.length) + 1)
      const { journal, snapshot } = data.files(first.sessionId)
      writeFileSync(journal, records.map(encodeRecord).join(''))
      const journalOffset = Buffer.byteLength(covered.map(encodeRecord).join(''))
      writeFileSync(snapshot, encodeSnapshot({ ...replay(covered), journalOffset }))
      expect(await findingsIn(data)).toEqual([])
    }),
    { numRuns: 30 },
  )
})

/** How files are spoiled, what the doctor says of it, and how much of the session a repair keeps. */
interface Case {
  what: string
  covered: number
  spoil: (files: { journal: string; snapshot: string; bytes: Buffer }) => void
  kinds: string[]
  repairs: (RepairKind | undefined)[]
  /** The last record that is kept. */
  lastKept: number
}

const cases: Case[] = [
  {
    what: 'a snapshot that is gone',
    covered: 11,
    spoil: ({ snapshot }) => rmSync(snapshot),
    kinds: ['snapshot'],
    repairs: ['rebuild-snapshot'],
    lastKept: 11,
  },
  {
    what: 'a snapshot that is garbage',
    covered: 11,
    spoil: ({ snapshot }) => writeFileSync(snapshot, 'garbage'),
    kinds: ['snapshot'],
    repairs: ['rebuild-snapshot'],
    lastKept: 11,
  },
  {
    what: 'a snapshot that says something else than the journal',
    covered: 8,
    spoil: ({ snapshot }) => {
      const { checksum: _checksum, ...state } = JSON.parse(readFileSync(snapshot, 'utf8')) as SessionState & {
        checksum: string
      }
      writeFileSync(snapshot, encodeSnapshot({ ...state, name: 'another' }))
    },
    kinds: ['snapshot'],
    repairs: ['rebuild-snapshot'],
    lastKept: 11,
  },
  {
    what: 'a torn tail',
    covered: 8,
    spoil: ({ journal }) => appendFileSync(journal, '{"seq":12,"ep'),
    kinds: ['torn-tail'],
    repairs: ['cut-torn-tail'],
    lastKept: 11,
  },
  {
    what: 'a torn tail and no snapshot',
    covered: 0,
    spoil: ({ journal }) => appendFileSync(journal, Buffer.alloc(100)),
    kinds: ['torn-tail', 'snapshot'],
    repairs: ['cut-torn-tail', 'rebuild-snapshot'],
    lastKept: 11,
  },
  {
    what: 'damage before the end of the snapshot',
    covered: 8,
    spoil: ({ journal, bytes }) => writeFileSync(journal, spoiled(bytes, 3)),
    kinds: ['journal-damaged'],
    repairs: ['adopt-snapshot'],
    lastKept: 11,
  },
  {
    what: 'damage before and behind the end of the snapshot',
    covered: 8,
    spoil: ({ journal, bytes }) => writeFileSync(journal, spoiled(spoiled(bytes, 3), 10)),
    kinds: ['journal-damaged'],
    repairs: ['adopt-snapshot'],
    lastKept: 10,
  },
  {
    what: 'damage behind the end of the snapshot',
    covered: 8,
    spoil: ({ journal, bytes }) => writeFileSync(journal, spoiled(bytes, 9)),
    kinds: ['journal-damaged'],
    repairs: ['keep-readable'],
    lastKept: 9,
  },
  {
    what: 'damage without a snapshot',
    covered: 0,
    spoil: ({ journal, bytes }) => writeFileSync(journal, spoiled(bytes, 5)),
    kinds: ['journal-damaged'],
    repairs: ['keep-readable'],
    lastKept: 5,
  },
  {
    what: 'a journal that is gone',
    covered: 8,
    spoil: ({ journal }) => rmSync(journal),
    kinds: ['journal-missing'],
    repairs: ['adopt-snapshot'],
    lastKept: 8,
  },
  {
    what: 'a journal that is shorter than its snapshot says',
    covered: 8,
    spoil: ({ journal }) => truncateSync(journal, 700),
    kinds: ['torn-tail', 'journal-truncated'],
    repairs: ['cut-torn-tail', 'adopt-snapshot'],
    lastKept: 8,
  },
  {
    what: 'a journal that is empty under its snapshot',
    covered: 8,
    spoil: ({ journal }) => truncateSync(journal, 0),
    kinds: ['journal-truncated'],
    repairs: ['adopt-snapshot'],
    lastKept: 8,
  },
]

describe.each(cases)('$what', ({ covered, spoil, kinds, repairs, lastKept }) => {
  const setUp = async () => {
    const data = new DataDirectory()
    const id = createId()
    await data.create(claim, id, recordsOf(id), covered)
    const files = data.files(id)
    spoil({ ...files, bytes: readFileSync(files.journal) })
    return { data, id, files }
  }

  test('is found, and left alone by the examination and a dry run', async () => {
    const { data, id } = await setUp()
    const before = contentOf(data)
    const findings = await findingsIn(data)
    expect(findings.map(({ kind }) => kind)).toEqual(kinds)
    expect(findings.map((finding) => finding.repair)).toEqual(repairs)
    for (const finding of findings) {
      expect(finding).toMatchObject({ sessionId: id, place: 'sessions' })
      expect(finding.message).toContain(id)
      expect(repair(data.path, finding).length).toBeGreaterThan(0)
    }
    expect(contentOf(data)).toEqual(before)
  })

  test(`is repaired up to record ${lastKept}, with the old files in quarantine`, async () => {
    const { data, id, files } = await setUp()
    const contents = (): string[] => [files.journal, files.snapshot].flatMap(contentIfThere)
    const before = contents()
    await repairAll(data)
    const kept = [...data.quarantine().values()].map((bytes) => bytes.toString('latin1'))
    for (const content of before) {
      // Of a torn journal it is the tail that is kept.
      const isThere =
        contents().includes(content) || kept.some((part) => part !== '' && content.endsWith(part))
      expect(isThere || content === '').toBe(true)
    }
    expect(await findingsIn(data)).toEqual([])
    await expectRepaired(data, id, lastKept, repairs.includes('adopt-snapshot'))
  })

  test('is still repaired to the same when a crash cuts the repair off at any call', async () => {
    let cuts = 0
    for (let n = 1; ; n++) {
      const { data, id } = await setUp()
      const failing = new FailingFs()
      const findings = await findingsIn(data)
      failing.crashAt(n)
      try {
        for (const finding of findings) repair(data.path, finding, { dryRun: false, fs: failing.fs })
        break
      } catch (error) {
        if (!isAgentryError(error, 'storage_failed')) throw error
        cuts += 1
      }
      await repairAll(data)
      expect(await findingsIn(data), `call ${n}`).toEqual([])
      await expectRepaired(data, id, lastKept, repairs.includes('adopt-snapshot'))
    }
    expect(cuts).toBeGreaterThan(5)
  })
})

test('a repair works in the trash as well, and the session stays there', async () => {
  const data = new DataDirectory()
  const id = createId()
  await data.create(claim, id, recordsOf(id))
  const store = data.store()
  await store.trash(claim, id)
  const journal = join(data.folders.trash, `${id}.journal.jsonl`)
  const bytes = readFileSync(journal)
  writeFileSync(journal, spoiled(bytes, 2))
  expect(await findingsIn(data)).toMatchObject([{ kind: 'journal-damaged', place: 'trash', sessionId: id }])
  await repairAll(data)
  expect(await findingsIn(data)).toEqual([])
  expect(await Array.fromAsync(store.list())).toEqual([])
  await store.restore(later, id)
  expect((await store.load(id)).state.name).toBe('renamed')
})

test('what cannot be repaired is named without a repair', async () => {
  const data = new DataDirectory()
  const [first, newer, unreadable, both] = [createId(), createId(), createId(), createId()]
  for (const id of [first, newer, unreadable, both]) await data.create(claim, id, creation(claim, id))
  rmSync(data.files(first).snapshot)
  writeFileSync(data.files(first).journal, 'garbage\n')
  const text = readFileSync(data.files(newer).snapshot, 'utf8')
  writeFileSync(data.files(newer).snapshot, text.replace('"formatVersion": 1', '"formatVersion": 2'))
  rmSync(data.files(unreadable).journal)
  mkdirSync(data.files(unreadable).journal)
  rmSync(data.files(both).journal)
  writeFileSync(data.files(both).snapshot, 'garbage')
  writeFileSync(join(data.path, 'notes.txt'), '')
  const findings = await findingsIn(data)
  const kindOf = (id: string) => findings.find(({ sessionId }) => sessionId === id)?.kind
  expect([first, newer, unreadable, both].map(kindOf)).toEqual([
    'journal-damaged',
    'newer-format',
    'unreadable',
    'journal-missing',
  ])
  expect(findings.find(({ kind }) => kind === 'foreign-file')?.message).toContain('notes.txt')
  expect(findings).toHaveLength(5)
  const before = contentOf(data)
  for (const finding of findings) expect(repair(data.path, finding, { dryRun: false })).toEqual([])
  expect(contentOf(data)).toEqual(before)
})

test('a stale record is found and stays', async () => {
  const data = new DataDirectory()
  const id = createId()
  await data.create(claim, id, recordsOf(id))
  appendFileSync(data.files(id).journal, renaming(claimOf(2), 11, 'stale').map(encodeRecord).join(''))
  const findings = await findingsIn(data)
  expect(findings).toMatchObject([{ kind: 'stale-record', sessionId: id }])
  await repairAll(data)
  expect(await findingsIn(data)).toEqual(findings)
})

test('a repair of a session that is not as it was found is refused, and changes nothing', async () => {
  const data = new DataDirectory()
  const id = createId()
  await data.create(claim, id, recordsOf(id))
  const before = contentOf(data)
  for (const kind of ['cut-torn-tail', 'keep-readable'] as const) {
    const finding: Finding = {
      kind: 'torn-tail',
      place: 'sessions',
      sessionId: id,
      message: '',
      repair: kind,
    }
    expect(() => repair(data.path, finding, { dryRun: false })).toThrow('examine it again')
  }
  writeFileSync(data.files(id).snapshot, 'garbage')
  const finding: Finding = {
    kind: 'journal-damaged',
    place: 'sessions',
    sessionId: id,
    message: '',
    repair: 'adopt-snapshot',
  }
  expect(() => repair(data.path, finding, { dryRun: false })).toThrow('examine it again')
  writeFileSync(data.files(id).snapshot, before.get(`${id}.json`) ?? '')
  expect(contentOf(data)).toEqual(before)
})

test('a state that is adopted comes back but for seqs, token counts and an open turn, for any legal journal', () => {
  fc.assert(
    fc.property(anyJournal, (records) => {
      const state = replay(records)
      const adopted = replay(adoptState(state))
      const { turn, tasks } = state
      expect(adopted).toEqual({
        ...state,
        seq: adopted.seq,
        journalOffset: 0,
        counts: adopted.counts,
        turn: null,
        grants: [],
        approvals: [],
        tasks: turn === null ? tasks.map(withoutUsage) : adopted.tasks,
        memory: state.memory.map((entry) => ({ ...entry, seq: 1 })),
      })
      expect(adopted.counts.entries).toBe(state.memory.length)
      if (turn !== null)
        expect(adopted.tasks.at(-1)).toMatchObject({ turnId: turn.turnId, status: 'interrupted' })
    }),
    { numRuns: 100 },
  )
})

function withoutUsage({ usage: _usage, into: _into, ...task }: TaskEntry): TaskEntry {
  return task
}

/** The bytes of a journal with the line behind record `seq` changed. */
function spoiled(bytes: Buffer, seq: number): Buffer {
  const lines = bytes.toString().split('\n')
  lines[seq] = lines[seq]?.replace('"at":"2', '"at":"3') ?? ''
  return Buffer.from(lines.join('\n'))
}

async function expectRepaired(
  data: DataDirectory,
  id: string,
  kept: number,
  isAdopted: boolean,
): Promise<void> {
  const store = data.store()
  const { state, notes } = await store.load(id, later)
  expect(notes.filter(({ kind }) => kind !== 'snapshot-rebuilt')).toEqual([])
  const expected = replay(recordsOf(id).slice(0, kept))
  expect(state).toMatchObject({ name: expected.name, vars: expected.vars, metadata: expected.metadata })
  expect(state.memory.map(({ content }) => content)).toEqual(expected.memory.map(({ content }) => content))
  expect(state.queue.map(({ taskId }) => taskId)).toEqual(expected.queue.map(({ taskId }) => taskId))
  if (!isAdopted) expect(state.seq).toBe(kept)
  await store.append(later, id, state.seq, renaming(later, state.seq, 'goes on'))
  expect((await data.store().load(id)).state.name).toBe('goes on')
  await store.release(id)
}

async function repairAll(data: DataDirectory): Promise<void> {
  for (let round = 0; round < 3; round++) {
    for (const finding of await findingsIn(data)) {
      try {
        repair(data.path, finding, { dryRun: false, fs: unsyncedFs })
      } catch (error) {
        // A finding that the repair of the one before has settled.
        if (!isAgentryError(error, 'invalid_input')) throw error
      }
    }
  }
}

async function findingsIn(data: DataDirectory): Promise<Finding[]> {
  return Array.fromAsync(examine(data.path))
}

function contentIfThere(path: string): string[] {
  try {
    return [readFileSync(path, 'latin1')]
  } catch {
    return []
  }
}

function contentOf(data: DataDirectory): Map<string, string> {
  return new Map(
    readdirSync(data.path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name), 'latin1')]),
  )
}
