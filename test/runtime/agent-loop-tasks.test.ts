/** L3, L4 and the mailbox of the agent loop: one answer each, one turn per taskId, a bounded number of messages. */
import { describe, expect, test } from 'vitest'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { startLoop } from '../fakes/loop-probe.ts'

const create = (name: string) => ({ name: 'create', input: { name } }) as const

describe('a taskId', () => {
  test('sent a hundred times at once runs one turn, and all get its outcome', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const all = Array.from({ length: 100 }, () => probe.send('a', { taskId: 't' }))
    await behavior.started('a')
    const late = probe.send('a', { taskId: 't' })
    behavior.finish('a')
    const [first, ...others] = await Promise.all([...all, late])
    expect(first).toMatchObject({ status: 'completed', result: 'done: a', taskId: 't' })
    for (const outcome of others) expect(outcome).toEqual(first)
    expect(await probe.send('anything', { taskId: 't' })).toEqual(first)
    expect(behavior.runs('a')).toBe(1)
    await probe.stop()
  })

  test('of a failed turn answers the failure', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    behavior.fail('a', new Error('no luck'))
    const first = await probe.send('a', { taskId: 't' })
    expect(first).toMatchObject({ status: 'failed', error: { code: 'turn_failed', message: 'no luck' } })
    expect(await probe.send('a', { taskId: 't' })).toEqual(first)
    expect(behavior.runs('a')).toBe(1)
    await probe.stop()
  })

  test('is remembered after another session has become current, long results included', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    behavior.finish('short')
    behavior.finish('long', 'x'.repeat(100_000))
    const short = await probe.send('short', { taskId: 'short' })
    const long = await probe.send('long', { taskId: 'long' })
    await probe.command(create('another'))
    expect(await probe.send('short', { taskId: 'short' })).toEqual(short)
    expect(await probe.send('long', { taskId: 'long' })).toEqual(long)
    expect(behavior.runs('short') + behavior.runs('long')).toBe(2)
    await probe.stop()
  })

  test('is remembered by the session in a later stay', async () => {
    const before = await startLoop()
    const first = await before.send('a', { taskId: 't' })
    await before.stop()
    const { store, claims } = before
    const after = await startLoop({ store, claims, currentSessionId: first.sessionId, activation: 1 })
    expect(await after.send('b', { taskId: 't' })).toEqual(first)
    await after.stop()
  })

  test('repeated while the first waits behind a session switch joins it', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const running = probe.send('running')
    await behavior.started('running')
    const created = probe.command(create('next'))
    const first = probe.send('a', { taskId: 't' })
    const second = probe.send('a', { taskId: 't' })
    behavior.finish('running')
    behavior.finish('a')
    const { id } = await created
    expect(await second).toEqual(await first)
    expect(await first).toMatchObject({ status: 'completed', sessionId: id })
    expect(behavior.runs('a')).toBe(1)
    await running
    await probe.stop()
  })

  test('of a queued message, posted again, is acknowledged once more and still runs once', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior })
    const running = probe.send('running')
    await behavior.started('running')
    const sent = probe.send('a', { taskId: 't' })
    const posted = await probe.post('a', { taskId: 't' })
    expect(posted).toMatchObject({ status: 'accepted', taskId: 't' })
    behavior.finish('running')
    behavior.finish('a')
    expect(await sent).toMatchObject({ status: 'completed', turnId: posted.turnId })
    expect(await probe.post('a', { taskId: 't' })).toEqual(await sent)
    expect(behavior.runs('a')).toBe(1)
    await running
    await probe.stop()
  })
})

