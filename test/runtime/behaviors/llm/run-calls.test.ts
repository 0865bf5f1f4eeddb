/** The calls of a model's step (RC1 to RC5), in one stay of an agent and over several. */
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Json } from '../../../../src/core/json.ts'
import type { PermissionRules } from '../../../../src/core/permissions/rule-types.ts'
import type { MemoryEntry, ToolCall } from '../../../../src/core/session-state.ts'
import type { Outcome } from '../../../../src/protocol/from-agent.ts'
import type { ModelStep } from '../../../../src/runtime/models/model-step.ts'
import { Reaper } from '../../../../src/runtime/processes/reaper.ts'
import { createBuiltInTools } from '../../../../src/runtime/tools/built-in-tools.ts'
import type { Tool } from '../../../../src/runtime/tools/tool.ts'
import { type LoopProbe, startLoop } from '../../../fakes/loop-probe.ts'
import { calling, type NotedTool, notedTool, scriptedLlm } from '../../../fakes/scripted-llm.ts'
import { temporaryDirectory } from '../../../fakes/temporary-directory.ts'

interface Setting {
  steps?: Partial<ModelStep>[]
  tools: (NotedTool | Tool)[]
  permissions?: PermissionRules
  workingDir?: string
}

interface Started {
  probe: LoopProbe
  ran: [name: string, input: object][]
  outcome: Promise<Outcome>
}

const call = (toolCallId: string, name: string, input: Json = {}): ToolCall => ({ toolCallId, name, input })

async function start({ workingDir = '/', ...setting }: Setting): Promise<Started> {
  const ran: Started['ran'] = []
  const probe = await startLoop({ behavior: behaviorOf(setting, ran) })
  await probe.command({ name: 'create', input: { name: 'work', workingDir } })
  const outcome = probe.send('go')
  outcome.catch(() => undefined) // a stay that rests leaves it without an answer
  await probe.settle()
  return { probe, ran, outcome }
}

/** Rests, and goes on in a new stay, whose model has nothing more to ask for. */
async function goOn({ probe, ran }: Started, setting: Setting): Promise<Started> {
  const sessionId = sessionOf(probe)
  probe.deliver({ type: 'rest' })
  expect(probe.envelopes.at(-1)).not.toMatchObject({ type: 'busy' })
  await probe.ended
  const next = await startLoop({
    store: probe.store,
    claims: probe.claims,
    currentSessionId: sessionId,
    activation: 1,
    behavior: behaviorOf(setting, ran),
  })
  await next.settle()
  return { probe: next, ran, outcome: new Promise(() => {}) }
}

function behaviorOf({ steps = [], tools, permissions = {} }: Setting, ran: Started['ran']) {
  const all = tools.map((tool) => ('execute' in tool ? tool : notedTool(ran, tool)))
  return scriptedLlm({ steps, tools: all, permissions })
}

function sessionOf(probe: LoopProbe): string {
  const sent = probe.envelopes.findLast((envelope) => envelope.type === 'records')
  if (sent === undefined) throw new Error('expected records')
  return sent.sessionId
}

/** The results of all calls, as the model reads them, in the order in which they came. */
async function results(
  probe: LoopProbe,
): Promise<[id: string | undefined, MemoryEntry['outcome'], string][]> {
  const { state } = await probe.store.load(sessionOf(probe))
  return state.memory
    .filter(({ role }) => role === 'tool')
    .map(({ toolCallId, outcome, content }) => [toolCallId, outcome, content])
}

/** The ids of the open turn's calls and how far they have come. */
async function openCalls(probe: LoopProbe): Promise<string[]> {
  const { state } = await probe.store.load(sessionOf(probe))
  return (state.turn?.calls ?? []).map(({ toolCallId, state: reached }) => `${toolCallId} ${reached}`)
}

function outcomeOf(result: string): Outcome {
  return { status: 'completed', result, turnId: 't', taskId: 't', agentId: 'b', sessionId: 's' }
}

function respond(probe: LoopProbe, index: number, result: string): void {
  const request = probe.teamRequests()[index]
  if (request === undefined) throw new Error(`expected a request ${index}`)
  probe.deliver({ type: 'team-response', id: request.id, value: outcomeOf(result) })
}

async function answer({ probe }: Started, index: number, decision: 'once' | 'session' | 'deny') {
  const approval = probe.asked[index]
  if (approval === undefined) throw new Error(`expected a question ${index}`)
  await probe.answer(approval.approvalId, decision)
  await probe.settle()
}

