/** What every AgentHost promises (agent-host.ts, H1 to H3). */
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isAgentryError } from '../../src/errors.ts'
import type { AgentHost } from '../../src/supervisor/agent-host.ts'
import { fakeBehavior, StayProbe, stayOptions } from '../supervisor/stay-probe.ts'

const CAPACITY = 3

export function agentHostContract(
  name: string,
  createHost: (options: { directory: string; capacity: number }) => AgentHost,
): void {
  describe(`${name}, as an agent host`, () => {
    let directory: string
    let host: AgentHost

    beforeEach(() => {
      directory = mkdtempSync(join(tmpdir(), 'agentry-host-'))
      host = createHost({ directory, capacity: CAPACITY })
    })

    afterEach(async () => {
      await host.close()
      rmSync(directory, { recursive: true })
    })

    const start = (options: { behavior?: string; agentId?: string } = {}) =>
      new StayProbe(host, { directory, ...options })

    test('runs a stay from ready to stopped, a turn in between', async () => {
      const probe = start()
      await probe.ready()
      expect(await probe.message('hello')).toMatchObject({
        status: 'completed',
        result: 'hello',
        agentId: 'probed',
      })
      expect(await probe.stop()).toEqual({ kind: 'stopped' })
      expect(probe.envelopes.at(-1)).toEqual({ type: 'stopped' })
    })

    test('sends nothing before start() has returned', async () => {
      const early: unknown[] = []
      let returned = false
      const stay = host.start(stayOptions({ directory }), (envelope) => returned || early.push(envelope))
      returned = true
      stay.send({ type: 'stop', graceMs: 0 })
      await stay.exited
      expect(early).toEqual([])
    })

    test('keeps the order of a burst in both directions, what was sent before ready included', async () => {
      const probe = start()
      const ids = Array.from({ length: 500 }, (_, index) => index + 1)
      for (const id of ids) probe.stay.send({ type: 'ping', id })
      await probe.next('pong', ({ id }) => id === 500)
      expect(probe.envelopes.flatMap((envelope) => (envelope.type === 'pong' ? [envelope.id] : []))).toEqual(
        ids,
      )
      await probe.stop()
    })

    test('ends a stay at terminate(): the first reason counts, nothing comes after exited', async () => {
      const probe = start()
      await probe.ready()
      probe.stay.terminate('enough')
      probe.stay.terminate('again')
      expect(await probe.stay.exited).toEqual({ kind: 'terminated', reason: 'enough' })
      const received = probe.envelopes.length
      probe.stay.send({ type: 'ping', id: 1 })
      probe.stay.terminate('once more')
      expect(await start({ agentId: 'other' }).message('a turn of another')).toMatchObject({
        status: 'completed',
      })
      expect(probe.envelopes).toHaveLength(received)
    })

    test('ends a stay that has hardly begun', async () => {
      const probe = start()
      probe.stay.terminate('changed my mind')
      expect(await probe.stay.exited).toEqual({ kind: 'terminated', reason: 'changed my mind' })
      expect(await start().message('next')).toMatchObject({ result: 'next' })
    })

    test('lets nothing of a terminated stay be written after exited', async () => {
      const other = start({ agentId: 'other' })
      const probe = start({ behavior: fakeBehavior('rogue') })
      await probe.begin('record')
      const { sessionId } = await probe.next('records', ({ records }) => records.some(({ seq }) => seq > 20))
      probe.stay.terminate('enough')
      await probe.stay.exited
      const journal = join(directory, `${sessionId}.journal.jsonl`)
      const sizeAtExit = statSync(journal).size
      // Long enough for dozens of records: each took less than a turn of an agent does.
      for (let turn = 0; turn < 20; turn++) await other.message('meanwhile')
      expect(statSync(journal).size).toBe(sizeAtExit)
    })

    test('reports a module that does not load by its own error', async () => {
      const end = await start({ behavior: fakeBehavior('throws-at-load') }).stay.exited
      expect(end).toMatchObject({ kind: 'error', code: 'start_failed' })
      expect(end).toHaveProperty('message', expect.stringContaining('the module is broken'))
    })

    test('refuses a stay beyond its capacity, and takes one again when another has ended', async () => {
      const probes = Array.from({ length: CAPACITY }, (_, index) => start({ agentId: `agent-${index}` }))
      expect(() => start({ agentId: 'one-more' })).toThrow(expect.objectContaining({ code: 'no_thread' }))
      await probes[0]?.stop()
      expect(await start({ agentId: 'one-more' }).message('in')).toMatchObject({ result: 'in' })
      expect(host.capacity).toBe(CAPACITY)
    })

    test('reads a session without a stay, and names what it does not find', async () => {
      const probe = start()
      const { sessionId } = await probe.message('to be read')
      const state = await host.read({ directory, fsync: 'always' }, sessionId)
      expect(state.memory.map(({ content }) => content)).toEqual(['to be read', 'to be read'])
      await probe.stop()
      const missing = sessionId.replace(/.{4}$/, '0000')
      await expect(host.read({ directory, fsync: 'always' }, missing)).rejects.toSatisfy((error) =>
        isAgentryError(error, 'session_not_found'),
      )
    })

    test('tells the use of a stay, or that it cannot', async () => {
      const probe = start()
      await probe.ready()
      const usage = await probe.stay.usage()
      if (usage !== undefined) {
        expect(usage.heapBytes).toBeGreaterThan(1_000_000)
        expect(usage.cpuMs).toBeGreaterThan(0)
      }
      await probe.stop()
      expect(await probe.stay.usage()).toBeUndefined()
    })

    test('ends everything at close(), and starts nothing afterwards', async () => {
      const probes = [start({ agentId: 'one' }), start({ agentId: 'two' })]
      await probes[0]?.ready()
      await Promise.all([host.close(), host.close()])
      for (const probe of probes) expect(await probe.stay.exited).toMatchObject({ kind: 'terminated' })
      expect(() => start()).toThrow(expect.objectContaining({ code: 'team_closed' }))
      await expect(host.read({ directory, fsync: 'always' }, 'any')).rejects.toMatchObject({
        code: 'team_closed',
      })
    })
  })
}
