/** L4 of the agent loop: what a failing disk leads to, and that work goes on when it is well again. */
import { readdirSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { createFileStore } from '../../src/store/file-store.ts'
import { FaultyDisk } from '../fakes/faulty-disk.ts'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { type LoopOptions, type LoopProbe, startLoop } from '../fakes/loop-probe.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

async function startOnDisk(options: LoopOptions = {}): Promise<{ probe: LoopProbe; disk: FaultyDisk }> {
  const disk = new FaultyDisk()
  const store = createFileStore({ directory: temporaryDirectory(), fs: disk.fs })
  return { probe: await startLoop({ store, ...options }), disk }
}

async function inputsOf(probe: LoopProbe, sessionId: string): Promise<string[]> {
  const records = await probe.records(sessionId)
  return records.flatMap((record) => (record.type === 'message.accepted' ? [record.input] : []))
}

/** The writes that were reported as failed, in order. */
function failuresOf(probe: LoopProbe): unknown[] {
  return probe.envelopes.flatMap((envelope) => {
    if (envelope.type !== 'note' || !envelope.note.kind.endsWith('-failed')) return []
    const { kind, sessionId } = envelope.note
    return [{ kind, sessionId }]
  })
}

describe.each([
  ['ENOSPC', 'write', 'storage_full'],
  ['EIO', 'fdatasync', 'storage_failed'],
] as const)('a disk that answers %s to %s', (errno, call, code) => {
  test('lets a message fail, not be acknowledged; reads go on; then the next one works, and nothing is doubled', async () => {
    const { probe, disk } = await startOnDisk()
    const { sessionId } = await probe.send('before')
    disk.fail(errno, call)
    await expect(probe.send('lost', { taskId: 't' })).rejects.toMatchObject({ code })
    await expect(probe.post('lost too')).rejects.toMatchObject({ code })
    await expect(probe.send('lost as well')).rejects.toMatchObject({ code })
    expect(await inputsOf(probe, sessionId)).toContain('before')
    const kind = call === 'write' ? 'append-failed' : 'sync-failed'
    const failure = expect.objectContaining({ kind, sessionId }) as unknown
    expect(failuresOf(probe)).toEqual([failure, failure, failure])
    disk.heal()
    expect(await probe.send('after', { taskId: 't' })).toMatchObject({
      status: 'completed',
      result: 'after',
      sessionId,
    })
    await probe.stop()
    const { state, notes } = await probe.store.load(sessionId)
    expect(notes).toEqual([])
    expect(state.memory.filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual([
      'before',
      'after',
    ])
  })

  test('fails everyone who waits for the turn whose end cannot be written, and the queue behind it', async () => {
    const behavior = new GatedBehavior()
    const { probe, disk } = await startOnDisk({ behavior })
    await probe.command({ name: 'create', input: { name: 'first' } })
    const running = probe.send('a', { taskId: 'a' })
    const joined = probe.send('a', { taskId: 'a' })
    const { session } = await behavior.started('a')
    const queued = probe.send('b')
    await probe.settle()
    disk.fail(errno, call)
    behavior.finish('a')
    for (const waiting of [running, joined, queued]) await expect(waiting).rejects.toMatchObject({ code })
    disk.heal()
    behavior.finish('c')
    expect(await probe.send('c')).toMatchObject({ status: 'completed', sessionId: session.id })
    await probe.stop()
  })
})

describe('a full disk', () => {
  test('in the middle of a turn: the tool is not run, the turn ends when there is room, acknowledged messages run', async () => {
    let calls = 0
    const gate = new GatedBehavior()
    const behavior = {
      async run(message: string, context: Parameters<GatedBehavior['run']>[1]) {
        await gate.run(message, context)
        await context.runTool('count', {}, async () => `${++calls}`)
        return 'done'
      },
    }
    const clock = new SimulatedClock()
    const { probe, disk } = await startOnDisk({ behavior, userModule: true, clock })
    const running = probe.send('a')
    const { session } = await gate.started('a')
    const posted = await probe.post('b')
    disk.fail('ENOSPC', 'write')
    gate.finish('a')
    await expect(running).rejects.toMatchObject({ code: 'storage_full' })
    expect(calls).toBe(0)
    disk.heal()
    gate.finish('b')
    await clock.advanceAsync(2_000)
    await probe.settle()
    expect(await probe.send('b', { taskId: posted.turnId })).toMatchObject({
      status: 'completed',
      result: 'done',
    })
    expect(calls).toBe(1)
    const { state } = await probe.store.load(session.id)
    expect(state.tasks.map(({ status }) => status)).toEqual(['interrupted', 'completed'])
    await probe.stop()
  })

  test('refuses commands with its code, keeps the current session, and they work when there is room', async () => {
    const { probe, disk } = await startOnDisk()
    const { sessionId } = await probe.send('before')
    const update = { name: 'update', sessionId, patch: { name: 'renamed' } } as const
    const create = { name: 'create', input: { name: 'new' } } as const
    disk.fail('ENOSPC', 'write')
    await expect(probe.command(create)).rejects.toMatchObject({ code: 'storage_full' })
    await expect(probe.command(update)).rejects.toMatchObject({ code: 'storage_full' })
    await expect(probe.command({ name: 'suspend' })).rejects.toMatchObject({ code: 'storage_full' })
    disk.heal()
    expect(await probe.send('after')).toMatchObject({ sessionId })
    expect((await probe.command(update)).name).toBe('renamed')
    expect((await probe.command(create)).status).toBe('active')
    await probe.stop()
  })

  test('leaves no file open for a session that could not be made current', async () => {
    const { probe, disk } = await startOnDisk()
    const ids: string[] = []
    for (let count = 0; count < 10; count++) {
      ids.push((await probe.command({ name: 'create', input: { name: `${count}` } })).id)
    }
    const openFiles = () => readdirSync('/proc/self/fd').length
    const before = openFiles()
    disk.fail('ENOSPC', 'write')
    for (const sessionId of ids.slice(0, -1)) {
      await expect(probe.command({ name: 'load', sessionId })).rejects.toMatchObject({ code: 'storage_full' })
    }
    expect(openFiles()).toBe(before)
    disk.heal()
    await probe.stop()
  })

  test('lets a switch succeed whose new session is durable, also where the one before cannot be suspended', async () => {
    const { probe, disk } = await startOnDisk()
    const first = await probe.command({ name: 'create', input: { name: 'first' } })
    let second: string | undefined
    const append = probe.store.append.bind(probe.store)
    probe.store.append = async (claim, sessionId, ...rest) => {
      if (sessionId === first.id) disk.fail('ENOSPC', 'write')
      else second ??= sessionId
      return append(claim, sessionId, ...rest)
    }
    const created = await probe.command({ name: 'create', input: { name: 'second' } })
    expect(created).toMatchObject({ id: second, status: 'active' })
    disk.heal()
    expect(probe.envelopes).toContainEqual({
      type: 'note',
      note: expect.objectContaining({ kind: 'suspend-failed', sessionId: first.id }) as object,
    })
    expect(await probe.send('a')).toMatchObject({ status: 'completed', sessionId: second })
    await probe.stop()
    const { store, claims } = probe
    const { id: currentSessionId, activation } = created
    probe.store.append = append
    const after = await startLoop({
      store,
      claims,
      currentSessionId,
      activation,
      strayActiveIds: [first.id],
    })
    expect((await after.store.load(first.id)).state.status).toBe('suspended')
    await after.stop()
  })

  test('fails the cancel of a queued message and its sender; nothing hangs', async () => {
    const behavior = new GatedBehavior()
    const { probe, disk } = await startOnDisk({ behavior })
    const running = probe.send('a')
    await behavior.started('a')
    const queued = probe.send('b', { taskId: 'b' })
    const { turnId } = await probe.post('b', { taskId: 'b' })
    disk.fail('ENOSPC', 'write')
    await expect(probe.cancel(turnId)).rejects.toMatchObject({ code: 'storage_full' })
    behavior.finish('a')
    await expect(running).rejects.toMatchObject({ code: 'storage_full' })
    await expect(queued).rejects.toMatchObject({ code: 'storage_full' })
    disk.heal()
    behavior.finish('b')
    behavior.finish('c')
    expect(await probe.send('c')).toMatchObject({ status: 'completed' })
    expect(behavior.runs('b')).toBe(1)
    await probe.stop()
  })

  test('does not keep a stay from stopping', async () => {
    const { probe, disk } = await startOnDisk()
    const { sessionId } = await probe.send('before')
    disk.fail('ENOSPC', 'write')
    await expect(probe.send('lost')).rejects.toMatchObject({ code: 'storage_full' })
    await probe.stop()
    disk.heal()
    expect((await probe.store.load(sessionId)).state.counts.turns).toBe(1)
  })

  test('costs a snapshot, not the session switch that wants it', async () => {
    const { probe, disk } = await startOnDisk()
    disk.fail('ENOSPC', 'rename')
    const first = await probe.command({ name: 'create', input: { name: 'first' } })
    const second = await probe.command({ name: 'create', input: { name: 'second' } })
    expect([first.status, second.status]).toEqual(['active', 'active'])
    await expect(probe.command({ name: 'save' })).rejects.toMatchObject({ code: 'storage_full' })
    // The first with its creation and its suspension, the second with its creation and its own command.
    const failed = [first.id, first.id, second.id, second.id]
    expect(failuresOf(probe)).toEqual(failed.map((sessionId) => ({ kind: 'snapshot-failed', sessionId })))
    await probe.stop()
  })
})
