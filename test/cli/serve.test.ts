import { expect, test } from 'vitest'
import type { EndingSignal } from '../../src/cli/signals.ts'
import { AgentryError } from '../../src/errors.ts'
import { createTeam } from '../../src/team.ts'
import { until } from '../fakes/until.ts'
import { createCli } from './harness.ts'

test('serve frees its port also where the team does not close in good order', async () => {
  const listeners: ((signal: EndingSignal) => void)[] = []
  let url: string | undefined
  const cli = createCli({
    onSignal(listener) {
      listeners.push(listener)
      return () => undefined
    },
    async createTeam(options) {
      const team = await createTeam({ ...options, host: 'in-process' })
      const close = team.close.bind(team)
      return Object.assign(team, {
        announce: (announced: string) => (url = announced),
        async close() {
          await close({ graceMs: 0 })
          throw new AgentryError('storage_failed', 'the last write failed')
        },
      })
    },
  })
  const failing = cli.fail('serve', '--port', '0', '--log-level', 'silent')
  const served = await until('the server', () => url)
  expect((await fetch(`${served}/health`)).status).toBe(200)
  for (const listener of listeners) listener('SIGTERM')
  expect((await failing).error).toMatchObject({ code: 'storage_failed' })
  await expect(fetch(`${served}/health`)).rejects.toThrow('fetch failed')
})
