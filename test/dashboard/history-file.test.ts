import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readHistory, rememberLine } from '../../src/dashboard/history-file.ts'
import { formatHistoryLine, MAX_HISTORY } from '../../src/dashboard/model/line-history.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

function newFile(): string {
  return join(temporaryDirectory(), 'history')
}

describe('the file of entered lines', () => {
  test('gives back what was remembered, newlines included, oldest first', () => {
    const file = newFile()
    rememberLine(file, 'one')
    rememberLine(file, 'two\nlines')
    expect(readHistory(file)).toEqual(['one', 'two\nlines'])
  })

  test('is for its owner alone', () => {
    const file = newFile()
    rememberLine(file, 'a secret')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  test('is none where it cannot be read or written, which is no fault', () => {
    const file = join(newFile(), 'in a folder that is not there')
    rememberLine(file, 'one')
    expect(readHistory(file)).toEqual([])
  })

  test('gives what is whole of one that a crash cut off, and loses no line behind that', () => {
    const file = newFile()
    rememberLine(file, 'one')
    appendFileSync(file, '"cut o')
    expect(readHistory(file)).toEqual(['one'])
    rememberLine(file, 'next')
    expect(readHistory(file)).toEqual(['one', 'next'])
  })

  test('is written anew, with what is used, once it is twice as long', () => {
    const file = newFile()
    const lines = Array.from({ length: 2 * MAX_HISTORY + 1 }, (_, index) => `line ${index}`)
    writeFileSync(file, lines.map((line) => `${formatHistoryLine(line)}\n`).join(''))
    const kept = lines.slice(-MAX_HISTORY)
    expect(readHistory(file)).toEqual(kept)
    expect(readFileSync(file, 'utf8').split('\n')).toHaveLength(MAX_HISTORY + 1)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readHistory(file)).toEqual(kept)
  })
})
