/** Each example runs as its first lines say, and ends. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')

function run(example: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`examples/${example}`], {
    cwd: ROOT,
    encoding: 'utf8',
    timeout: 30_000,
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout
}

test('the library example keeps two sessions and the result of a posted message over a restart', () => {
  const text = run('library.ts')
  expect(text).toContain('completed 0 releasing 1.0 from /\n')
  expect(text).toMatch(/looking, 1\n(?:.*\n)*looking, 3\n/)
  expect(text).toContain('release: active, in /, 2 turns\n')
  expect(text).toContain('release-1.0 completed: released\n')
  expect(text).not.toContain('this is not run')
})

test('the custom behavior counts words, records its calls and keeps a sum in the session', () => {
  const text = run('custom-behavior/main.ts')
  expect(text).toMatch(/LICENSE: (\d+) words, \1 in this session/)
  expect(text).toContain('the call ended: error\ncannot read no-such-file: ENOENT')
  const [, sum] = /package\.json: \d+ words, (\d+) in this session/.exec(text) ?? []
  expect(text).toContain(`metadata of the session: { words: ${sum} }`)
})

test('three agents mend a bug in a git repository, and its own tests pass then', () => {
  const text = run('bug-fix-team/main.ts')
  expect(text).toContain('before: 2 tests fail\nplanner asks coder\n')
  expect(text).toContain('coder may git commit --all --message "Count every item"? once\n')
  expect(text).toMatch(
    /planner asks reviewer\nplanner, completed after 3 steps: .*The reviewer says: one line/,
  )
  expect(text).toContain('after: 0 tests fail\nCount every item\n')
  expect(text).toContain('1 file changed, 1 insertion(+), 1 deletion(-)')
})
