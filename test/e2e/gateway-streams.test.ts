import { EventSource } from 'eventsource'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../fakes/until.ts'
import { type Served, startServe } from './built-serve.ts'
import { type CuttingProxy, startCuttingProxy } from './cutting-proxy.ts'

const RECORDS = [
  'session.created',
  'session.changed',
  'message.accepted',
  'turn.started',
  'tool.started',
  'tool.finished',
  'turn.finished',
]
const TEAM_EVENTS = [
  'ready',
  'reset',
  'agent-state',
  'agent-removed',
  'session',
  'turn',
  'log',
  'usage',
  'note',
]

async function serveBehindProxy(): Promise<{ served: Served; proxy: CuttingProxy }> {
  const proxy = await startCuttingProxy()
  const served = await startServe({ args: ['--port', '0', '--allow-host', `127.0.0.1:${proxy.port}`] })
  proxy.open(served.port)
  onTestFinished(async () => {
    proxy.close()
    await served.stop()
  })
  return { served, proxy }
}

interface Read {
  type: string
  id: string
}

/** The events of a stream, as they come to a client of the standard. */
function readEvents({ token }: Served, port: number, path: string, types: readonly string[]): Read[] {
  const read: Read[] = []
  const source = new EventSource(`http://127.0.0.1:${port}${path}`, {
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
  })
  for (const type of types) {
    source.addEventListener(type, ({ lastEventId: id }) => read.push({ type, id }))
  }
  onTestFinished(() => source.close())
  return read
}

/** Those with an id of their own: text has none, shows that of the event before, and is not repeated. */
const lasting = (read: readonly Read[]): Read[] => read.filter(({ id }, index) => id !== read[index - 1]?.id)

const seqs = (length: number): string[] => Array.from({ length }, (_, index) => String(index + 1))

describe('a client of the standard whose connection is cut', () => {
  test('gets every record of a session once, wherever the cuts are', async () => {
    const { served, proxy } = await serveBehindProxy()
    for (let turn = 1; turn <= 10; turn++) await served.ask('POST', '/message', { input: `echo ${turn}` })
    const { body: session } = await served.ask<{ id: string; seq: number }>('GET', '/sessions/current')
    // The head of the answer has some 200 bytes, a record as many: these end in the middle of one, or between two.
    const budgets = [150, 500, 1_234, 3_001]
    proxy.cutAfter(...budgets)
    const read = readEvents(served, proxy.port, `/sessions/${session.id}/events`, RECORDS)
    await until('all records', () => read.length >= session.seq)
    expect(read.map(({ id }) => id)).toEqual(seqs(session.seq))
    expect(proxy.cuts()).toBe(budgets.length)

    // And where it follows what is written just then.
    for (let turn = 1; turn <= 2; turn++) {
      proxy.shut()
      await served.ask('POST', '/message', { input: `echo away ${turn}` })
      proxy.open(served.port)
      const { body } = await served.ask<{ seq: number }>('GET', `/sessions/${session.id}`)
      await until('the records of the time away', () => read.length >= body.seq)
      expect(read.map(({ id }) => id)).toEqual(seqs(body.seq))
    }
  })

  test('gets the events of the team that one gets which is never cut, also of before its first', async () => {
    const { served, proxy } = await serveBehindProxy()
    const steady = readEvents(served, served.port, '/events', TEAM_EVENTS)
    await until('the steady reader', () => steady.length > 0)
    const cut = readEvents(served, proxy.port, '/events', TEAM_EVENTS)
    await until('the beginning', () => cut.length > 0)
    for (let turn = 1; turn <= 2; turn++) {
      proxy.shut()
      const before = cut.length
      await served.ask('POST', '/message', { input: `echo away ${turn}` })
      proxy.open(served.port)
      await until('the events of the time away', () => cut.length > before)
      await served.ask('POST', '/message', { input: `echo here ${turn}` })
    }
    await served.ask('POST', '/agents', { id: 'last', behavior: 'echo' })
    await served.ask('DELETE', '/agents/last?remove=true')
    const isLast = ({ type }: Read): boolean => type === 'agent-removed'
    await until('the last event', () => steady.some(isLast) && cut.some(isLast))
    const start = cut[0]
    expect(start?.type).toBe('ready')
    const all = lasting(steady)
    const expected = all.slice(all.findIndex(({ id }) => id === start?.id) + 1)
    expect(expected.filter(({ type }) => type === 'turn').length).toBeGreaterThan(8)
    expect(upTo(lasting(cut).slice(1), isLast)).toEqual(upTo(expected, isLast))
  })
})

function upTo(list: readonly Read[], isLast: (item: Read) => boolean): Read[] {
  return list.slice(0, list.findIndex(isLast) + 1)
}
