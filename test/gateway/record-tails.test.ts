import { describe, expect, test } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import { RecordTails } from '../../src/gateway/record-tails.ts'
import { claimOf, creation, turn } from '../fakes/records.ts'

const claim = claimOf(1)
const id = createId()

/** A journal of two turns that counts its readings, and what is kept of it. */
function createScene({ maxBytes = 1_000_000, broken = false } = {}) {
  const disk: SessionRecord[] = creation(claim, id)
  for (let count = 0; count < 2; count++) disk.push(...turn(claim, disk.length))
  const scene = { readings: 0, broken }
  const team = {
    async *records(_: string, after = 0) {
      scene.readings += 1
      if (scene.broken) throw new Error('the disk is gone')
      for (const record of disk) if (record.seq > after) yield record
    },
  }
  return { scene, tails: new RecordTails(team, maxBytes) }
}

describe('the kept records of a session', () => {
  test('are the same bytes for everybody, from one reading', async () => {
    const { scene, tails } = createScene()
    const got = await Promise.all(Array.from({ length: 5 }, () => tails.next(id, 2, 4)))
    expect(Buffer.from(got[0]?.event.bytes ?? []).toString()).toMatch(/^id: 3\nevent: turn.started\ndata: /)
    for (const kept of got) expect(kept?.event.bytes).toBe(got[0]?.event.bytes)
    expect((await tails.next(id, 3, 4))?.event.id).toBe('4')
    expect(scene.readings).toBe(1)
  })

  test('go no further than what the reader knows', async () => {
    const { scene, tails } = createScene()
    await tails.next(id, 2, 3)
    expect(scene.readings).toBe(1)
    await tails.next(id, 3, 4)
    expect(scene.readings).toBe(2)
  })

  test('are not read for a reader that is behind them', async () => {
    const { scene, tails } = createScene()
    await tails.next(id, 5, 6)
    expect(await tails.next(id, 2, 6)).toBeUndefined()
    expect(scene.readings).toBe(1)
  })

  test('are those that fit, and a record that does not fit is left to the journal', async () => {
    const { tails } = createScene({ maxBytes: 1_500 })
    await tails.next(id, 1, 5)
    expect(await tails.next(id, 1, 5)).toBeUndefined()
    expect((await tails.next(id, 4, 5))?.event.id).toBe('5')
    const { tails: none } = createScene({ maxBytes: 0 })
    expect(await none.next(id, 1, 5)).toBeUndefined()
  })

  test('come after a reading that failed, which fails for all that waited', async () => {
    const { scene, tails } = createScene({ broken: true })
    const waiting = [tails.next(id, 2, 3), tails.next(id, 2, 3)]
    for (const next of waiting) await expect(next).rejects.toThrow('the disk is gone')
    scene.broken = false
    expect((await tails.next(id, 2, 3))?.event.id).toBe('3')
  })

  test('are none where the journal ends before what is said to be there', async () => {
    const { tails } = createScene()
    expect(await tails.next(id, 100, 101)).toBeUndefined()
  })
})
