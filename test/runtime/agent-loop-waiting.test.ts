/** L5 of the agent loop, RT, TA and QU: turns that wait for people and for other agents. */
import { describe, expect, test } from 'vitest'
import type { Behavior, BehaviorContext } from '../../src/behavior.ts'
import { createFileStore } from '../../src/store/file-store.ts'
import { createMemoryStore } from '../../src/store/memory-store.ts'
import type { TurnContext } from '../../src/runtime/turn-context.ts'
import { FaultyDisk } from '../fakes/faulty-disk.ts'
import { GatedBehavior } from '../fakes/gated-behavior.ts'
import { type LoopProbe, startLoop } from '../fakes/loop-probe.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'
import { until } from '../fakes/until.ts'

const HOUR_MS = 3_600_000
const STEP = {
  content: '',
  toolCalls: ['one', 'two'].map((id) => ({ toolCallId: id, name: 'shell', input: id })),
}

/**
 * Asks a person about two calls at once and runs them in order, as the message says: `ask`; `same`, about two of the same; `race`, and
 * does not wait; `agent`, asks the agent `other`; `list`, asks that agent and about its team at once. `plain` asks nobody.
 */
class Asker implements Behavior {
  readonly resumable: boolean
  readonly ran: string[] = []
  constructor(resumable = true) {
    this.resumable = resumable
  }

  async run(message: string, base: BehaviorContext): Promise<string> {
    // What the runtime gives is wider than what it promises to every behavior.
    const context = base as TurnContext
    switch (message) {
      case 'ask':
      case 'same':
        if (context.turn().calls.length === 0) await context.recordStep(STEP)
        return this.#ask(context, message === 'same')
      case 'race':
        await context.recordStep(STEP)
        void this.#ask(context, false).catch(() => undefined)
        await until('it asks', () => context.turn().calls.length === 2)
        return 'did not wait'
      case 'agent':
        return (await context.ask('other', 'a question')).result
      case 'list': {
        const [outcome] = await Promise.all([context.ask('other', 'a question'), context.teammates()])
        return outcome.result
      }
      default:
        return `said ${message}`
    }
  }

  async #ask(context: TurnContext, same: boolean): Promise<string> {
    const open = context.turn().calls.filter(({ state }) => state === 'announced')
    const answers = open.map(({ toolCallId }) => {
      const subject = same ? 'ls' : toolCallId
      return context.askApproval({
        toolCallId,
        tool: 'shell',
        subject,
        reason: 'it may do harm',
        grant: { tool: 'shell', pattern: subject },
        timeoutMs: HOUR_MS,
      })
    })
    for (const answer of answers) answer.catch(() => undefined)
    for (const [index, { toolCallId }] of open.entries()) {
      const answer = await answers[index]
      if (answer?.decision === 'deny') await context.refuseTool(toolCallId, `no (${answer.by})`)
      else {
        const run = () => Promise.resolve(this.ran.push(toolCallId)).then(() => 'ran')
        await context.runTool('shell', toolCallId, run, toolCallId)
      }
    }
    return 'asked'
  }
}

async function waiting(probe: LoopProbe): Promise<void> {
  await until('it waits', () => probe.waiting)
}

function idOf(probe: LoopProbe, index: number): string {
  const approval = probe.asked[index]
  if (approval === undefined) throw new Error(`expected a question ${index}, there are ${probe.asked.length}`)
  return approval.approvalId
}

describe('a failed write beside a turn that waits for a person', () => {
  test('ends the wait; well again, the question is open as before, and its answer counts', async () => {
    const disk = new FaultyDisk()
    const store = createFileStore({ directory: temporaryDirectory(), fs: disk.fs })
    const behavior = new Asker()
    const probe = await startLoop({ store, behavior })
    const { turnId, sessionId } = await probe.post('ask')
    await until('both are asked', () => probe.asked.length === 2)
    disk.fail('ENOSPC', 'write')
    await expect(probe.answer(idOf(probe, 0), 'once')).rejects.toMatchObject({ code: 'storage_full' })
    disk.heal()
    await until('it waits again', () => probe.waiting)
    await probe.answer(idOf(probe, 0), 'once')
    await probe.answer(idOf(probe, 1), 'once')
    const outcome = await probe.send('ask', { taskId: turnId })
    expect(outcome).toMatchObject({ status: 'completed', turnId, sessionId })
    expect(behavior.ran).toEqual(['one', 'two'])
    await probe.stop()
    expect((await probe.records(sessionId)).filter(({ type }) => type === 'approval.answered')).toHaveLength(
      2,
    )
  })

  test('does not take back a cancel that was answered before the write failed', async () => {
    const disk = new FaultyDisk()
    const clock = new SimulatedClock()
    const store = createFileStore({ directory: temporaryDirectory(), fs: disk.fs })
    const probe = await startLoop({ store, clock, behavior: new Asker() })
    const { turnId } = await probe.post('ask')
    const turn = probe.send('ask', { taskId: turnId })
    await until('both are asked', () => probe.asked.length === 2)
    disk.fail('ENOSPC', 'write')
    const answer = probe.answer(idOf(probe, 0), 'once')
    expect(await probe.cancel(turnId)).toBe(true)
    await expect(answer).rejects.toMatchObject({ code: 'storage_full' })
    await expect(turn).rejects.toMatchObject({ code: 'storage_full' })
    await probe.settle()
    disk.heal()
    clock.advance(2_000)
    expect(await probe.send('ask', { taskId: turnId })).toMatchObject({ status: 'cancelled' })
    await probe.stop()
  })
})

