import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { errorWith } from '../../error-with.ts'
import { toolBench } from './file-tools.ts'

describe('read', () => {
  test('gives every line behind its number, whatever ends the lines', async () => {
    const { directory, run } = toolBench()
    writeFileSync(join(directory, 'a.txt'), 'one\r\ntwo\n\nfour')
    expect(await run('read', { path: 'a.txt' })).toBe('     1\tone\n     2\ttwo\n     3\t\n     4\tfour')
  })

  test('gives a range of lines and says how to go on', async () => {
    const { directory, run } = toolBench()
    writeFileSync(join(directory, 'a.txt'), Array.from({ length: 10 }, (_, i) => `line ${i + 1}\n`).join(''))
    expect(await run('read', { path: 'a.txt', startLine: 4, lineCount: 2 })).toBe(
      '     4\tline 4\n     5\tline 5\n[… lines 6 to 10 are left out: go on with startLine 6]',
    )
    expect(await run('read', { path: 'a.txt', startLine: 9 })).toBe('     9\tline 9\n    10\tline 10')
    expect(await run('read', { path: 'a.txt', startLine: 11 })).toBe('[the last line is 10]')
  })

  test('cuts what is longer than a result may be, and marks it', async () => {
    const { directory, run } = toolBench({ outputBytes: 2048 })
    writeFileSync(join(directory, 'a.txt'), 'x'.repeat(99).concat('\n').repeat(1000))
    const content = await run('read', { path: 'a.txt' })
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(2048)
    expect(content).toMatch(/\n\[… lines (\d+) to 1000 are left out: go on with startLine \1\]$/)
  })

  test('cuts long lines between characters', async () => {
    const { directory, run } = toolBench()
    writeFileSync(join(directory, 'a.txt'), `${'a'.repeat(1999)}\u{1F600}${'b'.repeat(100)}`)
    const content = await run('read', { path: 'a.txt' })
    expect(content.isWellFormed()).toBe(true)
    expect(content).toContain('[… 102 more characters]')
  })

  test('knows a binary file, an empty one and one that is not there', async () => {
    const { directory, run } = toolBench()
    writeFileSync(join(directory, 'b.bin'), Buffer.from([1, 2, 0, 4]))
    writeFileSync(join(directory, 'empty'), '')
    expect(await run('read', { path: 'b.bin' })).toBe('[b.bin is a binary file of 4 bytes]')
    expect(await run('read', { path: 'empty' })).toBe('[empty is empty]')
    await expect(run('read', { path: 'c' })).rejects.toThrow(errorWith('tool_failed', 'c: does not exist'))
    await expect(run('read', { path: '.' })).rejects.toThrow(errorWith('tool_failed', '.: is a directory'))
    await expect(run('read', { path: 'empty/x' })).rejects.toThrow(errorWith('tool_failed', 'no directory'))
  })

  test('reads of a huge file its beginning, in bounded memory', async () => {
    const { directory, run } = toolBench()
    const path = join(directory, 'huge')
    writeFileSync(path, 'first\n'.repeat(4 * 1024 * 1024))
    truncateSync(path, 8 * 1024 * 1024 * 1024)
    const before = process.memoryUsage().arrayBuffers
    const content = await run('read', { path: 'huge', lineCount: 1 })
    expect(content).toContain('     1\tfirst\n')
    expect(content).toContain(
      '[… the file has 8589934592 bytes, of which the first 16777216 can be read here]',
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 * 1024 * 1024)
  })

  test('fails by name where the working directory is gone', async () => {
    const { directory, context, run } = toolBench()
    const gone = { ...context, workingDir: join(directory, 'gone') }
    await expect(run('read', { path: 'a' }, gone)).rejects.toThrow(errorWith('working_dir_missing', 'gone'))
  })

  test('refuses a path with NUL', async () => {
    await expect(toolBench().run('read', { path: 'a\0b' })).rejects.toThrow(errorWith('invalid_input', 'NUL'))
  })
})

