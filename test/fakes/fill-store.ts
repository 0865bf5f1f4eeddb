/**
 * Run as a process of its own: opens a file store and appends records until an append fails; then makes room as its second
 * argument says, goes on, and prints as JSON what happened.
 *
 *   node fill-store.ts <directory> <file to delete to make room, or ->
 */
import { rmSync } from 'node:fs'
import { createId } from '../../src/core/ids.ts'
import { toAgentryError } from '../../src/errors.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { claimOf, creation, renaming } from './records.ts'

const [directory = '', ballast = '-'] = process.argv.slice(2)
const claim = claimOf(3)
const store = createFileStore({ directory })
const id = createId()
const name = 'x'.repeat(500)
await store.append(claim, id, 0, creation(claim, id))
await store.snapshot(claim, (await store.load(id, claim)).state)
let acknowledged = 1
const codes: string[] = []
for (let attempt = 0; attempt < 1000 && codes.length < 3; attempt++) {
  try {
    await store.append(claim, id, acknowledged, renaming(claim, acknowledged, `${acknowledged} ${name}`))
    acknowledged += 1
  } catch (error) {
    codes.push(toAgentryError(error).code)
  }
}
const snapshotCode = await store.snapshot(claim, (await store.load(id)).state).then(
  () => 'written',
  (error: unknown) => toAgentryError(error).code,
)
const seqWhenFull = (await store.load(id)).state.seq
let seqAfterwards = seqWhenFull
if (ballast !== '-') {
  rmSync(ballast)
  await store.append(claim, id, acknowledged, renaming(claim, acknowledged, 'there is room again'))
  acknowledged += 1
  seqAfterwards = (await createFileStore({ directory }).load(id)).state.seq
}
console.log(JSON.stringify({ id, acknowledged, codes, snapshotCode, seqWhenFull, seqAfterwards }))
