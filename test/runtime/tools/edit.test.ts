import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { hash } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { createTwoFilesPatch } from 'diff'
import { errorWith } from '../../error-with.ts'
import { toolBench, type ToolBench } from './file-tools.ts'

function withFile(content: string | Buffer): ToolBench & { read: () => string } {
  const bench = toolBench()
  const path = join(bench.directory, 'a.txt')
  writeFileSync(path, content)
  return { ...bench, read: () => readFileSync(path, 'utf8') }
}

const edit = (oldText: string, newText: string, more: object = {}) => ({
  path: 'a.txt',
  oldText,
  newText,
  ...more,
})

describe('exact replacement', () => {
  test('replaces a text that occurs once', async () => {
    const { run, read } = withFile('one two three')
    expect(await run('edit', edit('two', '$& $1'))).toBe('edited a.txt (1 change)')
    expect(read()).toBe('one $& $1 three')
  })

  test('refuses a text that occurs more than once, with the lines, and changes nothing', async () => {
    const { run, read } = withFile('x\na\nb\nx\na\nb\na\nb\n')
    await expect(run('edit', edit('a\nb', 'c'))).rejects.toThrow(
      errorWith('tool_failed', /occurs 3 times \(lines 2, 5, 7\).*replaceAll/),
    )
    expect(read()).toBe('x\na\nb\nx\na\nb\na\nb\n')
  })

  test('replaces all where that is asked for', async () => {
    const { run, read } = withFile('a b a')
    expect(await run('edit', edit('a', 'aa', { replaceAll: true }))).toBe('edited a.txt (2 changes)')
    expect(read()).toBe('aa b aa')
  })

  test('refuses a text that does not occur, or is replaced by itself', async () => {
    const { run } = withFile('a')
    await expect(run('edit', edit('b', 'c'))).rejects.toThrow(errorWith('tool_failed', 'does not occur'))
    await expect(run('edit', edit('a', 'a'))).rejects.toThrow(errorWith('tool_failed', 'are the same'))
  })

  test('keeps line ends of CRLF and a byte order mark', async () => {
    const { run, read } = withFile('\ufeffone\r\ntwo\r\nthree\r\n')
    await run('edit', edit('one\ntwo', '1\n2'))
    expect(read()).toBe('\ufeff1\r\n2\r\nthree\r\n')
  })

  test('does not touch what is no text in UTF-8', async () => {
    const latin = Buffer.from('caf\xe9 a', 'latin1')
    const { directory, run } = withFile(latin)
    await expect(run('edit', edit('a', 'b', { replaceAll: true }))).rejects.toThrow(
      errorWith('path_refused', 'no text in UTF-8'),
    )
    expect(readFileSync(join(directory, 'a.txt'))).toEqual(latin)
  })

  test('says that a missing file is made with write', async () => {
    await expect(toolBench().run('edit', edit('a', 'b'))).rejects.toThrow(
      errorWith('tool_failed', 'use write'),
    )
  })

  test.each([
    [{ path: 'a.txt' }],
    [{ path: 'a.txt', oldText: 'a' }],
    [edit('a', 'b', { patch: '@@ -1 +1 @@' })],
  ])('wants either texts or a patch: %j', async (input) => {
    await expect(withFile('a').run('edit', input)).rejects.toThrow(
      errorWith('invalid_input', 'either oldText and newText, or patch'),
    )
  })
})

