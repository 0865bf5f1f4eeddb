/** What only threads give: a stay that does harm is ended from outside, and leaves no trace. */
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createId } from '../../src/core/ids.ts'
import { ThreadHost } from '../../src/supervisor/thread-host.ts'
import { until } from '../fakes/until.ts'
import { fakeBehavior, StayProbe } from './stay-probe.ts'

let directory: string
let host: ThreadHost

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'agentry-threads-'))
  host = new ThreadHost({ capacity: 6 })
})

afterEach(async () => {
  await host.close()
  rmSync(directory, { recursive: true })
})

const start = (behavior: string, agentId = behavior) =>
  new StayProbe(host, {
    directory,
    agentId,
    behavior: behavior === 'echo' ? behavior : fakeBehavior(behavior),
  })

describe('the end of a stay', () => {
  test('comes to an endless loop by terminate()', async () => {
    const probe = start('rogue')
    await probe.begin('loop')
    probe.stay.terminate('no heartbeat')
    expect(await probe.stay.exited).toEqual({ kind: 'terminated', reason: 'no heartbeat' })
  })

  test('comes to a module that never finishes loading', async () => {
    const probe = start('loops-at-load')
    await usageAbove(probe, ({ loopUtilization }) => loopUtilization > 0.5)
    probe.stay.terminate('start deadline')
    expect(await probe.stay.exited).toEqual({ kind: 'terminated', reason: 'start deadline' })
  })

  test.each([0, 3])(
    'carries the code of process.exit(%i), after what was printed before it',
    async (code) => {
      const probe = start('rogue')
      probe.post(`exit ${code}`)
      expect(await probe.stay.exited).toEqual({ kind: 'exit', code })
      expect(probe.logs('stdout')).toBe('about to exit\n')
    },
  )

  test('comes after everything that was sent, also where the supervisor meets all of it at once', async () => {
    const probe = start('rogue')
    await probe.ready()
    probe.post('exit 3')
    await holdUp()
    expect(await probe.stay.exited).toEqual({ kind: 'exit', code: 3 })
    expect(probe.logs('stdout')).toBe('about to exit\n')
  })

  test('stays the orderly one where an error escapes after it', async () => {
    const probe = start('rogue')
    await probe.message('throw-after-stop')
    probe.stay.send({ type: 'stop', graceMs: 0 })
    await holdUp()
    expect(await probe.stay.exited).toEqual({ kind: 'stopped' })
  })

  test('carries an error that escaped: message, code, stack', async () => {
    const probe = start('rogue')
    probe.post('throw-later oops')
    const end = await probe.stay.exited
    expect(end).toMatchObject({ kind: 'error', message: 'oops', code: 'E_ROGUE' })
    expect(end).toHaveProperty('stack', expect.stringContaining('rogue.ts'))
  })

  test('carries an unhandled rejection', async () => {
    const probe = start('rogue')
    probe.post('reject nobody-caught-me')
    expect(await probe.stay.exited).toMatchObject({ kind: 'error', message: 'nobody-caught-me' })
  })

  test('carries even a thrown null', async () => {
    const probe = start('rogue')
    probe.post('throw-null')
    expect(await probe.stay.exited).toMatchObject({ kind: 'error', message: 'a thrown object: null' })
  })

  test('carries the error of a thread that could not start at all', async () => {
    const broken = new ThreadHost({ capacity: 1, entry: new URL('no-such-file.ts', import.meta.url) })
    const probe = new StayProbe(broken, { directory })
    const end = await probe.stay.exited
    expect(end.kind).toBe('error')
    expect(end).toHaveProperty('message', expect.stringContaining('no-such-file'))
    await broken.close()
  })

  test('settles only after the exit of the thread, however long a built-in function holds it', async () => {
    const threads = watchThreads()
    const probe = start('rogue')
    await probe.begin('block 1000000')
    expect(threads.running()).toBe(1)
    probe.stay.terminate('enough')
    await probe.stay.exited
    expect(threads.running()).toBe(0)
  })

  test('settles only when the thread runs no more', async () => {
    const file = join(directory, 'appended')
    const probe = start('rogue')
    await probe.begin(`append ${file}`)
    await until('the first append', () => existsSync(file))
    probe.stay.terminate('enough')
    await probe.stay.exited
    const { size } = statSync(file)
    expect(size).toBeGreaterThan(0)
    await start('echo').message('a turn takes longer than an append')
    expect(statSync(file).size).toBe(size)
  })
})

