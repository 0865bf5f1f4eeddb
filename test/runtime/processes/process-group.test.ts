import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

test('a group is ended by a process that is out of file descriptors', { timeout: 30_000 }, async () => {
  const script = fileURLToPath(new URL('fixtures/end-without-descriptors.ts', import.meta.url))
  const command = `ulimit -n 100; exec "$0" "$1"`
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', command, process.execPath, script], {
    timeout: 20_000,
  })
  expect(stdout).toBe('ended\n')
})