describe('every call ends in one result (RC1)', () => {
  test('of the tool, or why it was not run', async () => {
    const failing = () => {
      throw new Error('the disk is on fire')
    }
    const { probe, ran, outcome } = await start({
      steps: [
        calling(
          call('unknown', 'no_such_tool'),
          { ...call('broken', 'plain', '{"a":'), problem: 'the arguments are no JSON' },
          call('unfit', 'plain', 'text'),
          call('nobody', 'ask_agent', { agent: 'b' }),
          call('denied', 'forbidden'),
          call('unclear', 'unclear'),
          call('failed', 'failing'),
          call('fine', 'plain', { n: 1 }),
        ),
      ],
      tools: [
        { name: 'plain' },
        { name: 'forbidden' },
        { name: 'unclear', subject: failing },
        { name: 'failing', run: failing },
      ],
      permissions: { '*': 'allow', forbidden: 'deny', unclear: { allow: ['**'] } },
    })
    expect(await outcome).toMatchObject({ status: 'completed', result: 'end' })
    const given = await results(probe)
    expect(given.map(([id, how]) => [id, how])).toEqual([
      ['unknown', 'error'],
      ['broken', 'error'],
      ['unfit', 'error'],
      ['nobody', 'error'],
      ['denied', 'error'],
      ['unclear', 'error'],
      ['failed', 'error'],
      ['fine', 'ok'],
    ])
    const said = given.map(([, , content]) => content)
    expect(said[0]).toContain('there is no tool "no_such_tool"; there are: ')
    expect(said[1]).toBe('the arguments are no JSON')
    expect(said[3]).toContain('message')
    expect(said[4]).toBe('not allowed: forbidden is set to deny')
    expect(said[5]).toBe('not allowed: the disk is on fire')
    expect(said[6]).toBe('the disk is on fire')
    expect(ran).toEqual([
      ['failing', {}],
      ['plain', { n: 1 }],
    ])
    expect(probe.teamRequests()).toEqual([])
  })

  test('of a person who says no, and of an agent that cannot be asked', async () => {
    const started = await start({
      steps: [
        calling(
          call('c1', 'careful'),
          call('c2', 'ask_agent', { agent: 'ghost', message: 'are you there?' }),
        ),
      ],
      tools: [{ name: 'careful' }],
      permissions: { careful: 'ask', ask_agent: 'allow' },
    })
    const { probe, outcome, ran } = started
    const [request] = probe.teamRequests()
    const error = { code: 'agent_not_found' as const, message: 'no agent ghost' }
    probe.deliver({ type: 'team-failure', id: request?.id ?? 0, error })
    await answer(started, 0, 'deny')
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(await results(probe)).toEqual([
      ['c2', 'error', 'no agent ghost'],
      ['c1', 'error', 'not allowed by a person'],
    ])
    expect(ran).toEqual([])
  })
})

describe('the order of calls (RC2)', () => {
  test('is that of the step for tools, one after the other, whichever was allowed first', async () => {
    const gate = Promise.withResolvers<string>()
    const started = await start({
      steps: [calling(call('c1', 'first'), call('c2', 'second'), call('c3', 'third'))],
      tools: [{ name: 'first', run: () => gate.promise }, { name: 'second' }, { name: 'third' }],
      permissions: { '*': 'ask', third: 'allow' },
    })
    const { probe, ran, outcome } = started
    expect(probe.asked.map(({ toolCallId }) => toolCallId)).toEqual(['c1', 'c2'])
    await answer(started, 1, 'once')
    expect(ran).toEqual([])
    await answer(started, 0, 'once')
    expect(ran.map(([name]) => name)).toEqual(['first'])
    expect(await openCalls(probe)).toEqual(['c1 running', 'c2 announced', 'c3 announced'])
    gate.resolve('done')
    await outcome
    expect(ran.map(([name]) => name)).toEqual(['first', 'second', 'third'])
  })

  test('holds no question back: agents are asked together, while a tool before them runs', async () => {
    const gate = Promise.withResolvers<string>()
    const { probe, outcome } = await start({
      steps: [
        calling(
          call('c1', 'slow'),
          call('c2', 'ask_agent', { agent: 'b', message: 'one' }),
          call('c3', 'ask_agent', { agent: 'c', message: 'two' }),
        ),
      ],
      tools: [{ name: 'slow', run: () => gate.promise }],
      permissions: { '*': 'allow' },
    })
    expect(probe.teamRequests().map(({ request }) => request)).toMatchObject([
      { name: 'ask', agentId: 'b', input: 'one' },
      { name: 'ask', agentId: 'c', input: 'two' },
    ])
    respond(probe, 1, 'from c')
    respond(probe, 0, 'from b')
    await probe.settle()
    gate.resolve('slow')
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect(new Set((await results(probe)).map(([id, , content]) => `${id} ${content}`))).toEqual(
      new Set(['c1 slow', 'c2 from b', 'c3 from c']),
    )
  })

  test('lets no tool begin after a cancel, not even behind one that is running', async () => {
    const gate = Promise.withResolvers<string>()
    const { probe, ran, outcome } = await start({
      steps: [calling(call('c1', 'slow'), call('c2', 'next'))],
      tools: [{ name: 'slow', run: () => gate.promise }, { name: 'next' }],
      permissions: { '*': 'allow' },
    })
    expect(await probe.cancel()).toBe(true)
    gate.resolve('too late')
    expect(await outcome).toMatchObject({ status: 'cancelled' })
    expect(ran.map(([name]) => name)).toEqual(['slow'])
  })
})

