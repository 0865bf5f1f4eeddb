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
import type { RecordBody, SessionRecord } from '../../src/core/record.ts'
import type { SessionState } from '../../src/core/session-state.ts'
import { isAgentryError } from '../../src/errors.ts'
import { outcomeOf } from '../../src/protocol/outcome.ts'
import { toConversation } from '../../src/runtime/behaviors/llm/conversation.ts'
import { adoptState } from '../../src/store/adopt-state.ts'
import { examine, type Finding, type RepairKind } from '../../src/store/doctor.ts'
import type { DurableFs } from '../../src/store/durable-fs.ts'
import { encodeRecord } from '../../src/store/journal.ts'
import { repair } from '../../src/store/repair.ts'
import { encodeSnapshot } from '../../src/store/snapshot.ts'
import { storageError } from '../../src/store/storage-errors.ts'
import { journal as anyJournal, journalOf, replay } from '../core/journals.ts'
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

describe('a state that is adopted comes back, for any legal journal,', () => {
  const summedUp = ({ memory, summary }: SessionState): number =>
    memory.filter(({ seq }) => seq <= (summary?.throughSeq ?? 0)).length

  test('as it was but for its seqs, where no turn was open', () => {
    fc.assert(
      fc.property(anyJournal, (records) => {
        const state = replay(records)
        fc.pre(state.turn === null)
        const adopted = replay(adoptState(state))
        const { summary, ...rest } = state
        expect(adopted).toEqual({
          ...rest,
          seq: adopted.seq,
          journalOffset: 0,
          ...(summary && { summary: { text: summary.text, throughSeq: 0, seq: 1 } }),
          memory: state.memory.map((entry, index) => ({ ...entry, seq: index < summedUp(state) ? 0 : 1 })),
        })
        expect(toConversation(adopted.memory, adopted.summary)).toEqual(toConversation(state.memory, summary))
        for (const { turnId } of state.tasks)
          expect(outcomeOf(adopted, turnId)).toEqual(outcomeOf(state, turnId))
      }),
      { numRuns: 200 },
    )
  })

  test('with the open turn ended: its calls, the messages that it took in, and its questions', () => {
    fc.assert(
      fc.property(anyJournal, (records) => {
        const state = replay(records)
        const { turn } = state
        if (turn === null) return
        const before = structuredClone(state)
        const adopted = replay(adoptState(state))
        expect(state).toEqual(before)
        const cutOff = [
          ...turn.calls
            .filter((call) => call.state === 'running')
            .map(({ toolCallId }) => [toolCallId, 'unknown']),
          ...turn.calls
            .filter((call) => call.state === 'announced')
            .map(({ toolCallId }) => [toolCallId, 'error']),
        ]
        const mine = adopted.tasks.slice(-1 - turn.steered.length)
        expect(mine.map(({ turnId, taskId, into }) => ({ turnId, taskId, into }))).toEqual([
          { turnId: turn.turnId, taskId: turn.taskId, into: undefined },
          ...turn.steered.map((message) => ({ ...message, into: turn.turnId })),
        ])
        expect(new Set(mine.map(({ status }) => status))).toEqual(new Set(['interrupted']))
        expect(adopted).toMatchObject({ turn: null, approvals: [], grants: state.grants, queue: state.queue })
        expect(adopted.counts).toEqual({
          ...state.counts,
          turns: state.counts.turns + 1,
          entries: state.memory.length + cutOff.length,
        })
        const added = adopted.memory.slice(state.memory.length)
        expect(added.map(({ toolCallId, outcome }) => [toolCallId, outcome])).toEqual(cutOff)
      }),
      { numRuns: 200 },
    )
  })

  test('the same once more, and goes on from there', () => {
    fc.assert(
      fc.property(anyJournal, (records) => {
        const once = replay(adoptState(replay(records)))
        expect(replay(adoptState(once))).toEqual(once)
      }),
      { numRuns: 100 },
    )
    const bodies: RecordBody[] = [
      { type: 'message.accepted', turnId: 't1', taskId: 't1', input: 'old' },
      { type: 'turn.started', turnId: 't1', attempt: 1 },
      { type: 'memory.compacted', turnId: 't1', summary: 'what was', throughSeq: 3 },
      { type: 'step.model', turnId: 't1', content: 'new' },
      { type: 'turn.finished', turnId: 't1', status: 'completed' },
    ]
    const records = adoptState(replay(journalOf(bodies)))
    expect(replay(records)).toMatchObject({
      summary: { text: 'what was', throughSeq: 0 },
      memory: [
        { content: 'old', seq: 0 },
        { content: 'new', seq: 1 },
      ],
    })
    const more: RecordBody[] = [
      { type: 'message.accepted', turnId: 't2', taskId: 't2', input: 'more' },
      { type: 'turn.started', turnId: 't2', attempt: 1 },
      { type: 'memory.compacted', turnId: 't2', summary: 'all of it', throughSeq: 1 },
    ]
    const { epoch = 0, seq = 0 } = records.at(-1) ?? {}
    const goneOn = [
      ...records,
      ...more.map((body, index) => ({
        seq: seq + 1 + index,
        epoch,
        at: '2026-01-02T00:00:00.000Z',
        ...body,
      })),
    ]
    const { memory, summary } = replay(goneOn)
    expect(toConversation(memory, summary).map(({ content }) => content)).toEqual([
      expect.stringContaining('all of it'),
      'more',
    ])
  })
})

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
  // An adopted session has the ends of the calls that were cut off, too.
  const contents = state.memory.slice(0, expected.memory.length).map(({ content }) => content)
  expect(contents).toEqual(expected.memory.map(({ content }) => content))
  const ends = state.memory.slice(expected.memory.length).map(({ outcome }) => outcome)
  expect(ends).toEqual(
    isAdopted && expected.turn?.calls.some(({ state }) => state === 'running') ? ['unknown'] : [],
  )
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