describe('a patch', () => {
  const before = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join('')
  const after = before.replace('line 3\n', 'LINE 3\n').replace('line 20\n', '')
  const patch = createTwoFilesPatch('a/a.txt', 'b/a.txt', before, after)

  test('is applied, also where the lines have moved', async () => {
    const { run, read } = withFile(`new first line\n${before}`)
    expect(await run('edit', { path: 'a.txt', patch })).toBe('edited a.txt (2 changes)')
    expect(read()).toBe(`new first line\n${after}`)
  })

  test('needs no headers', async () => {
    const { run, read } = withFile('a\nb\nc\n')
    await run('edit', { path: 'a.txt', patch: '@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n' })
    expect(read()).toBe('a\nB\nc\n')
  })

  test.each([
    ['does not fit', patch.replaceAll('line 3', 'line x'), 'does not fit'],
    ['has no hunks', 'just text', 'hunks'],
    ['has wrong counts', '@@ -1,9 +1,1 @@\n-a\n', 'unified diff'],
    ['is of several files', `${patch}${patch.replaceAll('a.txt', 'b.txt')}`, 'one of several'],
  ])('that %s changes nothing', async (_, broken, part) => {
    const { run, read } = withFile(before)
    await expect(run('edit', { path: 'a.txt', patch: broken })).rejects.toThrow(
      errorWith('tool_failed', part),
    )
    expect(read()).toBe(before)
  })
})

describe('two who edit one file', () => {
  test('the later is told of a conflict where it read before the other wrote, and nothing is lost', async () => {
    const { run, read, context, otherSession } = withFile('a b')
    const other = otherSession()
    await run('read', { path: 'a.txt' })
    await run('read', { path: 'a.txt' }, other)
    const [mine, theirs] = await Promise.allSettled([
      run('edit', edit('a', 'A'), context),
      run('edit', edit('b', 'B'), other),
    ])
    expect([mine.status, theirs.status].sort()).toEqual(['fulfilled', 'rejected'])
    const lost: unknown[] = []
    for (const end of [mine, theirs]) if (end.status === 'rejected') lost.push(end.reason)
    expect(lost).toEqual([errorWith('edit_conflict', /^conflict: a.txt/)])
    expect(read()).toBe(mine.status === 'fulfilled' ? 'A b' : 'a B')
  })

  test('all of many edits at once are there where none had read before', async () => {
    const names = Array.from({ length: 40 }, (_, i) => `<${i}>`)
    const { run, read, directory, otherSession } = withFile(names.join(' '))
    await Promise.all(names.map((name) => run('edit', edit(name, name.replace('<', '(')), otherSession())))
    expect(read()).toBe(names.map((name) => name.replace('<', '(')).join(' '))
    expect(readdirSync(directory)).toEqual(['a.txt'])
  })

  test('edits of several processes at once are all there', { timeout: 60_000 }, async () => {
    const { read, directory } = withFile('END\n')
    const script = fileURLToPath(new URL('fixtures/append-lines.ts', import.meta.url))
    const names = ['x', 'y', 'z']
    await Promise.all(
      names.map((name) => promisify(execFile)(process.execPath, [script, directory, name, '30'])),
    )
    const expected = names.flatMap((name) => Array.from({ length: 30 }, (_, i) => `${name}${i}`))
    expect(read().trim().split('\n').sort()).toEqual(['END', ...expected].sort())
    expect(readdirSync(directory)).toEqual(['a.txt'])
  })

  const lockName = `.agentry-${hash('sha256', 'a.txt').slice(0, 16)}.lock`

  test('one waits for the other, and ends with a cancel', async () => {
    const { run, read, directory, context } = withFile('a')
    writeFileSync(join(directory, lockName), '')
    const abort = new AbortController()
    const waiting = run('edit', edit('a', 'b'), { ...context, signal: abort.signal })
    abort.abort(new Error('cancelled'))
    await expect(waiting).rejects.toThrow('cancelled')
    expect(read()).toBe('a')
    expect(await run('list', { path: '.' })).toBe('a.txt 1')
  })

  test('a lock that a killed process left is taken over, with the temporary file it left', async () => {
    const { run, read, directory } = withFile('a')
    const left = '.agentry-0123456789abcdef.tmp'
    writeFileSync(join(directory, left), 'half')
    writeFileSync(join(directory, lockName), left)
    utimesSync(join(directory, lockName), new Date(0), new Date(0))
    await run('edit', edit('a', 'b'))
    expect(read()).toBe('b')
    expect(existsSync(join(directory, left))).toBe(false)
    expect(readdirSync(directory)).toEqual(['a.txt'])
  })
})
