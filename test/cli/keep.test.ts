import type { ChildProcess } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import type { EndingSignal } from '../../src/cli/signals.ts'
import { keepServing, type KeepSystem } from '../../src/cli/keep.ts'
import { createReport } from '../../src/cli/report.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { createTextSink } from './text-sink.ts'

/** A child that ends as it is told: with an exit code, or because the system could not start it. */
function createServer(end: number | Error): ChildProcess {
  const server = Object.assign(new EventEmitter(), {
    pid: end instanceof Error ? undefined : 1,
    exitCode: end instanceof Error ? null : end,
    kill: () => true,
  })
  setImmediate(() => {
    if (end instanceof Error) server.emit('error', end)
    else server.emit('exit', end, null)
  })
  return server as unknown as ChildProcess
}

const refused = (code: string): Error =>
  Object.assign(new Error(`spawn node ${code}`), { code, syscall: 'spawn' })

/** Keeps servers that end like `ends`, one after the other, and ends the keeper with `atWait`, if one is given. */
async function keep(ends: (number | Error | { thrown: Error })[], endAtWait = Infinity) {
  const stderr = createTextSink(false)
  const waits: number[] = []
  let signalled: (signal: EndingSignal) => void = () => undefined
  const io = {
    stdout: createTextSink(false),
    stderr,
    readStdin: async () => '',
    env: {},
    cwd: '/',
    clock: new SimulatedClock(),
    createTeam: () => Promise.reject(new Error('no team here')),
    onSignal: (listener: (signal: EndingSignal) => void) => {
      signalled = listener
      return () => undefined
    },
    forceExit: () => undefined,
  }
  const system: KeepSystem = {
    startServer() {
      const end = ends.shift()
      if (end === undefined) throw new Error('one server too many')
      if (typeof end === 'object' && 'thrown' in end) throw end.thrown
      return createServer(end)
    },
    async wait(delayMs) {
      waits.push(delayMs)
      if (waits.length === endAtWait) signalled('SIGTERM')
    },
  }
  const code = await keepServing({ io, report: createReport(io, false) }, system)
  return { code, waits, stderr: stderr.text(), left: ends.length }
}

describe('a server that the system cannot start', () => {
  test('is tried again, at once and then by the backoff, until it runs', async () => {
    const { code, waits, stderr } = await keep([
      refused('EAGAIN'),
      refused('ENOENT'),
      { thrown: refused('ENOMEM') },
      0,
    ])
    expect(code).toBe(0)
    expect(waits).toHaveLength(2)
    expect(waits[0]).toBeLessThan(waits[1] ?? 0)
    expect(stderr).toContain('the server could not be started (spawn node EAGAIN): it is tried again')
    expect(stderr).toContain('ENOMEM')
  })

  test('is not tried again once the keeper is asked to end', async () => {
    const { code, left } = await keep([refused('EAGAIN'), refused('EAGAIN'), refused('EAGAIN')], 1)
    expect({ code, left }).toEqual({ code: 0, left: 1 })
  })

  test('is not what a mistake of ours is taken for', async () => {
    await expect(keep([{ thrown: new TypeError('the argument is no text') }])).rejects.toThrow('no text')
  })
})
