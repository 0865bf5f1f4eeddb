/**
 * A process that opens a data directory when it is told to, for tests that need real ones: see owner-process.ts.
 *
 * Arguments: directory, url, and the number of the file call at which it kills itself (0: none).
 * It says `ready`, waits for a line on its input, opens, and answers one line of JSON. As the owner it stays until its input ends,
 * then closes and exits with 0; at every other line it starts a process that outlives it, and says its pid. Where it could not open
 * it exits with 1.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { toAgentryError } from '../../src/errors.ts'
import { openDirectory } from '../../src/store/directory.ts'
import { createDurableFs, type SystemCalls, systemCalls } from '../../src/store/durable-fs.ts'
import { observeCalls } from './observe-calls.ts'

const [directory = '', url = '', killAt = '0'] = process.argv.slice(2)

let count = 0
const calls: SystemCalls = observeCalls(systemCalls, () => {
  if (++count === Number(killAt)) process.kill(process.pid, 'SIGKILL')
})

process.stdout.write('ready\n')
await once(process.stdin, 'data')
try {
  const owned = await openDirectory({ directory, url, fs: createDurableFs(calls) })
  process.stdout.write(`${JSON.stringify({ epoch: owned.epoch })}\n`)
  process.stdin.on('data', () => {
    const { pid } = spawn('sleep', ['60'], { stdio: 'ignore', detached: true })
    process.stdout.write(`${pid}\n`)
  })
  await once(process.stdin, 'end')
  owned.close()
} catch (error) {
  process.stdout.write(`${JSON.stringify({ error: toAgentryError(error) })}\n`)
  process.exitCode = 1
  process.stdin.destroy()
}