describe('what a person is asked is what is run (RC3)', () => {
  test('with the input that was judged, once, and nothing else', async () => {
    const started = await start({
      steps: [calling(call('c1', 'put', { to: 'a', text: 'x' }))],
      tools: [{ name: 'put', subject: () => 'a' }],
      permissions: { put: 'ask' },
    })
    expect(started.ran).toEqual([])
    expect(started.probe.asked).toMatchObject([{ toolCallId: 'c1', tool: 'put', subject: 'a' }])
    await answer(started, 0, 'once')
    await started.outcome
    expect(started.ran).toEqual([['put', { to: 'a', text: 'x' }]])
    expect(started.probe.asked).toHaveLength(1)
  })

  test.each([
    { decision: 'deny', ran: ['move'] },
    { decision: 'once', ran: ['move', 'put'] },
  ] as const)(
    'a yes does not count where a call before it has changed what it is about: asked anew, $decision',
    async ({ decision, ran }) => {
      let target = 'a'
      const started = await start({
        steps: [calling(call('c1', 'move'), call('c2', 'put'))],
        tools: [
          { name: 'move', run: () => (target = 'b') },
          { name: 'put', subject: () => target },
        ],
        permissions: { move: 'ask', put: 'ask' },
      })
      expect(started.probe.asked.map(({ tool }) => tool)).toEqual(['move', 'put'])
      expect(started.probe.asked[1]).toMatchObject({ subject: 'a' })
      await answer(started, 1, 'once')
      await answer(started, 0, 'once')
      expect(started.ran.map(([name]) => name)).toEqual(['move'])
      expect(started.probe.asked.slice(2)).toMatchObject([{ toolCallId: 'c2', subject: 'b' }])
      await answer(started, 2, decision)
      expect(await started.outcome).toMatchObject({ status: 'completed' })
      expect(started.ran.map(([name]) => name)).toEqual(ran)
    },
  )

  test('what is granted for the session is the subject that was shown', async () => {
    let target = 'a'
    const started = await start({
      steps: [
        calling(call('c1', 'put')),
        calling(call('c2', 'put')),
        calling(call('c3', 'move'), call('c4', 'put')),
      ],
      tools: [
        { name: 'move', run: () => (target = 'b') },
        { name: 'put', subject: () => target },
      ],
      permissions: { move: 'allow', put: 'ask' },
    })
    await answer(started, 0, 'session')
    expect(started.ran.map(([name]) => name)).toEqual(['put', 'put', 'move'])
    expect(started.probe.asked.map(({ toolCallId, subject }) => [toolCallId, subject])).toEqual([
      ['c1', 'a'],
      ['c4', 'b'],
    ])
  })
})

