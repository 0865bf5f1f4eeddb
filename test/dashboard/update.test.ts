import { describe, expect, test } from 'vitest'
import type { Input } from '../../src/dashboard/model/input.ts'
import { initialState, NOTICE_MS, update } from '../../src/dashboard/model/update.ts'
import { after, agent, connected, event, health, keys, NOW_MS, session } from './fixtures.ts'
import { echoTurn, records } from './scene.ts'

const two = { agents: [agent('ops'), agent('coder')] }
const old = session('old', 'ops', { current: false, activation: 1 })
const now = session('now', 'ops', { activation: 2 })

function told(changed: typeof now, gone = false): Input {
  return event({ type: 'session', session: changed, gone })
}

function notSent(agentId: string, text: string): Input {
  return { type: 'not-sent', agentId, text, error: { code: 'mailbox_full', message: 'full' } }
}

describe('what is shown', () => {
  test('is the current session of the chosen agent, followed from its last records on', () => {
    const step = update(connected(), told(session('s1', 'ops', { seq: 1_200 })))
    expect(step.state.conversation).toMatchObject({ sessionId: 's1', firstSeq: 701 })
    expect(step.effects).toEqual([{ type: 'follow', sessionId: 's1', after: 700 }])
    expect(update(step.state, told(session('s1', 'ops', { seq: 1_201 }))).effects).toEqual([])
  })

  test('changes with the current session, but not away from one that the user opened', () => {
    const state = connected({ sessions: [old, now] })
    expect(state.conversation?.sessionId).toBe('now')
    const next = told(session('next', 'ops', { activation: 3 }))
    expect(after(state, next).conversation?.sessionId).toBe('next')
    const opened = after(state, ...keys('ctrl+o', '"session old"', 'enter'))
    expect(after(opened, next).conversation?.sessionId).toBe('old')
  })

  test('goes with its session to the trash, and is no longer followed', () => {
    const { state, effects } = update(connected({ sessions: [now] }), told(now, true))
    expect(state.conversation).toBeUndefined()
    expect(effects).toContainEqual({ type: 'unfollow' })
  })

  test('is the current session again where an opened one goes to the trash', () => {
    const opened = after(connected({ sessions: [old, now] }), ...keys('ctrl+o', '"session old"', 'enter'))
    const step = update(opened, told(old, true))
    expect(step.state).toMatchObject({ pinned: false, conversation: { sessionId: 'now' } })
    expect(step.effects.at(-1)).toEqual({ type: 'follow', sessionId: 'now', after: 0 })
  })

  test('is read again from its last record where records are missing, once', () => {
    const state = connected({ sessions: [now] })
    const gap: Input = {
      type: 'records',
      sessionId: 'now',
      records: records(echoTurn('t'), 5),
      earlier: false,
    }
    const step = update(state, gap)
    expect(step.effects).toEqual([{ type: 'follow', sessionId: 'now', after: 0 }])
    expect(update(step.state, gap).effects).toEqual([])
  })

  test('follows what its model thinks, and drops it with a retry', () => {
    const state = after(
      connected({ sessions: [now] }),
      { type: 'turn-thought', sessionId: 'now', text: 'hm', dropped: false },
      { type: 'turn-thought', sessionId: 'old', text: 'of another', dropped: false },
    )
    expect(state.conversation?.live.open).toMatchObject({ look: 'reasoning', text: 'hm' })
    const retry = { type: 'retry', model: 'a/b', attempt: 1, delayMs: 500, reason: 'busy' } as const
    const { live } = after(state, { type: 'turn-retry', sessionId: 'now', retry }).conversation ?? {}
    expect(live?.open).toBeUndefined()
    expect(live?.retry?.text).toBe('model a/b failed: busy; again in 0.5 s')
  })

  test('takes no records and no text of another session', () => {
    const state = connected({ sessions: [now] })
    const late: Input = { type: 'records', sessionId: 'old', records: records(echoTurn('t')), earlier: false }
    expect(after(state, late)).toBe(state)
    expect(after(state, { type: 'turn-text', sessionId: 'old', text: 'x', dropped: false })).toBe(state)
  })
})

describe('the chosen agent', () => {
  test('is the one that was asked for, also before it is known', () => {
    const start = initialState({
      columns: 80,
      rows: 24,
      nowMs: NOW_MS,
      place: { owned: true },
      defaultAgent: 'coder',
    })
    expect(start.agentId).toBe('coder')
    const lists: Input = { type: 'lists', ...two, sessions: [], health: health() }
    expect(after(start, lists).agentId).toBe('coder')
    expect(after({ ...start, agentId: 'nobody' }, lists).agentId).toBe('ops')
  })

  test('is none where the last one was removed, and the first one that comes', () => {
    const none = after(connected(), event({ type: 'agent-removed', agentId: 'ops' }))
    expect(none.agentId).toBeUndefined()
    const refused = after(none, ...keys('"hi"', 'enter'))
    expect({ text: refused.input.text, notice: refused.notice?.text }).toEqual({
      text: 'hi',
      notice: 'there is no agent yet: /spawn <id> adds one',
    })
    expect(after(none, { type: 'agent', agent: agent('new') }).agentId).toBe('new')
  })
})

