import { setImmediate as nextTick } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { WatchItem } from '../../src/client/remote-team.ts'
import type { Input } from '../../src/dashboard/model/input.ts'
import { SessionFeed } from '../../src/dashboard/session-feed.ts'
import { AgentryError, type ErrorCode } from '../../src/errors.ts'
import { FakeTeam } from './fake-team.ts'
import { session } from './fixtures.ts'
import { echoTurn, records } from './scene.ts'

function item(seq: number): WatchItem {
  const [record] = records(echoTurn('t').slice(0, 1), seq)
  if (record === undefined) throw new Error('no record')
  return { type: 'record', record }
}

function said(input: Input): string {
  if (input.type === 'records') {
    const seqs = input.records.map(({ seq }) => seq).join(' ')
    return `${input.earlier ? 'earlier' : 'records'} of ${input.sessionId}: ${seqs}`
  }
  return input.type === 'turn-text'
    ? `text ${input.text}`
    : `${input.type}${input.type === 'notice' ? `: ${input.text}` : ''}`
}

/** A feed of `team`, whose pauses last until the test ends them. */
function feedOf(team = new FakeTeam()) {
  team.sessions = [session('s1', 'ops'), session('s2', 'ops')]
  const log: string[] = []
  const pauses: (() => void)[] = []
  const feed: SessionFeed = new SessionFeed(
    {
      whenConnected: async () => team.remote(),
      pause: async () => new Promise((resolve) => pauses.push(resolve)),
    },
    (input) => {
      log.push(said(input))
      onInput?.(input)
    },
  )
  let onInput: ((input: Input) => void) | undefined
  return {
    team,
    feed,
    log,
    goOn: async (): Promise<void> => {
      pauses.shift()?.()
      await nextTick()
    },
    onInput: (listener: (input: Input) => void): void => {
      onInput = listener
    },
  }
}

describe('the records of the session that is shown', () => {
  test('come together where they are there at once, in order with the text', async () => {
    const { team, feed, log } = feedOf()
    feed.follow('s1', 4)
    await nextTick()
    expect(team.asked).toEqual(['watch s1 4'])
    team.watched[0]?.push(item(5), item(6), { type: 'text', text: 'hi', dropped: false }, item(7))
    await nextTick()
    await nextTick()
    expect(log).toEqual(['records of s1: 5 6', 'text hi', 'records of s1: 7'])
  })

  test('come in order with what the model thinks, and with its retries', async () => {
    const { team, feed, log } = feedOf()
    feed.follow('s1', 4)
    await nextTick()
    team.watched[0]?.push(
      item(5),
      { type: 'reasoning', text: 'hm', dropped: false },
      { type: 'retry', model: 'a/b', attempt: 1, delayMs: 1, reason: 'busy' },
      { type: 'text', text: 'hi', dropped: false },
    )
    await nextTick()
    await nextTick()
    expect(log).toEqual(['records of s1: 5', 'turn-thought', 'turn-retry', 'text hi'])
  })

  test.each<ErrorCode | undefined>([undefined, 'gateway_unreachable', 'team_closed', 'cancelled'])(
    'go on behind the last one after a loss (%s)',
    async (code) => {
      const { team, feed, log, goOn } = feedOf()
      feed.follow('s1', 0)
      await nextTick()
      team.watched[0]?.push(item(1), item(2))
      team.watched[0]?.end(code === undefined ? undefined : new AgentryError(code, 'lost'))
      await nextTick()
      await goOn()
      expect(team.asked).toEqual(['watch s1 0', 'watch s1 2'])
      team.watched[1]?.push(item(3))
      await nextTick()
      await nextTick()
      expect(log).toEqual(['records of s1: 1 2', 'records of s1: 3'])
    },
  )

  test('go on too where the supervisor refuses while it ends', async () => {
    const { team, feed, log, goOn } = feedOf()
    let isEnding = true
    team.sessionIs = async () => {
      if (isEnding) throw new AgentryError('team_closed', 'the gateway is stopping')
      return session('s1', 'ops')
    }
    feed.follow('s1', 0)
    await nextTick()
    team.watched[0]?.end()
    await nextTick()
    isEnding = false
    await goOn()
    expect(team.asked).toEqual(['watch s1 0', 'watch s1 0'])
    expect(log).toEqual([])
  })

  test('end with the session', async () => {
    const { team, feed, goOn } = feedOf()
    feed.follow('s1', 0)
    await nextTick()
    team.sessions = []
    team.watched[0]?.end()
    await nextTick()
    await goOn()
    expect(team.asked).toEqual(['watch s1 0'])
  })

  test('are those of the session that was asked for last', async () => {
    const { team, feed, log } = feedOf()
    feed.follow('s1', 0)
    await nextTick()
    team.watched[0]?.push(item(1))
    feed.follow('s2', 0)
    await nextTick()
    team.watched[1]?.push(item(1))
    await nextTick()
    await nextTick()
    expect(log).toEqual(['records of s2: 1'])
    feed.stop()
    team.watched[1]?.push(item(2))
    await nextTick()
    expect(log).toHaveLength(1)
  })

  test('bring no text of a following that they ended', async () => {
    const { team, feed, log, onInput } = feedOf()
    feed.follow('s1', 0)
    await nextTick()
    onInput(({ type }) => {
      if (type === 'records') feed.follow('s2', 0)
    })
    team.watched[0]?.push(item(9), { type: 'text', text: 'late', dropped: false })
    await nextTick()
    await nextTick()
    expect(log).toEqual(['records of s1: 9'])
  })

  test('cannot be read: that is said, once', async () => {
    const { team, feed, log } = feedOf()
    feed.follow('s1', 0)
    await nextTick()
    team.watched[0]?.end(new AgentryError('session_damaged', 'line 3 is damaged'))
    await nextTick()
    expect(log).toEqual(['notice: the session cannot be read: line 3 is damaged'])
  })
})

describe('a page of earlier records', () => {
  test('ends right before those that are known', async () => {
    const { team, feed, log } = feedOf()
    const reading = feed.readEarlier('s1', 2, 5)
    await nextTick()
    expect(team.asked).toEqual(['watch s1 2'])
    team.watched[0]?.push(item(3), item(4), item(5))
    await reading
    expect(log).toEqual(['earlier of s1: 3 4'])
  })

  test('is dropped without a word where another session was asked for', async () => {
    const { feed, log } = feedOf()
    feed.follow('s1', 9)
    const reading = feed.readEarlier('s1', 2, 5)
    await nextTick()
    feed.follow('s2', 0)
    await expect(reading).resolves.toBeUndefined()
    expect(log).toEqual([])
  })

  test('that a loss cut off is no page, and no error', async () => {
    const { team, feed, log } = feedOf()
    const reading = feed.readEarlier('s1', 2, 5)
    await nextTick()
    team.watched[0]?.push(item(3))
    team.watched[0]?.end(new AgentryError('gateway_unreachable', 'lost'))
    await expect(reading).resolves.toBeUndefined()
    expect(log).toEqual([])
  })
})
