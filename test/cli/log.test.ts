import { expect, test } from 'vitest'
import { createLog, logAnswer } from '../../src/cli/log.ts'
import { createTextSink } from './text-sink.ts'

test('a request that failed is an error in the log, one that came while the gateway stops is none', () => {
  const sink = createTextSink(false)
  const log = createLog(sink, 'info')
  const request = { method: 'GET', route: '/agents', durationMs: 0.123 }
  logAnswer(log, { ...request, status: 503, code: 'team_closed' })
  logAnswer(log, { ...request, status: 404, code: 'agent_not_found' })
  logAnswer(log, { ...request, status: 503, code: 'no_thread' })
  const lines = sink
    .text()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object)
  expect(lines).toMatchObject([{ level: 50, status: 503, code: 'no_thread', durationMs: 0.1 }])
})
