/** A supervisor that is stopped, continued, and asked to end, as a process of its own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { openTeam } from '../fakes/open-team.ts'
import { SupervisedProcess } from '../fakes/supervised-process.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

interface Status {
  agents: { id: string; restarts: number }[]
  turns: number
}

test('a supervisor that was stopped for seven seconds condemns no agent, not even one that was starting', async () => {
  const program = new SupervisedProcess(temporaryDirectory())
  await until('all work', async () => (await program.ask<Status>('status')).turns > 20)
  program.tell('spawn-slow')
  await sleep(100) // in the middle of the load of its module
  program.signal('SIGSTOP')
  await sleep(7_000)
  program.signal('SIGCONT')
  expect(await program.hear()).toEqual({ spawned: true })
  const { turns: before } = await program.ask<Status>('status')
  const { agents } = await until('all work again', async () => {
    const status = await program.ask<Status>('status')
    return status.turns > before + 20 && status
  })
  expect(agents.map(({ id, restarts }) => [id, restarts])).toEqual([
    ['echo-1', 0],
    ['echo-2', 0],
    ['shell', 0],
    ['module', 0],
    ['slow', 0],
  ])
})

test('SIGTERM under load: the process ends by itself with 0, in time, and all that was acknowledged is there', async () => {
  const directory = temporaryDirectory()
  const program = new SupervisedProcess(directory)
  await until('all work', async () => (await program.ask<Status>('status')).turns > 100)
  const sentMs = performance.now()
  program.signal('SIGTERM')
  const { acknowledged } = await program.hear<{ acknowledged: { turnId: string; status: string }[] }>()
  expect(await program.exited).toBe(0)
  expect(performance.now() - sentMs).toBeLessThan(10_000)
  expect(acknowledged.length).toBeGreaterThan(100)

  const team = await openTeam({ data: directory })
  const known = new Map<string, string>()
  for (const { id, queue, turn } of team.sessions()) {
    for await (const record of team.records(id)) {
      if (record.type === 'message.accepted') known.set(record.turnId, 'accepted')
      if (record.type === 'turn.finished') known.set(record.turnId, record.status)
    }
    expect([queue.length, turn]).toEqual([expect.any(Number), null])
  }
  for (const { turnId, status } of acknowledged) {
    const now = known.get(turnId)
    expect(status === 'accepted' ? now !== undefined : now === status).toBe(true)
  }
})
