/** Replays that go on where the last one of the session has come to. */
import { appendFileSync, readFileSync, truncateSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { createDurableFs, systemCalls } from '../../src/store/durable-fs.ts'
import { encodeRecord } from '../../src/store/journal.ts'
import { DataDirectory } from '../fakes/data-directory.ts'
import { claimOf, creation, renaming, turn } from '../fakes/records.ts'

const claim = claimOf(3)
const id = createId()
const records = [...creation(claim, id)]
for (let count = 0; count < 200; count++) records.push(...turn(claim, records.length, 'x'.repeat(1_000)))

/** A session without a snapshot, and a reader of it that counts the bytes it reads. */
async function createScene() {
  const data = new DataDirectory()
  await data.create(claim, id, records, 0)
  const journal = data.files(id).journal
  let bytes = 0
  const reader = data.store({
    fs: createDurableFs({
      ...systemCalls,
      read(...args) {
        const count = systemCalls.read(...args)
        bytes += count
        return count
      },
    }),
  })
  return {
    journal,
    writer: data.store(),
    bytes: () => bytes,
    replay: async (afterSeq: number) =>
      (await Array.fromAsync(reader.replay(id, afterSeq))).map(({ seq }) => seq),
  }
}

describe('a replay behind what was replayed before', () => {
  test('reads what is new, and the record before it', async () => {
    const { writer, replay, bytes, journal } = await createScene()
    const seq = records.length
    expect(await replay(seq - 1)).toEqual([seq])
    expect(bytes()).toBeGreaterThan(200_000)
    for (let last = seq; last < seq + 10; last++) {
      await writer.append(claim, id, last, renaming(claim, last, `name ${last}`))
      const before = bytes()
      expect(await replay(last)).toEqual([last + 1])
      expect(bytes() - before).toBeLessThan(2_000)
    }
    expect(await replay(0)).toHaveLength(seq + 10)
    expect(readFileSync(journal).length).toBeGreaterThan(200_000)
  })

  test('is not held up by one that reads old records', async () => {
    const { replay, bytes } = await createScene()
    const seq = records.length
    await replay(seq - 1)
    expect(await replay(3)).toHaveLength(seq - 3)
    const before = bytes()
    expect(await replay(seq)).toEqual([])
    expect(bytes() - before).toBeLessThan(2_000)
  })

  test.each([
    ['cut', 0],
    ['cut, and written over by a longer one', 500],
    ['cut, and written over by a shorter one', 1],
  ])('is right where the record that it had come to was %s', async (_, length) => {
    const { journal, replay } = await createScene()
    const seq = records.length
    const acknowledged = readFileSync(journal).length
    const write = (...texts: string[]): void => {
      for (const [index, text] of texts.entries())
        for (const record of renaming(claim, seq + index, text)) appendFileSync(journal, encodeRecord(record))
    }
    write('not acknowledged')
    expect(await replay(seq)).toEqual([seq + 1])
    truncateSync(journal, acknowledged)
    if (length > 0) write('y'.repeat(length), 'next')
    expect(await replay(seq)).toEqual(length > 0 ? [seq + 1, seq + 2] : [])
    expect(await replay(seq + 1)).toEqual(length > 0 ? [seq + 2] : [])
  })
})