describe('a message', () => {
  test('goes from the input line on its way, and from there to its session', () => {
    const { state, effects } = update(after(connected(), ...keys('"hi"')), { type: 'key', key: 'enter' })
    expect(effects).toEqual([
      { type: 'remember', line: 'hi' },
      { type: 'send', agentId: 'ops', text: 'hi' },
    ])
    expect(state).toMatchObject({ input: { text: '' }, sending: [{ agentId: 'ops', text: 'hi' }] })
    expect(after(state, { type: 'sent', agentId: 'ops', sessionId: 's1', text: 'hi' }).sending).toEqual([])
  })

  test('brings its session back into sight, whichever the user had opened', () => {
    const opened = after(connected({ sessions: [old, now] }), ...keys('ctrl+o', '"session old"', 'enter'))
    const sent = after(opened, { type: 'sent', agentId: 'ops', sessionId: 'now', text: 'hi' })
    expect(sent).toMatchObject({ pinned: false, conversation: { sessionId: 'now' } })
    expect(after(opened, { type: 'sent', agentId: 'coder', sessionId: 'x', text: 'hi' }).pinned).toBe(true)
  })

  test('leaves the user in the list where they went meanwhile', () => {
    const listing = after(connected({ sessions: [old, now] }), ...keys('"hi"', 'enter', 'esc', 'l'))
    expect(listing).toMatchObject({ focus: 'sessions', main: 'sessions', sessionId: 'old' })
    const sent = after(listing, { type: 'sent', agentId: 'ops', sessionId: 'now', text: 'hi' })
    expect(sent).toMatchObject({ focus: 'sessions', main: 'sessions', sessionId: 'old' })
  })

  test('that was not taken is in the input line again, as it was entered', () => {
    const entered = after(connected(two), ...keys('"//etc is full"', 'enter'))
    expect(entered.sending).toEqual([{ agentId: 'ops', text: '/etc is full' }])
    const back = after(entered, notSent('ops', '/etc is full'))
    expect(back).toMatchObject({
      sending: [],
      input: { text: '//etc is full' },
      notice: { kind: 'error', text: 'not sent: full - it is back at the prompt, Ctrl-C clears it' },
    })
    expect(after(back, ...keys('enter')).sending).toEqual(entered.sending)
  })

  test('that was not taken leaves the next line alone, and can be recalled', () => {
    const typing = after(connected(), ...keys('"one"', 'enter', '"two"'), notSent('ops', 'one'))
    expect(typing.input.text).toBe('two')
    expect(after(typing, ...keys('up')).input.text).toBe('one')
  })

  test('that was not taken says for whom it was where that is another agent by now', () => {
    const elsewhere = after(connected(two), ...keys('"hi"', 'enter', '"/agent coder"', 'enter'))
    expect(elsewhere.agentId).toBe('coder')
    expect(after(elsewhere, notSent('ops', 'hi')).notice?.text).toMatch(/^not sent to ops: full/)
  })

  test('of the same text twice is settled once by each answer', () => {
    const twice = after(connected(), ...keys('"hi"', 'enter', '"hi"', 'enter'))
    expect(twice.sending).toHaveLength(2)
    expect(after(twice, { type: 'sent', agentId: 'ops', sessionId: 's', text: 'hi' }).sending).toHaveLength(1)
  })

  test('stays in the input line while nobody was ever reached', () => {
    const start = initialState({ columns: 80, rows: 24, nowMs: NOW_MS, place: { owned: true } })
    expect(after(start, ...keys('"hi"', 'enter'))).toMatchObject({
      input: { text: 'hi' },
      notice: { text: 'not connected yet: nobody to ask' },
    })
  })
})

describe('the answer to a command', () => {
  const done = (about: typeof now): Input => ({
    type: 'done',
    command: { type: 'session-save' },
    text: 'done',
    session: about,
  })

  test('shows its session where it is of the chosen agent and current', () => {
    const loaded = after(connected({ sessions: [old, now] }), done({ ...old, current: true, activation: 3 }))
    expect(loaded).toMatchObject({ sessionId: 'old', conversation: { sessionId: 'old' } })
    const other = after(connected({ ...two, sessions: [now] }), done(session('c', 'coder')))
    expect(other).toMatchObject({ agentId: 'ops', conversation: { sessionId: 'now' } })
    expect(other.notice?.text).toBe('done')
  })

  test('takes nothing back that an event told since', () => {
    const state = connected({ sessions: [{ ...now, seq: 9, name: 'newer' }] })
    expect(after(state, done({ ...now, seq: 8 })).sessions.get('now')?.name).toBe('newer')
    expect(after(state, done({ ...now, seq: 9, name: 'same' })).sessions.get('now')?.name).toBe('same')
  })
})