describe('the mailbox', () => {
  test('takes as many unfinished messages as its limit says, and has room again when one is finished', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxMessages: 3 })
    const a = probe.send('a')
    await behavior.started('a')
    await probe.post('b')
    const c = probe.send('c')
    await expect(probe.send('d')).rejects.toMatchObject({ code: 'mailbox_full' })
    behavior.finish('a')
    await a
    const e = probe.send('e')
    await expect(probe.send('f')).rejects.toMatchObject({ code: 'mailbox_full' })
    for (const input of ['b', 'c', 'e']) behavior.finish(input)
    await Promise.all([c, e])
    expect(behavior.runs('d') + behavior.runs('f')).toBe(0)
    await probe.stop()
  })

  test('takes as many bytes of them, and has room again when one is finished', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxBytes: 10 })
    const a = probe.send('aaaaaa')
    await behavior.started('aaaaaa')
    await probe.post('bbbb')
    await expect(probe.send('c')).rejects.toMatchObject({
      code: 'mailbox_full',
      data: { agentId: 'probed', heldBytes: 10, maxBytes: 10 },
    })
    behavior.finish('aaaaaa')
    await a
    const c = probe.send('cccccc')
    await expect(probe.send('d')).rejects.toMatchObject({ code: 'mailbox_full' })
    for (const input of ['bbbb', 'cccccc']) behavior.finish(input)
    await c
    await probe.stop()
  })

  test('counts what waits behind a command too', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxMessages: 2 })
    const a = probe.send('a')
    await behavior.started('a')
    const created = probe.command(create('next'))
    const b = probe.send('b')
    await expect(probe.send('c')).rejects.toMatchObject({ code: 'mailbox_full' })
    behavior.finish('a')
    behavior.finish('b')
    await Promise.all([a, created, b])
    await probe.stop()
  })

  test('takes as many waiting commands, too', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxMessages: 2 })
    const a = probe.send('a')
    await behavior.started('a')
    const waiting = [probe.command(create('first')), probe.command(create('second'))]
    await expect(probe.command(create('third'))).rejects.toMatchObject({ code: 'mailbox_full' })
    behavior.finish('a')
    await Promise.all([a, ...waiting])
    expect((await probe.command(create('fourth'))).name).toBe('fourth')
    await probe.stop()
  })

  test('loses no place to joined, refused, cancelled or terminated messages, nor to a session switch', async () => {
    const behavior = new GatedBehavior()
    const probe = await startLoop({ behavior, mailboxMessages: 2 })
    const other = await probe.command(create('other'))
    await probe.command(create('current'))
    for (let round = 0; round < 5; round++) {
      const running = probe.send(`running ${round}`, { taskId: `t${round}` })
      await behavior.started(`running ${round}`)
      const joined = probe.send('joined', { taskId: `t${round}` })
      await probe.settle()
      await expect(probe.send('refused', { sessionId: other.id })).rejects.toMatchObject({
        code: 'session_not_found',
      })
      const { turnId } = await probe.post('cancelled')
      await probe.cancel(turnId)
      const created = probe.command(create(`next ${round}`), true)
      expect(await joined).toEqual(await running)
      const { id } = await created
      await probe.command({ name: 'terminate', sessionId: id })
    }
    const last = probe.send('last')
    await behavior.started('last')
    const queued = probe.send('queued')
    await expect(probe.send('too many')).rejects.toMatchObject({ code: 'mailbox_full' })
    behavior.finish('last')
    behavior.finish('queued')
    await Promise.all([last, queued])
    await probe.stop()
  })

  test('counts what a session brings from disk, and frees it when the session is terminated', async () => {
    const before = await startLoop({ behavior: new GatedBehavior() })
    await before.post('a')
    const { sessionId } = await before.post('b')
    await before.stop()
    const { store, claims } = before
    const after = await startLoop({
      store,
      claims,
      currentSessionId: sessionId,
      activation: 1,
      resume: false,
      mailboxMessages: 2,
    })
    await after.command({ name: 'terminate', sessionId })
    expect(await Promise.all([after.send('c'), after.send('d')])).toMatchObject([
      { result: 'c' },
      { result: 'd' },
    ])
    await after.stop()
  })
})
