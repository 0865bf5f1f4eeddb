import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { createMatcher } from '../../../src/runtime/tools/guarded-match.ts'
import { LineSearch } from '../../../src/runtime/tools/line-search.ts'
import { Confinement } from '../../../src/runtime/tools/files/confinement.ts'
import { walkFiles } from '../../../src/runtime/tools/files/walk-tree.ts'
import { errorWith } from '../../error-with.ts'
import { toolBench, type ToolBench } from './file-tools.ts'

function withTree(files: Record<string, string>, options: { outputBytes?: number } = {}): ToolBench {
  const bench = toolBench(options)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(bench.directory, path)), { recursive: true })
    writeFileSync(join(bench.directory, path), content)
  }
  return bench
}

const TREE = {
  'README.md': 'hello\nworld\n',
  'src/a.ts': 'const hello = 1\n',
  'src/deep/b.ts': 'no\nHELLO\n',
  'src/deep/.hidden.ts': 'hello\n',
  'node_modules/x/index.ts': 'hello\n',
  '.git/config': 'hello\n',
  'data.bin': 'hello\0',
}

describe('glob', () => {
  test.each([
    ['**/*.ts', ['src/a.ts', 'src/deep/.hidden.ts', 'src/deep/b.ts']],
    ['src/*.ts', ['src/a.ts']],
    ['./src/{a,b}.ts', ['src/a.ts']],
    ['*', ['README.md', 'data.bin']],
    ['**/[b-c].ts', ['src/deep/b.ts']],
  ])('%s gives the files it matches, from the working directory', async (pattern, found) => {
    expect(await withTree(TREE).run('glob', { pattern })).toBe(found.join('\n'))
  })

  test('searches a directory, and one that is passed over otherwise', async () => {
    const { run } = withTree(TREE)
    expect(await run('glob', { pattern: '*.ts', path: 'src' })).toBe('src/a.ts')
    expect(await run('glob', { pattern: '**', path: 'node_modules/x' })).toBe('node_modules/x/index.ts')
    await expect(run('glob', { pattern: '*', path: 'README.md' })).rejects.toThrow(/is no directory/)
    await expect(run('glob', { pattern: '*', path: 'none' })).rejects.toThrow(/does not exist/)
  })

  test('gives at most a thousand, and says that there are more', async () => {
    const files = Object.fromEntries(Array.from({ length: 1_001 }, (_, i) => [`f${i}`, '']))
    const lines = (await withTree(files).run('glob', { pattern: '*' })).split('\n')
    expect(lines).toHaveLength(1_001)
    expect(lines.at(-1)).toContain('there are more')
    delete files['f0']
    const all = await withTree(files).run('glob', { pattern: '*' })
    expect(all.split('\n')).toHaveLength(1_000)
    expect(all).not.toContain('there are more')
  })

  test('ends with a cancel', async () => {
    const { run, context } = withTree(
      Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d${i}/f`, ''])),
    )
    const abort = new AbortController()
    const searching = run('glob', { pattern: '**' }, { ...context, signal: abort.signal })
    abort.abort(new Error('cancelled'))
    await expect(searching).rejects.toThrow('cancelled')
  })
})

describe('grep', () => {
  test('gives path, number and text of the lines that match, of text files alone', async () => {
    const { run } = withTree(TREE)
    expect(await run('grep', { pattern: 'hello' })).toBe(
      'README.md:1:hello\nsrc/a.ts:1:const hello = 1\nsrc/deep/.hidden.ts:1:hello',
    )
    expect(await run('grep', { pattern: '^hello$', ignoreCase: true, glob: 'src/**' })).toBe(
      'src/deep/.hidden.ts:1:hello\nsrc/deep/b.ts:2:HELLO',
    )
    expect(await run('grep', { pattern: 'hello', path: 'src' })).toContain('src/a.ts:1:')
    expect(await run('grep', { pattern: 'wor', path: 'README.md' })).toBe('README.md:2:world')
    expect(await run('grep', { pattern: 'absent' })).toBe('[no line matches]')
  })

  test('gives as many matches as it was asked for, and says that there are more', async () => {
    const { run } = withTree({ a: 'x\n'.repeat(10) })
    const five = await run('grep', { pattern: 'x', maxMatches: 5 })
    expect(five).toMatch(/^(a:\d:x\n){5}\[… there are more/)
    expect(await run('grep', { pattern: 'x', maxMatches: 10 })).toMatch(/^(a:\d+:x\n?){10}$/)
  })

  test('keeps a result within its bytes, long lines cut', async () => {
    const { run } = withTree({ a: `${'x'.repeat(500)}\n`.repeat(100) }, { outputBytes: 4096 })
    const content = await run('grep', { pattern: 'x' })
    expect(Buffer.byteLength(content)).toBeLessThanOrEqual(4096)
    expect(content).toContain('[… 200 more characters]\n')
    expect(content).toMatch(/there are more: .*\]$/)
  })

  test('takes what only an expression without the flag u takes, and names one that is none', async () => {
    const { run } = withTree({ a: 'a-b\n' })
    expect(await run('grep', { pattern: String.raw`a\-b` })).toBe('a:1:a-b')
    await expect(run('grep', { pattern: '(' })).rejects.toThrow(errorWith('invalid_input', 'pattern: '))
  })

  test('does not follow links', async () => {
    const { run, directory } = withTree({ 'a/f': 'hello' })
    symlinkSync('a', join(directory, 'b'))
    symlinkSync('..', join(directory, 'a/up'))
    expect(await run('grep', { pattern: 'hello' })).toBe('a/f:1:hello')
  })

  test('lets others run while it searches', async () => {
    const line = `${'some text that does not match '.repeat(30)}\n`
    const { run } = withTree(
      Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, line.repeat(1_000)])),
    )
    let rounds = 0
    let searching = true
    const beat = () => {
      rounds++
      if (searching) setImmediate(beat)
    }
    setImmediate(beat)
    await run('grep', { pattern: 'absent$' })
    searching = false
    expect(rounds).toBeGreaterThan(3)
  })
})

test('an expression that would take for ever is stopped and named', () => {
  const matcher = createMatcher(/^(a+)+$/, 50)
  expect(() => matcher([`${'a'.repeat(50)}b`])).toThrow(errorWith('invalid_input', 'more than 50 ms'))
  expect(matcher(['aaa', 'b'])).toEqual([true, false])
})

describe('list', () => {
  test('shows what there is: directories, sizes, where links lead', async () => {
    const { run, directory } = withTree({ 'b.txt': '123', 'a/f': '', 'odd\nname': '' })
    symlinkSync('a/f', join(directory, 'link'))
    expect(await run('list', {})).toBe('a/\nb.txt 3\nlink -> a/f\n"odd\\nname" 0')
    expect(await run('list', { path: 'a' })).toBe('f 0')
    await expect(run('list', { path: 'b.txt' })).rejects.toThrow(errorWith('tool_failed', 'is no directory'))
    await expect(run('list', { path: 'none' })).rejects.toThrow(errorWith('tool_failed', 'does not exist'))
  })

  test('cuts a long list and says how much is left out', async () => {
    const { run } = withTree(Object.fromEntries(Array.from({ length: 1_010 }, (_, i) => [`f${i}`, ''])))
    expect(await run('list', {})).toMatch(/\n\[… 10 more are left out: use glob\]$/)
  })

  test('says that a directory is empty', async () => {
    expect(await withTree({}).run('list', {})).toBe('[. is empty]')
  })
})

describe('a slow pattern', () => {
  /** 1 MiB of lines; `a*b` takes time that grows with the square of their length. */
  const SLOW = `${'a'.repeat(400)}\n`.repeat(2_600)

  test('on a large file leaves the thread to others now and then', { timeout: 60_000 }, async () => {
    const { run } = withTree({ 'big.txt': SLOW })
    let longestMs = 0
    let lastMs = performance.now()
    const look = () => {
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
    }
    const timer = setInterval(look, 5)
    const startMs = performance.now()
    expect(await run('grep', { pattern: 'a*b' })).toBe('[no line matches]')
    look()
    clearInterval(timer)
    expect(longestMs).toBeLessThan((performance.now() - startMs) / 4)
  })

  test('is given up after the time of one search, what was found until then being the result', async () => {
    const { directory, context } = withTree({ 'a.txt': `first b\n${SLOW}`, 'z.txt': 'last b\n' })
    const search = new LineSearch({ expression: /a*b/, maxMatches: 10, outputBytes: 4096, budgetMs: 50 })
    const confinement = new Confinement({ allowedPaths: [] })
    const { signal } = context
    const place = confinement.open('.', { workingDir: directory })
    await search.run(walkFiles(place.directory, { confinement, signal, maxEntries: 100 }), '', signal)
    place.close()
    expect(search.isOverTime).toBe(true)
    expect(search.text()).toBe('a.txt:1:first b')
  })
})