describe('the connection', () => {
  const lost = (attempt: number): Input => ({ type: 'connection-lost', reason: 'gone', attempt })

  test('that was never there is being made for a while, and then lost', () => {
    const start = initialState({ columns: 80, rows: 24, nowMs: NOW_MS, place: { owned: false } })
    expect(after(start, lost(7)).connection.phase).toBe('connecting')
    expect(after(start, lost(8)).connection).toMatchObject({ phase: 'lost', attempt: 8, reason: 'gone' })
  })

  test('that is lost is lost since the first attempt, and said to be back', () => {
    const later: Input = { type: 'tick', nowMs: NOW_MS + 5_000 }
    const state = after(connected(), lost(1), later, lost(2))
    expect(state.connection).toMatchObject({ phase: 'lost', sinceMs: NOW_MS, attempt: 2 })
    const back = after(state, { type: 'connected', url: 'http://127.0.0.1:7420' })
    expect(back.notice?.text).toBe('the supervisor is back: everything acknowledged is here')
  })

  test('is neither lost nor back while the user leaves', () => {
    const leaving = after(connected(), ...keys('"/quit"', 'enter'))
    expect(leaving.connection).toEqual({ phase: 'leaving', how: 'quit' })
    const url = 'http://127.0.0.1:7420'
    expect(after(leaving, lost(1), { type: 'connected', url }).connection).toEqual(leaving.connection)
  })
})

describe('leaving', () => {
  test('takes no key but Ctrl-C, which does not wait any longer', () => {
    const leaving = after(connected(), ...keys('"/quit"', 'enter'))
    expect(update(leaving, { type: 'key', key: 'x' })).toEqual({ state: leaving, effects: [] })
    expect(update(leaving, { type: 'paste', text: 'x' })).toEqual({ state: leaving, effects: [] })
    expect(update(leaving, { type: 'key', key: 'ctrl+c' }).effects).toEqual([{ type: 'force' }])
  })

  test('is by Ctrl-C twice on an empty line, once soon after the other', () => {
    const once = after(connected(), ...keys('ctrl+c'))
    expect(once.connection.phase).toBe('connected')
    const soon = after(once, { type: 'tick', nowMs: NOW_MS + 2_000 })
    expect(update(soon, { type: 'key', key: 'ctrl+c' }).effects).toEqual([{ type: 'leave', how: 'quit' }])
    const late = after(once, { type: 'tick', nowMs: NOW_MS + 3_000 })
    expect(update(late, { type: 'key', key: 'ctrl+c' }).effects).toEqual([])
  })

  test('asks first where turns run in a supervisor that would end with it', () => {
    const working = { agents: [agent('ops', { state: 'working' })] }
    const asked = after(connected(working), ...keys('esc', 'q'))
    expect(asked.overlay?.kind).toBe('confirm')
    expect(after(asked, ...keys('n'))).toMatchObject({ connection: { phase: 'connected' } })
    expect(after(asked, ...keys('y')).connection.phase).toBe('leaving')
    expect(after(connected({ ...working, owned: false }), ...keys('esc', 'q')).connection.phase).toBe(
      'leaving',
    )
  })
})

describe('a clock that was set back', () => {
  test('keeps neither a notice nor a Ctrl-C of long ago', () => {
    const state = after(connected(), ...keys('ctrl+c'))
    const back = after(state, { type: 'tick', nowMs: NOW_MS - 3_600_000 })
    expect(back.notice).toBeUndefined()
    expect(update(back, { type: 'key', key: 'ctrl+c' }).effects).toEqual([])
  })

  test('asks again for a page that did not come', () => {
    const state = after(connected({ sessions: [session('s', 'ops', { seq: 900 })] }), {
      type: 'records',
      sessionId: 's',
      records: records(echoTurn('t'), 401),
      earlier: false,
    })
    const page = { type: 'read-earlier', sessionId: 's', after: 0, before: 401 }
    const asked = update(state, { type: 'key', key: 'pageup' })
    expect(asked.effects).toEqual([page])
    expect(update(asked.state, { type: 'key', key: 'pageup' }).effects).toEqual([])
    const back = after(asked.state, { type: 'tick', nowMs: NOW_MS - 3_600_000 })
    expect(update(back, { type: 'key', key: 'pageup' }).effects).toEqual([page])
  })
})

test('a notice goes after its time', () => {
  const state = after(connected(), { type: 'notice', kind: 'info', text: 'here' })
  expect(after(state, { type: 'tick', nowMs: NOW_MS + NOTICE_MS - 1 }).notice?.text).toBe('here')
  expect(after(state, { type: 'tick', nowMs: NOW_MS + NOTICE_MS }).notice).toBeUndefined()
})

test('the welcome is for a team without sessions, until the first message', () => {
  expect(connected({ sessions: [now] }).welcome).toBe(false)
  const state = connected()
  expect(state.welcome).toBe(true)
  expect(after(state, { type: 'sent', agentId: 'ops', sessionId: 's', text: 'hi' }).welcome).toBe(false)
})
