import { existsSync, rmSync, statSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { createId } from '../../../src/core/ids.ts'
import {
  createStateFile,
  readStateFile,
  removeStateFiles,
} from '../../../src/runtime/processes/state-file.ts'

function makeFile(turnId: string): string {
  const path = createStateFile(turnId)
  onTestFinished(() => rmSync(path, { force: true }))
  return path
}

test('is for its owner only, and holds no state at first', () => {
  const path = makeFile(createId())
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readStateFile(path)).toBeUndefined()
})

test('of a turn that was cut off all are removed, and those of other turns stay', () => {
  const turnId = createId()
  const left = [makeFile(turnId), makeFile(turnId)]
  const other = makeFile(createId())
  removeStateFiles(turnId)
  expect(left.map((path) => existsSync(path))).toEqual([false, false])
  expect(existsSync(other)).toBe(true)
})