describe('write', () => {
  test('makes a file and the directories on the way to it', async () => {
    const { directory, run } = toolBench()
    expect(await run('write', { path: 'a/b/c.txt', content: 'é\n' })).toBe('made a/b/c.txt (3 bytes)')
    expect(readFileSync(join(directory, 'a/b/c.txt'), 'utf8')).toBe('é\n')
    expect(readdirSync(join(directory, 'a/b'))).toEqual(['c.txt'])
  })

  test('replaces a file with its permissions kept', async () => {
    const { directory, run } = toolBench()
    const path = join(directory, 'run.sh')
    writeFileSync(path, 'old')
    chmodSync(path, 0o754)
    await run('read', { path: 'run.sh' })
    expect(await run('write', { path: 'run.sh', content: 'new' })).toBe('replaced run.sh (3 bytes)')
    expect(statSync(path).mode & 0o777).toBe(0o754)
    expect(readFileSync(path, 'utf8')).toBe('new')
  })

  test('gives a new file the permissions that the umask leaves', async () => {
    const { directory, run } = toolBench()
    await run('write', { path: 'new', content: '' })
    writeFileSync(join(directory, 'like'), '')
    expect(statSync(join(directory, 'new')).mode).toBe(statSync(join(directory, 'like')).mode)
  })

  test('replaces in one step: who has the old file open still reads the old content', async () => {
    const { directory, run } = toolBench()
    const path = join(directory, 'a')
    writeFileSync(path, 'old')
    const { ino } = statSync(path)
    await run('read', { path: 'a' })
    await run('write', { path: 'a', content: 'new' })
    expect(statSync(path).ino).not.toBe(ino)
  })

  test('is refused as a conflict where the file changed since the session read it, the change kept', async () => {
    const { directory, run, otherSession } = toolBench()
    const path = join(directory, 'a')
    writeFileSync(path, 'first')
    await run('read', { path: 'a' })
    const other = otherSession()
    await run('read', { path: 'a' }, other)
    await run('write', { path: 'a', content: 'by another' }, other)
    await expect(run('write', { path: 'a', content: 'mine' })).rejects.toThrow(
      errorWith('edit_conflict', /^conflict: a changed since you read it.*nothing was written$/),
    )
    expect(readFileSync(path, 'utf8')).toBe('by another')
    await run('read', { path: 'a' })
    await run('write', { path: 'a', content: 'mine' })
    await run('write', { path: 'a', content: 'mine again' })
    expect(readFileSync(path, 'utf8')).toBe('mine again')
  })

  test('is a conflict where the session has not read the file', async () => {
    const { directory, run, otherSession } = toolBench()
    writeFileSync(join(directory, 'a'), 'theirs')
    await run('read', { path: 'a' }, otherSession())
    await expect(run('write', { path: 'a', content: 'mine' })).rejects.toThrow(
      errorWith('edit_conflict', /^conflict: a exists, and you have not read it: read it first/),
    )
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('theirs')
    await run('read', { path: 'a' })
    await run('write', { path: 'a', content: 'mine' })
    expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('mine')
  })

  describe('of a file that was read only in part', () => {
    const lines = (count: number) => Array.from({ length: count }, (_, i) => `line ${i + 1}\n`).join('')
    const PART = errorWith(
      'edit_conflict',
      /^conflict: a exists, and you have read only a part of it: read .* edit; nothing was written$/,
    )

    test.each([
      ['of lines that were left out', lines(500_000), {}],
      ['of lines before those that were asked for', lines(3), { startLine: 2 }],
      ['of a line that was cut', `short\n${'x'.repeat(2_001)}\nshort\n`, {}],
      ['that nothing of it was given', lines(3), { startLine: 4 }],
    ])('is a conflict because %s', async (_, content, range) => {
      const { directory, run } = toolBench()
      writeFileSync(join(directory, 'a'), content)
      await run('read', { path: 'a', ...range })
      await expect(run('write', { path: 'a', content: 'mine' })).rejects.toThrow(PART)
      expect(readFileSync(join(directory, 'a'), 'utf8')).toBe(content)
    })

    test('is none once all parts were read, one after the other', async () => {
      const { directory, run } = toolBench()
      writeFileSync(join(directory, 'a'), lines(10))
      for (const startLine of [1, 4, 8]) {
        await run('read', { path: 'a', startLine, lineCount: 3 })
        await expect(run('write', { path: 'a', content: 'mine' })).rejects.toThrow(PART)
      }
      await run('read', { path: 'a', startLine: 7, lineCount: 4 })
      await run('write', { path: 'a', content: 'mine' }) // 7 and 10 had been missing
      expect(readFileSync(join(directory, 'a'), 'utf8')).toBe('mine')
    })

    test('is one where the parts are of two versions', async () => {
      const { directory, run } = toolBench()
      writeFileSync(join(directory, 'a'), lines(4))
      await run('read', { path: 'a', lineCount: 2 })
      writeFileSync(join(directory, 'a'), `new ${lines(4)}`)
      await run('read', { path: 'a', startLine: 3 })
      await expect(run('write', { path: 'a', content: 'mine' })).rejects.toThrow(PART)
    })

    test('is none where a part is read once more of what was read whole', async () => {
      const { directory, run } = toolBench()
      writeFileSync(join(directory, 'a'), lines(10))
      await run('read', { path: 'a' })
      await run('read', { path: 'a', startLine: 5, lineCount: 1 })
      expect(await run('write', { path: 'a', content: 'mine' })).toBe('replaced a (4 bytes)')
    })

    test('is one also after an edit, which itself works; after an edit of what is known it is none', async () => {
      const { directory, run } = toolBench()
      writeFileSync(join(directory, 'a'), lines(10))
      await run('read', { path: 'a', lineCount: 2 })
      for (const newText of ['first', 'begin']) {
        const oldText = newText === 'first' ? 'line 2' : 'first'
        expect(await run('edit', { path: 'a', oldText, newText })).toBe('edited a (1 change)')
        await expect(run('write', { path: 'a', content: 'mine' })).rejects.toThrow(PART)
      }
      await run('read', { path: 'a' })
      await run('edit', { path: 'a', oldText: 'begin', newText: 'end' })
      expect(await run('write', { path: 'a', content: 'mine' })).toBe('replaced a (4 bytes)')
    })

    test('does not keep an edit from seeing that the file changed, until it is read again', async () => {
      const { directory, run } = toolBench()
      writeFileSync(join(directory, 'a'), lines(10))
      await run('read', { path: 'a', lineCount: 2 })
      writeFileSync(join(directory, 'a'), `new ${lines(10)}`)
      const change = { path: 'a', oldText: 'line 2', newText: 'two' }
      await expect(run('edit', change)).rejects.toThrow(errorWith('edit_conflict', 'changed since'))
      await run('read', { path: 'a', lineCount: 2 })
      expect(await run('edit', change)).toBe('edited a (1 change)')
    })
  })

  test.each(['write', 'edit'])('with %s: what changed while the agent rested is a conflict', async (name) => {
    const before = toolBench()
    const path = join(before.directory, 'a')
    writeFileSync(path, 'one\n')
    await before.run('read', { path: 'a' })
    writeFileSync(path, 'one\nby a person\n')
    // The next stay has tools of its own; the session comes from the disk.
    const after = toolBench({ directory: before.directory })
    const session = { ...after.context, metadata: structuredClone(before.context.metadata) }
    const change = name === 'write' ? { content: 'two\n' } : { oldText: 'one', newText: 'two' }
    await expect(after.run(name, { path: 'a', ...change }, session)).rejects.toThrow(
      errorWith('edit_conflict', 'changed since you read it'),
    )
    expect(readFileSync(path, 'utf8')).toBe('one\nby a person\n')
  })

  test('knows after a rest what it read before, and what it wrote', async () => {
    const before = toolBench()
    writeFileSync(join(before.directory, 'a'), 'one')
    await before.run('read', { path: 'a' })
    await before.run('write', { path: 'b', content: 'one' })
    const after = toolBench({ directory: before.directory })
    const session = { ...after.context, metadata: structuredClone(before.context.metadata) }
    for (const path of ['a', 'b']) {
      expect(await after.run('write', { path, content: 'two' }, session)).toBe(`replaced ${path} (3 bytes)`)
    }
  })

  test('remembers 200 files: the one read longest ago has to be read again', async () => {
    const { directory, run, context } = toolBench()
    for (let i = 0; i <= 200; i++) {
      writeFileSync(join(directory, `f${i}`), '')
      await run('read', { path: `f${i}` })
    }
    expect(context.metadata['filesSeen']).toHaveLength(200)
    await expect(run('write', { path: 'f0', content: 'x' })).rejects.toThrow(errorWith('edit_conflict'))
    await run('write', { path: 'f1', content: 'x' })
  })

  test('records nothing for a file that it reads again unchanged', async () => {
    const { directory, run, context } = toolBench()
    writeFileSync(join(directory, 'a'), '')
    await run('read', { path: 'a' })
    let updates = 0
    const counted = {
      ...context,
      updateSession: (changes: Parameters<typeof context.updateSession>[0]) => {
        updates++
        return context.updateSession(changes)
      },
    }
    await run('read', { path: 'a' }, counted)
    expect(updates).toBe(0)
    writeFileSync(join(directory, 'a'), 'changed')
    await run('read', { path: 'a' }, counted)
    expect(updates).toBe(1)
  })

  test('is a conflict where a file that was read is gone', async () => {
    const { directory, run } = toolBench()
    writeFileSync(join(directory, 'a'), '1')
    await run('read', { path: 'a' })
    await run('write', { path: 'b', content: '' })
    unlinkSync(join(directory, 'a'))
    await expect(run('write', { path: 'a', content: '2' })).rejects.toThrow(errorWith('edit_conflict'))
  })

  test('refuses more content than it could read again, leaving nothing behind', async () => {
    const { run, directory } = toolBench()
    await expect(run('write', { path: 'a', content: 'x'.repeat(16 * 1024 * 1024 + 1) })).rejects.toThrow(
      errorWith('tool_failed', 'at most 16777216 bytes'),
    )
    expect(readdirSync(directory)).toEqual([])
  })

  test('does not write over a directory', async () => {
    const { directory, run } = toolBench()
    mkdirSync(join(directory, 'd'))
    await expect(run('write', { path: 'd', content: '' })).rejects.toThrow(
      errorWith('tool_failed', 'd: is a directory'),
    )
  })

  test('says what permission rules are matched with: the whole path', () => {
    const { subject, directory } = toolBench()
    const at = (path: string) => subject('write', { path, content: '' })
    expect(at('./a/../b.txt')).toEqual({ kind: 'path', text: join(directory, 'b.txt') })
    expect(at(join(directory, 'b.txt'))).toEqual({ kind: 'path', text: join(directory, 'b.txt') })
    expect(at('/etc/passwd')).toEqual({ kind: 'path', text: '/etc/passwd' })
    expect(at('..')).toEqual({ kind: 'path', text: join(directory, '..') })
  })
})