describe('the order of answers', () => {
  test('the second of two first: the turn still only waits, gives its thread back, and its clock stands still', async () => {
    const clock = new SimulatedClock()
    const behavior = new Asker()
    const probe = await startLoop({ clock, behavior, turnMs: 60_000 })
    const turn = probe.send('ask')
    await until('both are asked', () => probe.asked.length === 2)
    await probe.answer(idOf(probe, 1), 'once')
    await probe.settle()
    expect(probe.waiting).toBe(true)
    clock.advance(HOUR_MS / 2)
    await probe.answer(idOf(probe, 0), 'once')
    expect(await turn).toMatchObject({ status: 'completed' })
    expect(behavior.ran).toEqual(['one', 'two'])
    await probe.stop()
  })

  test('a yes for the session answers the other question about the very same, and no other', async () => {
    const behavior = new Asker()
    const probe = await startLoop({ behavior })
    const turn = probe.send('same')
    await until('both are asked', () => probe.asked.length === 2)
    await probe.answer(idOf(probe, 0), 'session')
    expect(await turn).toMatchObject({ status: 'completed' })
    expect(behavior.ran).toEqual(['one', 'two'])

    const other = probe.post('ask')
    await until('both are asked', () => probe.asked.length === 4)
    await probe.answer(idOf(probe, 2), 'session')
    await until('the second waits', () => probe.waiting)
    await expect(probe.answer(idOf(probe, 3), 'once')).resolves.toMatchObject({ subject: 'two' })
    await other
    await probe.stop()
  })

  test('nobody in time is a no, also where a person answers before it was noticed', async () => {
    const store = createMemoryStore()
    const clock = new SimulatedClock()
    const behavior = new Asker()
    const first = await startLoop({ store, clock, behavior })
    const { sessionId } = await first.post('ask')
    await waiting(first)
    await first.stop()
    clock.advance(HOUR_MS + 1)
    // Open for commands only: nothing runs, no time is looked at.
    const later = await startLoop({
      store,
      clock,
      behavior,
      claims: first.claims,
      currentSessionId: sessionId,
      resume: false,
    })
    await expect(later.answer(idOf(first, 0), 'once')).rejects.toMatchObject({ code: 'approval_not_found' })
    await later.stop()
    const answers = (await later.records(sessionId)).filter(({ type }) => type === 'approval.answered')
    expect(answers).toMatchObject([{ decision: 'deny', by: 'timeout' }])
  })
})