describe('the use of a stay', () => {
  test('shows a heap that grows in an endless loop', async () => {
    const probe = start('rogue')
    await probe.begin('heap')
    await usageAbove(probe, ({ heapBytes }) => heapBytes > 100 * 1024 * 1024)
    probe.stay.terminate('out of memory')
    await probe.stay.exited
  })

  test('shows Buffers as external memory, CPU time and a busy loop', async () => {
    const probe = start('rogue')
    await probe.begin('buffers 100')
    await usageAbove(probe, ({ externalBytes }) => externalBytes > 100 * 1024 * 1024)
    await usageAbove(probe, ({ loopUtilization, cpuMs }) => loopUtilization > 0.9 && cpuMs > 50)
    probe.stay.terminate('out of memory')
    await probe.stay.exited
  })

  test('is never left open by a thread that ends meanwhile', async () => {
    const probe = start('rogue')
    await probe.begin('loop')
    const readings = [probe.stay.usage(), probe.stay.usage()]
    probe.stay.terminate('enough')
    await Promise.all(readings)
    await probe.stay.exited
    expect(await probe.stay.usage()).toBeUndefined()
  })
})

describe('a read', () => {
  test('that the end of the host cuts off says that the team is closed', async () => {
    const reading = host.read({ directory, fsync: 'always' }, createId())
    await nextTurn() // its thread is starting
    const closed = host.close()
    await expect(reading).rejects.toMatchObject({ code: 'team_closed' })
    await closed
  })
})

describe('the next stay', () => {
  test('sees nothing of what a module did to globals, prototypes and the environment', async () => {
    const first = start('rogue')
    await first.message('change-globals')
    expect(await first.message('show-globals')).toMatchObject({ result: '[true,true,true]' })
    expect(await first.stop()).toEqual({ kind: 'stopped' })
    expect(await start('rogue').message('show-globals')).toMatchObject({ result: '[false,false,false]' })
  })

  test('gets the thread of a built-in behavior, and never that of a module', async () => {
    const threads = []
    for (const behavior of ['echo', 'echo', 'rogue', 'echo', 'rogue']) {
      const probe = start(behavior)
      threads.push((await probe.ready()).threadId)
      await probe.stop()
    }
    const [first, second, third, fourth, fifth] = threads
    expect([second, third]).toEqual([first, first])
    expect(fourth).not.toBe(third)
    expect(fifth).toBe(fourth)
  })
})

