/** Prints the resident memory of so many bare worker threads, one durable echo behind each. Arguments: directory, threads. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { MESSAGE } from '../harness/echo-agents.ts'
import { RawEcho } from '../raw/raw-worker.ts'
import { settledRss } from './settled.ts'

const [, , directory = '', count = ''] = process.argv
mkdirSync(directory)
const threads: RawEcho[] = []
for (let number = 0; number < Number(count); number += 1) {
  const thread = new RawEcho(join(directory, `raw-${number}.log`), 500)
  await thread.send(MESSAGE)
  threads.push(thread)
}
console.log(await settledRss())
await Promise.all(threads.map((thread) => thread.close()))