describe('a turn that waits', () => {
  test('is left open by a rest and by a stop however often, and that is no attempt', async () => {
    const store = createMemoryStore()
    const behavior = new Asker()
    let probe = await startLoop({ store, behavior })
    const { sessionId, turnId } = await probe.post('ask')
    const { claims } = probe
    await until('both are asked', () => probe.asked.length === 2)
    const [first, second] = [idOf(probe, 0), idOf(probe, 1)]
    for (let stay = 0; stay < 8; stay++) {
      await waiting(probe)
      if (stay % 2 === 0) expect(probe.rest()).toBe(false)
      else void probe.stop()
      await probe.ended
      if (stay === 3) {
        // Answered while its agent is stopped.
        const maintenance = await startLoop({ store, claims, currentSessionId: sessionId, resume: false })
        await maintenance.answer(second, 'once')
        await maintenance.stop()
      }
      probe = await startLoop({ store, behavior, claims, currentSessionId: sessionId })
    }
    await probe.answer(first, 'once')
    expect(await probe.send('ask', { taskId: turnId })).toMatchObject({ status: 'completed' })
    expect(behavior.ran).toEqual(['one', 'two'])
    const started = (await probe.records(sessionId)).filter(({ type }) => type === 'turn.started')
    expect(started).toMatchObject([{ attempt: 1 }])
    await probe.stop()
  })

  test('stays cancelled where a stop stands behind the cancel', async () => {
    const store = createMemoryStore()
    const probe = await startLoop({ store, behavior: new Asker() })
    const { sessionId, turnId } = await probe.post('ask')
    await waiting(probe)
    const cancelled = probe.cancel(turnId)
    probe.deliver({ type: 'stop', graceMs: 1_000 })
    expect(await cancelled).toBe(true)
    await probe.ended
    const { state } = await store.load(sessionId)
    expect(state.turn).toBeNull()
    expect(state.tasks).toMatchObject([{ turnId, status: 'cancelled' }])
  })

  test('is ended by a stop where its behavior cannot go on with it', async () => {
    const store = createMemoryStore()
    const probe = await startLoop({ store, behavior: new Asker(false) })
    const { sessionId, turnId } = await probe.post('ask')
    await waiting(probe)
    expect(probe.rest()).toBe(true)
    await probe.stop()
    const { state } = await store.load(sessionId)
    expect(state.tasks).toMatchObject([{ turnId, status: 'interrupted' }])
    const results = state.memory.filter(({ role }) => role === 'tool')
    expect(results).toMatchObject([
      { toolCallId: 'one', outcome: 'error', content: expect.stringContaining('not run') as string },
      { toolCallId: 'two', outcome: 'error', content: expect.stringContaining('not run') as string },
    ])
  })

  test('still rests after answers that nobody waits for any more, or that were about something else', async () => {
    const probe = await startLoop({ behavior: new Asker() })
    const turn = probe.send('list')
    await until(
      'the team is asked',
      () => probe.envelopes.filter(({ type }) => type === 'team-request').length === 2,
    )
    const requests = probe.envelopes.filter((envelope) => envelope.type === 'team-request')
    const [ask, list] = ['ask', 'list'].map(
      (name) => requests.find(({ request }) => request.name === name)?.id ?? 0,
    )
    probe.deliver({ type: 'team-response', id: list ?? 0, value: [] })
    probe.deliver({ type: 'team-response', id: 999, value: 'late' })
    await waiting(probe)
    probe.deliver({ type: 'team-response', id: 999, value: 'late' })
    expect(probe.rest()).toBe(false)
    await probe.ended
    expect(ask).toBeGreaterThan(0)
    void turn.catch(() => undefined)
  })

  test('does not rest where the answer stands before the rest in the same frame', async () => {
    const probe = await startLoop({ behavior: new Asker() })
    const turn = probe.send('agent')
    await waiting(probe)
    const request = probe.envelopes.find((envelope) => envelope.type === 'team-request')
    const outcome = {
      status: 'completed',
      result: 'the answer',
      turnId: 'o',
      taskId: 'o',
      agentId: 'other',
      sessionId: 's',
    }
    probe.deliver({ type: 'team-response', id: request?.id ?? 0, value: outcome })
    expect(probe.rest()).toBe(true)
    expect(await turn).toMatchObject({ status: 'completed', result: 'the answer' })
    await probe.stop()
  })

  test('says nothing of its waiting when it is over', async () => {
    const clock = new SimulatedClock()
    const probe = await startLoop({ clock, behavior: new Asker() })
    expect(await probe.send('race')).toMatchObject({ status: 'completed', result: 'did not wait' })
    await probe.settle()
    expect(probe.waiting).toBe(false)
    const said = probe.envelopes.length
    clock.advance(2 * HOUR_MS)
    await probe.settle()
    expect(probe.envelopes.slice(said).map(({ type }) => type)).toEqual([])
    expect(await probe.send('plain')).toMatchObject({ status: 'completed' })
    await probe.stop()
  })
})

describe('what was taken in while a turn goes on', () => {
  test('is on disk a moment later, also where nobody was promised that: the turn itself, and messages behind it', async () => {
    const clock = new SimulatedClock()
    const store = createMemoryStore({ clock })
    const behavior = new GatedBehavior()
    const probe = await startLoop({ store, clock, behavior })
    const turn = probe.send('long')
    const { session } = await behavior.started('long')
    const written = async () => (await probe.records(session.id)).map(({ type }) => type)
    clock.advance(20)
    await probe.settle()
    expect(await written()).toEqual(['session.created', 'message.accepted', 'turn.started'])

    const behind = probe.send('behind it')
    await probe.settle()
    clock.advance(20)
    await probe.settle()
    expect(await written()).toEqual([
      'session.created',
      'message.accepted',
      'turn.started',
      'message.accepted',
    ])
    behavior.finish('long')
    behavior.finish('behind it')
    await Promise.all([turn, behind])
    await probe.settle()
    expect(clock.timers).toBe(0)
    await probe.stop()
  })
})
