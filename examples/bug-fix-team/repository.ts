/** A small repository with a bug in it, and tests of its own that show it. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const FILES = {
  'package.json':
    '{ "name": "prices", "private": true, "type": "module", "scripts": { "test": "node --test" } }\n',
  'src/total.js': `/** The sum of the items, in cents, with the discount taken off: 10 is 10 %. */
export function total(items, discount = 0) {
  const sum = items.reduce((sum, { cents, count }) => sum + cents, 0)
  return Math.round(sum * (1 - discount / 100))
}
`,
  'test/total.test.js': `import assert from 'node:assert/strict'
import { test } from 'node:test'
import { total } from '../src/total.js'

test('one of each', () => assert.equal(total([{ cents: 250, count: 1 }, { cents: 100, count: 1 }]), 350))
test('several of one', () => assert.equal(total([{ cents: 250, count: 4 }]), 1000))
test('a discount', () => assert.equal(total([{ cents: 100, count: 3 }], 10), 270))
`,
}

export function createRepository(directory: string): void {
  for (const [path, content] of Object.entries(FILES)) {
    mkdirSync(join(directory, path, '..'), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  git(directory, 'init', '--quiet', '--initial-branch=main')
  git(directory, 'config', 'user.name', 'Example')
  git(directory, 'config', 'user.email', 'example@example.invalid')
  git(directory, 'add', '.')
  git(directory, 'commit', '--quiet', '--message', 'Sum up prices')
}

export function git(directory: string, ...args: string[]): string {
  return execFileSync('git', args, { cwd: directory, encoding: 'utf8' })
}

/** Runs the repository's own tests: the number that failed, and what they printed. */
export function runTests(directory: string): { failed: number; output: string } {
  // Under a test runner of Node, a nested one would report to it.
  const { NODE_TEST_CONTEXT: _context, ...env } = process.env
  const { stdout } = spawnSync(process.execPath, ['--test', '--test-reporter=tap'], {
    cwd: directory,
    env,
    encoding: 'utf8',
  })
  return { failed: Number(/^# fail (\d+)$/m.exec(stdout)?.[1] ?? NaN), output: stdout }
}