describe('a call is judged again right before it runs (RC4)', () => {
  test('so that a link made by the call before it leads to nothing that is denied', async () => {
    const directory = temporaryDirectory()
    for (const name of ['src', 'docs']) mkdirSync(join(directory, name))
    const reaper = new Reaper()
    onTestFinished(() => reaper.close())
    const write = createBuiltInTools({ reaper, allowedPaths: [], outputBytes: 1_024 }).get('write')
    if (write === undefined) throw new Error('expected the tool write')
    const link = () => symlinkSync('../docs', join(directory, 'src/d'))
    const { probe, outcome } = await start({
      workingDir: directory,
      steps: [
        calling(call('c1', 'link'), call('c2', 'write', { path: 'src/d/x', content: 'X' })),
        calling(call('c3', 'write', { path: 'src/y', content: 'Y' })),
      ],
      tools: [
        {
          name: 'link',
          run: () => {
            link()
            return 'linked'
          },
        },
        write,
      ],
      permissions: { link: 'allow', write: { allow: ['src/**'], deny: ['docs/**'], default: 'deny' } },
    })
    await outcome
    expect(readdirSync(join(directory, 'docs'))).toEqual([])
    expect(readdirSync(join(directory, 'src'))).toEqual(['d', 'y'])
    expect((await results(probe)).map(([, how, content]) => `${how} ${content}`)).toEqual([
      'ok linked',
      'error not allowed: a rule of write denies: docs/**',
      'ok made src/y (1 bytes)',
    ])
  })

  test('and asked about where it was allowed before', async () => {
    let target = 'src/a'
    const { probe, ran } = await start({
      steps: [calling(call('c1', 'move'), call('c2', 'put'))],
      tools: [
        { name: 'move', run: () => (target = 'docs/a') },
        { name: 'put', subject: () => target },
      ],
      permissions: { move: 'allow', put: { allow: ['src/**'], default: 'ask' } },
    })
    expect(ran.map(([name]) => name)).toEqual(['move'])
    expect(probe.asked).toMatchObject([{ toolCallId: 'c2', subject: 'docs/a' }])
  })
})

describe('a mark of a redacted secret in what a call is given (RC5)', () => {
  const mark = '[redacted:API_KEY]'
  const lookup: Tool = { ...notedTool([], { name: 'lookup' }), readOnly: true, execute: async () => 'found' }

  test('keeps a call that may change something from being run, and from being asked about', async () => {
    const { probe, ran, outcome } = await start({
      steps: [
        calling(
          call('free', 'put', { content: `KEY=${mark}\n` }),
          call('careful', 'careful', { lines: [{ text: mark }] }),
          call('without', 'put', { content: 'KEY=$API_KEY\n' }),
        ),
      ],
      tools: [{ name: 'put' }, { name: 'careful' }],
      permissions: { put: 'allow', careful: 'ask' },
    })
    expect(await outcome).toMatchObject({ status: 'completed', result: 'end' })
    expect(probe.asked).toEqual([])
    expect(ran).toEqual([['put', { content: 'KEY=$API_KEY\n' }]])
    const given = await results(probe)
    expect(given.map(([id, how]) => [id, how])).toEqual([
      ['free', 'error'],
      ['careful', 'error'],
      ['without', 'ok'],
    ])
    for (const [, , said] of given.slice(0, 2)) {
      expect(said).toContain(`not run: the input holds ${mark}`)
      expect(said).toMatch(/stands for a secret.*with an edit that does not touch it.*environment variable/)
    }
  })

  test('holds back neither what only reads nor messages to other agents', async () => {
    const message = `where does ${mark} come from?`
    const { probe, outcome } = await start({
      steps: [
        calling(
          call('read', 'lookup', { pattern: mark }),
          call('ask', 'ask_agent', { agent: 'b', message }),
          call('tell', 'tell_agent', { agent: 'c', message }),
        ),
      ],
      tools: [lookup],
      permissions: { '*': 'allow' },
    })
    const sent = probe.teamRequests().map(({ request }) => request)
    expect(sent).toHaveLength(2)
    for (const request of sent) expect(JSON.stringify(request)).toContain(message)
    for (const { id, request } of probe.teamRequests()) {
      const value = request.name === 'ask' ? outcomeOf('from the vault') : null
      probe.deliver({ type: 'team-response', id, value })
    }
    expect(await outcome).toMatchObject({ status: 'completed' })
    expect((await results(probe)).map(([id, how]) => `${id} ${how}`).toSorted()).toEqual([
      'ask ok',
      'read ok',
      'tell ok',
    ])
  })
})

