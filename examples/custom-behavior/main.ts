/**
 * An agent whose behavior is a module of yours.
 *
 *   node examples/custom-behavior/main.ts
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTeam } from '../../src/index.ts'

const data = mkdtempSync(join(tmpdir(), 'agentry-example-'))
try {
  await using team = await createTeam({ data })
  const counter = await team.spawn({
    id: 'counter',
    role: 'counts words',
    behavior: fileURLToPath(new URL('word-counter.ts', import.meta.url)),
    workingDir: fileURLToPath(new URL('../..', import.meta.url)),
    limits: { memoryMb: 128, turnMs: 10_000 },
  })

  for (const file of ['LICENSE', 'package.json', 'no-such-file']) {
    for await (const event of counter.stream(file)) {
      if (event.type === 'tool-finished') console.log(`  the call ended: ${event.outcome}`)
      if (event.type === 'turn-finished') console.log(event.outcome.result)
    }
  }
  console.log('metadata of the session:', counter.currentSession()?.metadata)
} finally {
  rmSync(data, { recursive: true })
}
