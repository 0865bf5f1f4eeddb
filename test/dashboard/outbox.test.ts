import { expect, test } from 'vitest'
import type { RemoteTeam } from '../../src/client/remote-team.ts'
import type { Input } from '../../src/dashboard/model/input.ts'
import { Outbox } from '../../src/dashboard/outbox.ts'
import { AgentryError } from '../../src/errors.ts'
import { SimulatedClock } from '../fakes/simulated-clock.ts'

interface Post {
  text: string
  taskId: string | undefined
  mode?: string
  answer: PromiseWithResolvers<{ sessionId: string }>
}

function outbox(): { outbox: Outbox; posts: Post[]; heard: Input[]; clock: SimulatedClock } {
  const posts: Post[] = []
  const heard: Input[] = []
  const clock = new SimulatedClock()
  const agent = {
    post(text: string, { taskId, mode }: { taskId?: string; mode?: string }) {
      const answer = Promise.withResolvers<{ sessionId: string }>()
      posts.push({ text, taskId, answer, ...(mode !== undefined && { mode }) })
      return answer.promise
    },
  }
  const team = { agent: async (id: string) => (id === 'ops' ? agent : undefined) } as unknown as RemoteTeam
  const connection = {
    whenConnected: async () => team,
    pause: async () => new Promise<void>((resolve) => clock.setTimer(50, resolve)),
  }
  return {
    outbox: new Outbox({ connection, dispatch: (input) => heard.push(input) }),
    posts,
    heard,
    clock,
  }
}

test('a message is sent when the one before it is settled', async () => {
  const { outbox: box, posts, heard, clock } = outbox()
  box.send('ops', 'one')
  box.send('ops', 'two')
  await clock.advanceAsync(0)
  expect(posts.map(({ text }) => text)).toEqual(['one'])
  posts[0]?.answer.resolve({ sessionId: 's' })
  await clock.advanceAsync(0)
  expect(posts.map(({ text }) => text)).toEqual(['one', 'two'])
  expect(heard).toEqual([{ type: 'sent', agentId: 'ops', sessionId: 's', text: 'one' }])
})

test.each(['gateway_unreachable', 'team_closed', 'cancelled'] as const)(
  'a message that ends in %s is sent again under the same id, before the next',
  async (code) => {
    const { outbox: box, posts, heard, clock } = outbox()
    box.send('ops', 'one')
    box.send('ops', 'two')
    await clock.advanceAsync(0)
    posts[0]?.answer.reject(new AgentryError(code, 'lost'))
    await clock.advanceAsync(1_000)
    expect(posts.map(({ text }) => text)).toEqual(['one', 'one'])
    expect(posts[1]?.taskId).toBe(posts[0]?.taskId)
    posts[1]?.answer.resolve({ sessionId: 's' })
    await clock.advanceAsync(0)
    expect(posts[2]?.taskId).not.toBe(posts[0]?.taskId)
    expect(heard).toEqual([{ type: 'sent', agentId: 'ops', sessionId: 's', text: 'one' }])
  },
)

test('a message that is refused is given back, and the next one goes on', async () => {
  const { outbox: box, heard, posts, clock } = outbox()
  box.send('nobody', 'one')
  box.send('ops', 'two')
  await clock.advanceAsync(0)
  expect(heard).toMatchObject([
    { type: 'not-sent', agentId: 'nobody', text: 'one', error: { code: 'agent_not_found' } },
  ])
  expect(posts.map(({ text }) => text)).toEqual(['two'])
})

test('nothing is said or sent again after the end', async () => {
  const { outbox: box, posts, heard, clock } = outbox()
  box.send('ops', 'one')
  box.send('ops', 'two')
  await clock.advanceAsync(0)
  box.close()
  posts[0]?.answer.reject(new AgentryError('gateway_unreachable', 'lost'))
  await clock.advanceAsync(1_000)
  expect({ heard, texts: posts.map(({ text }) => text) }).toEqual({ heard: [], texts: ['one'] })
})

test('a message into the running turn is sent and settled as one', async () => {
  const { outbox: box, posts, heard, clock } = outbox()
  box.send('ops', 'faster', 'steer')
  await clock.advanceAsync(0)
  expect(posts.map(({ mode }) => mode)).toEqual(['steer'])
  posts[0]?.answer.resolve({ sessionId: 's' })
  await clock.advanceAsync(0)
  expect(heard).toEqual([{ type: 'sent', agentId: 'ops', sessionId: 's', text: 'faster', mode: 'steer' }])
})
