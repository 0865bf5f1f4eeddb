/** Measurements that need a process of their own. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Runs a module with `node --expose-gc` and resolves with the number that it prints as its last line. */
export async function numberFrom(module: URL, args: readonly string[]): Promise<number> {
  const { stdout } = await run(process.execPath, ['--expose-gc', fileURLToPath(module), ...args])
  const last = stdout.trimEnd().split('\n').at(-1)
  const value = Number(last)
  if (last === undefined || !Number.isFinite(value)) throw new Error(`expected a number, received ${stdout}`)
  return value
}