describe('calls that another stay takes up', () => {
  test('are run where they have no result, and only those', async () => {
    const tools = [{ name: 'plain' }, { name: 'careful' }]
    const permissions: PermissionRules = { plain: 'allow', careful: 'ask' }
    const first = await start({
      steps: [calling(call('c1', 'plain'), call('c2', 'careful', { n: 2 }), call('c3', 'plain', { n: 3 }))],
      tools,
      permissions,
    })
    expect(first.ran).toEqual([['plain', {}]])
    const second = await goOn(first, { tools, permissions })
    expect(second.ran).toHaveLength(1)
    // The question is the one that was put before.
    await second.probe.answer(first.probe.asked[0]?.approvalId ?? '', 'once')
    await second.probe.settle()
    expect(second.ran).toEqual([
      ['plain', {}],
      ['careful', { n: 2 }],
      ['plain', { n: 3 }],
    ])
    expect(second.probe.asked).toEqual([])
    expect((await results(second.probe)).map(([id, how]) => `${id} ${how}`)).toEqual([
      'c1 ok',
      'c2 ok',
      'c3 ok',
    ])
  })

  test('are not run where their step says why they must not: arguments that were cut off stay cut off', async () => {
    const tools = [{ name: 'careful' }, { name: 'wipe' }]
    const permissions: PermissionRules = { careful: 'ask', wipe: 'allow' }
    const problem = 'the answer ended before the arguments of this call were complete'
    const first = await start({
      steps: [
        {
          ...calling(call('c1', 'careful'), { ...call('c2', 'wipe'), problem }),
          finishReason: 'length',
        },
      ],
      tools,
      permissions,
    })
    const second = await goOn(first, { tools, permissions })
    await second.probe.answer(first.probe.asked[0]?.approvalId ?? '', 'once')
    await second.probe.settle()
    expect(second.ran.map(([name]) => name)).toEqual(['careful'])
    expect((await results(second.probe)).at(-1)).toEqual(['c2', 'error', problem])
    const records = await second.probe.records(sessionOf(second.probe))
    expect(records.find(({ type }) => type === 'step.model')).toMatchObject({
      toolCalls: [call('c1', 'careful'), { ...call('c2', 'wipe'), problem }],
    })
  })

  test('have a yes from before for the subject that was shown, whatever it is by then', async () => {
    let target = 'a'
    const tools = [{ name: 'careful' }, { name: 'put', subject: () => target }]
    const permissions: PermissionRules = { careful: 'ask', put: 'ask' }
    const first = await start({
      steps: [calling(call('c1', 'careful'), call('c2', 'put'), call('c3', 'put'))],
      tools,
      permissions,
    })
    await answer(first, 1, 'once') // of c2, about a; c3 stays open, about a
    target = 'b'
    const second = await goOn(first, { tools, permissions })
    expect(second.probe.asked).toMatchObject([{ toolCallId: 'c2', subject: 'b' }])
    await second.probe.answer(first.probe.asked[0]?.approvalId ?? '', 'once')
    await second.probe.answer(first.probe.asked[2]?.approvalId ?? '', 'once')
    await second.probe.settle()
    expect(second.ran.map(([name]) => name)).toEqual(['careful'])
    expect(second.probe.asked.slice(1)).toMatchObject([{ toolCallId: 'c3', subject: 'b' }])
    await answer(second, 0, 'once')
    await answer(second, 1, 'deny')
    expect(second.ran.map(([name]) => name)).toEqual(['careful', 'put'])
  })

  test('have a no from before, whatever the rules say by then', async () => {
    const tools = [{ name: 'careful' }, { name: 'put', subject: () => 'a' }]
    const first = await start({
      steps: [calling(call('c1', 'careful'), call('c2', 'put'))],
      tools,
      permissions: { careful: 'ask', put: 'ask' },
    })
    await answer(first, 1, 'deny')
    const second = await goOn(first, { tools, permissions: { careful: 'ask', put: 'allow' } })
    await second.probe.answer(first.probe.asked[0]?.approvalId ?? '', 'once')
    await second.probe.settle()
    expect(second.ran.map(([name]) => name)).toEqual(['careful'])
    expect((await results(second.probe)).at(-1)).toEqual(['c2', 'error', 'not allowed by a person'])
  })

  test('wait for the agent that was asked, by the same task, and are not judged anew', async () => {
    const first = await start({
      steps: [calling(call('c1', 'ask_agent', { agent: 'b', message: 'well?' }))],
      tools: [],
      permissions: { ask_agent: 'allow' },
    })
    const second = await goOn(first, { tools: [], permissions: { ask_agent: 'deny' } })
    expect(second.probe.teamRequests().map(({ request }) => request)).toEqual(
      first.probe.teamRequests().map(({ request }) => request),
    )
    respond(second.probe, 0, 'well')
    await second.probe.settle()
    expect(await results(second.probe)).toEqual([['c1', 'ok', 'well']])
  })
})
