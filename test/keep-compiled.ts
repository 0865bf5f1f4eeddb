/**
 * A folder in which Node keeps what it compiled: of the threads and processes that the tests start, only the first of a kind strips
 * types and compiles. (A thread of an agent, from source: 440 ms of CPU without, 100 with it.)
 *
 * One folder of the checkout, emptied when a run begins: a run that is killed leaves no other behind. Where two run at once, that is
 * harmless: a process whose entries are gone compiles.
 */
import { mkdirSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../node_modules/.cache/agentry-tests/', import.meta.url))

/** Called by vitest for each project, before the processes that run the tests are started: they inherit it. */
export function setup(): void {
  if (process.env['NODE_COMPILE_CACHE'] === FOLDER) return
  rmSync(FOLDER, { recursive: true, force: true, maxRetries: 5 })
  mkdirSync(FOLDER, { recursive: true })
  process.env['NODE_COMPILE_CACHE'] = FOLDER
}
