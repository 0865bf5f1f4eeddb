/** No secret in what a turn records, shows, asks and fails with. */
import { expect, test } from 'vitest'
import type { Behavior } from '../../../src/behavior.ts'
import { AgentryError } from '../../../src/errors.ts'
import type { Outcome } from '../../../src/protocol/from-agent.ts'
import { type LoopProbe, startLoop } from '../../fakes/loop-probe.ts'

const SECRET = 'sk-very-secret-value-123456'
const MARK = '[redacted:API_KEY]'
const secrets = [{ name: 'API_KEY', value: SECRET }]

function outcomeOf(result: string): Outcome {
  return { status: 'completed', result, turnId: 't', taskId: 't', agentId: 'b', sessionId: 's' }
}

/** Everything that has left the turn: into the journal, and over the line. */
async function leftBy(probe: LoopProbe): Promise<string> {
  const sent = probe.envelopes.find((envelope) => envelope.type === 'records')
  const records = sent ? await probe.records(sent.sessionId) : []
  return JSON.stringify([records, probe.envelopes])
}

async function settled(run: Behavior['run']): Promise<LoopProbe> {
  const probe = await startLoop({ behavior: { name: 'leaky', resumable: true, run }, secrets })
  probe.send('go').catch(() => undefined)
  await probe.settle()
  return probe
}

test('another agent is asked and told without it', async () => {
  const probe = await settled(async (_message, context) => {
    const asked = context.ask('b', `log in with ${SECRET}`)
    await context.tell('c', `the key is ${SECRET}`)
    return (await asked).result
  })
  const [ask, tell] = probe.teamRequests()
  expect([ask?.request, tell?.request]).toMatchObject([
    { name: 'ask', agentId: 'b', input: `log in with ${MARK}` },
    { name: 'tell', agentId: 'c', input: `the key is ${MARK}` },
  ])
  probe.deliver({ type: 'team-response', id: tell?.id ?? 0, value: outcomeOf('') })
  probe.deliver({ type: 'team-response', id: ask?.id ?? 0, value: outcomeOf(`as you said: ${SECRET}`) })
  await probe.settle()
  const left = await leftBy(probe)
  expect(left).toContain(`as you said: ${MARK}`)
  expect(left).not.toContain(SECRET)
})

test('a question that holds one is still the same question after a rest', async () => {
  const behavior: Behavior = {
    name: 'asks',
    resumable: true,
    run: async (_message, context) => (await context.ask('b', `log in with ${SECRET}`)).result,
  }
  const first = await startLoop({ behavior, secrets })
  first.send('go').catch(() => undefined)
  await first.settle()
  first.deliver({ type: 'rest' })
  await first.ended
  const sent = first.envelopes.find((envelope) => envelope.type === 'records')
  const second = await startLoop({
    behavior,
    secrets,
    store: first.store,
    claims: first.claims,
    activation: 1,
    ...(sent && { currentSessionId: sent.sessionId }),
  })
  await second.settle()
  expect(first.teamRequests()).toHaveLength(1)
  expect(second.teamRequests().map(({ request }) => request)).toEqual(
    first.teamRequests().map(({ request }) => request),
  )
})

test('changes of the session are recorded without it', async () => {
  const probe = await settled(async (_message, context) => {
    await context.updateSession({
      workingDir: `/srv/${SECRET}`,
      vars: { KEY: SECRET, PLAIN: 'as it is' },
      metadata: { nested: [{ [SECRET]: SECRET }], gone: null },
    })
    return JSON.stringify([context.session.workingDir, context.session.vars, context.session.metadata])
  })
  const left = await leftBy(probe)
  expect(left).not.toContain(SECRET)
  const shown = [`/srv/${MARK}`, { KEY: MARK, PLAIN: 'as it is' }, { nested: [{ [MARK]: MARK }] }]
  expect(left).toContain(JSON.stringify(JSON.stringify(shown)).slice(1, -1))
})

test('a variable is not named by it', async () => {
  const name = 'very_secret_name_123456'
  const probe = await startLoop({
    behavior: {
      run: async (_message, context) => {
        await context.updateSession({ vars: { [name]: 'x' } })
        return 'not reached'
      },
    },
    secrets: [{ name: 'API_KEY', value: name }],
  })
  const outcome = await probe.send('go')
  expect(outcome).toMatchObject({ status: 'failed', error: { code: 'invalid_input' } })
  expect(await leftBy(probe)).not.toContain(name)
})

test('what a turn fails with is told without it, its data too', async () => {
  const probe = await startLoop({
    behavior: {
      run() {
        throw new AgentryError('tool_failed', `no login with ${SECRET}`, {
          data: { url: `https://x.test/?key=${SECRET}`, tries: [1, { [SECRET]: true }] },
        })
      },
    },
    secrets,
  })
  const outcome = await probe.send('go')
  expect(outcome.error).toEqual({
    code: 'tool_failed',
    message: `no login with ${MARK}`,
    data: { url: `https://x.test/?key=${MARK}`, tries: [1, { [MARK]: true }] },
  })
  expect(await leftBy(probe)).not.toContain(SECRET)
})

test('data that JSON cannot hold is left out of the error, which ends the turn all the same', async () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const probe = await startLoop({
    behavior: {
      run(message) {
        throw new AgentryError('tool_failed', 'odd', { data: message === 'cycle' ? cycle : { big: 1n } })
      },
    },
    secrets,
  })
  for (const message of ['cycle', 'big']) {
    expect((await probe.send(message)).error).toEqual({ code: 'tool_failed', message: 'odd' })
  }
})