describe('what is printed', () => {
  test('comes as logs, by stream', async () => {
    const probe = start('rogue')
    await probe.message('print words')
    await probe.stop()
    expect(probe.logs('stdout')).toBe('words\nbytes\n')
    expect(probe.logs('stderr')).toBe('words to stderr\n')
  })

  test('is heard from a loop that never comes back', async () => {
    const probe = start('rogue')
    await probe.begin('print-loop')
    expect((await probe.next('log')).text).toContain('still here')
    probe.stay.terminate('enough')
    await probe.stay.exited
  })

  test('is merged and capped in a flood, what was dropped is counted, and the supervisor keeps its turns', async () => {
    const probe = start('rogue')
    await probe.ready()
    const lines = 300_000
    const began = performance.now()
    const flood = { over: false }
    void probe.message(`print-flood ${lines}`).then(() => (flood.over = true))
    let turns = 0
    for (; !flood.over; turns++) await nextTurn()
    const tookMs = performance.now() - began
    await probe.stop()
    const logs = probe.envelopes.filter((envelope) => envelope.type === 'log')
    const text = probe.logs('stdout')
    const dropped = logs.reduce((sum, { droppedBytes }) => sum + droppedBytes, 0)
    const printed = Array.from({ length: lines }, (_, count) => String(count).length).reduce(
      (sum, n) => sum + n,
      0,
    )
    expect(text.length + dropped).toBe(
      printed + lines * 'line  of a flood that nobody will read to its end\n'.length,
    )
    expect(dropped).toBeGreaterThan(0)
    expect(logs.length).toBeLessThanOrEqual(tookMs / 50 + 2)
    expect(turns).toBeGreaterThan(logs.length * 10)
  })

  test('does not reach the supervisor where it is posted past the port', async () => {
    const threads = watchThreads()
    const probe = start('rogue')
    expect(await probe.message('post-flood 10000')).toMatchObject({ result: 'posted' })
    await probe.stop()
    // The one message is the pool's: the thread is up.
    expect(threads.count('message')).toBe(1)
  })
})

describe('many stays', () => {
  test.each([
    { behavior: 'echo', cycles: 200, threads: 1 },
    { behavior: 'rogue', cycles: 10, threads: 15 },
  ])(
    'of $behavior leave threads, ports and descriptors as they were',
    async ({ behavior, cycles, threads }) => {
      const threadIds = new Set<number>()
      const cycle = async () => {
        const probe = start(behavior)
        threadIds.add((await probe.ready()).threadId)
        expect(await probe.stop()).toEqual({ kind: 'stopped' })
      }
      for (let count = 0; count < 5; count++) await cycle()
      const before = held()
      for (let count = 0; count < cycles; count++) await cycle()
      await until('the last thread to be gone', () => held().threads <= before.threads)
      const after = held()
      // A leak would show once for each cycle; the process itself opens a file or two at times.
      expect(after.descriptors - before.descriptors).toBeLessThan(4)
      expect(after.ports - before.ports).toBeLessThan(4)
      expect(threadIds.size).toBe(threads)
    },
  )
})

test('four blocked reads of one agent delay neither the cold start nor the turn of another', async () => {
  const fifo = join(directory, 'fifo')
  execFileSync('mkfifo', [fifo])
  const blocked = start('rogue')
  await blocked.begin(`block-reads ${fifo}`)
  const other = start('echo')
  expect(await other.message('at once')).toMatchObject({ result: 'at once' })
  expect(blocked.outcomes()).toEqual([])
  // A thread ends only when its reads have: let them.
  closeSync(openSync(fifo, 'r+'))
  await blocked.stop()
})

/** Sends what is due, then holds this event loop while the threads go on. */
async function holdUp(): Promise<void> {
  await nextTurn()
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
}

/** Watches the threads that come up from now on. */
function watchThreads(): { running(): number; count(event: string): number } {
  const emit = vi.spyOn(Worker.prototype, 'emit')
  onTestFinished(() => emit.mockRestore())
  const emitters = (wanted: string) =>
    emit.mock.contexts.filter((_, index) => emit.mock.calls[index]?.[0] === wanted)
  return {
    running: () => new Set(emitters('online')).difference(new Set(emitters('exit'))).size,
    count: (event) => emitters(event).length,
  }
}

async function usageAbove(
  probe: StayProbe,
  reached: (usage: {
    heapBytes: number
    externalBytes: number
    cpuMs: number
    loopUtilization: number
  }) => boolean,
): Promise<void> {
  for (;;) {
    const usage = await probe.stay.usage()
    if (usage !== undefined && reached(usage)) return
    await nextTurn()
  }
}

/** What a leak would show in: threads and descriptors of this process, and the ports that keep its event loop alive. */
function held(): { threads: number; descriptors: number; ports: number } {
  return {
    threads: readdirSync('/proc/self/task').length,
    descriptors: readdirSync('/proc/self/fd').length,
    ports: process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length,
  }
}
