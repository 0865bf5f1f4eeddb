import { describe, expect, test } from 'vitest'
import { chosenRow, visibleSessions } from '../../src/dashboard/model/session-lines.ts'
import type { DashboardState } from '../../src/dashboard/model/state.ts'
import { update } from '../../src/dashboard/model/update.ts'
import { after, agent, connected, type Given, keys, NOW_MS, session } from './fixtures.ts'

function idOf(name: string): string {
  return `0199c0de-0000-7000-8000-00000000000${name}`
}
const [A, B, C, D] = [idOf('a'), idOf('b'), idOf('c'), idOf('d')]

/** Three agents; `ops` has three sessions, of which `b` is current, `coder` one. The latest first: a, b, c. */
const TEAM: Given = {
  agents: [agent('ops'), agent('coder'), agent('notes')],
  sessions: ['a', 'b', 'c', 'd'].map((id, index) =>
    session(idOf(id), id === 'd' ? 'coder' : 'ops', {
      name: `session ${id}`,
      current: id === 'b' || id === 'd',
      lastAccessedAt: new Date(NOW_MS - index * 1_000).toISOString(),
    }),
  ),
}

function pressed(...names: string[]): DashboardState {
  return after(connected(TEAM), ...keys('esc', ...names))
}

function effectsOf(state: DashboardState, key: string): readonly unknown[] {
  return update(state, { type: 'key', key }).effects
}

describe('the focus', () => {
  test('goes round with Tab from the input line, and back with Shift-Tab', () => {
    const round = ['tab', 'tab', 'tab', 'tab']
    const places = round.map(
      (_, index) => after(connected(TEAM), ...keys(...round.slice(0, index + 1))).focus,
    )
    expect(places).toEqual(['agents', 'sessions', 'conversation', 'input'])
    expect(after(connected(TEAM), ...keys('shift+tab')).focus).toBe('conversation')
  })

  test('goes left and right between panes, and stops at the last one', () => {
    expect(pressed('l').focus).toBe('sessions')
    expect(pressed('l', 'l', 'l').focus).toBe('conversation')
    expect(pressed('l', 'l', 'h').focus).toBe('sessions')
    expect(pressed('h').focus).toBe('agents')
  })

  test('brings what it goes to onto a screen with room for one', () => {
    expect(pressed('l').main).toBe('sessions')
    expect(pressed('l', 'l').main).toBe('conversation')
  })

  test('goes along to the conversation of a session that was picked in the list', () => {
    expect(pressed('l', 'o', '"session c"', 'enter')).toMatchObject({
      focus: 'conversation',
      main: 'conversation',
      conversation: { sessionId: C },
    })
    const typing = after(connected(TEAM), ...keys('ctrl+o', '"session c"', 'enter'))
    expect(typing.focus).toBe('input')
  })

  test('goes to the input line with pasted text', () => {
    expect(after(pressed('l'), { type: 'paste', text: 'hi' })).toMatchObject({
      focus: 'input',
      input: { text: 'hi' },
    })
  })
})

describe('Esc and a key right behind it', () => {
  test('are both where they mean nothing as one with Alt', () => {
    expect(after(connected(TEAM), ...keys('alt+j')).agentId).toBe('coder')
    expect(after(connected(TEAM), ...keys('ctrl+p', 'alt+j'))).toMatchObject({ input: { text: 'j' } })
    expect(after(connected(TEAM), ...keys('ctrl+p', 'alt+j')).overlay).toBeUndefined()
  })

  test('answer no question with yes', () => {
    const asked = pressed('l', 'T')
    expect(asked.overlay?.kind).toBe('confirm')
    const { state, effects } = update(asked, { type: 'key', key: 'alt+y' })
    expect({ overlay: state.overlay, effects }).toEqual({ overlay: undefined, effects: [] })
  })

  test('stay one key where that edits or begins a line', () => {
    const typed = after(connected(TEAM), ...keys('"one two"', 'alt+b', '"x"'))
    expect(typed).toMatchObject({ focus: 'input', input: { text: 'one xtwo' } })
    expect(after(connected(TEAM), ...keys('"a"', 'alt+enter', '"b"')).input.text).toBe('a\nb')
  })
})

describe('the list of agents', () => {
  test('is moved through with its keys, no further than its ends', () => {
    expect(pressed('j').agentId).toBe('coder')
    expect(pressed('j', 'j', 'j').agentId).toBe('notes')
    expect(pressed('G').agentId).toBe('notes')
    expect(pressed('G', 'g').agentId).toBe('ops')
    expect(pressed('k').agentId).toBe('ops')
  })

  test('shows the session of each agent that is passed, and opens the input line for it', () => {
    const coder = pressed('j')
    expect(coder.conversation?.sessionId).toBe(D)
    expect(after(coder, ...keys('enter'))).toMatchObject({ focus: 'input', main: 'conversation' })
    expect(effectsOf(pressed('j'), 'j')).toEqual([{ type: 'unfollow' }])
  })

  test('is narrowed by what is typed, and chooses what is left', () => {
    const narrowed = pressed('f', '"cod"')
    expect(narrowed).toMatchObject({ agentId: 'coder', filter: { pane: 'agents', text: 'cod' } })
    expect(after(narrowed, ...keys('enter', 'j')).agentId).toBe('coder')
    expect(after(narrowed, ...keys('esc'))).not.toHaveProperty('filter')
    expect(pressed('f', '"zzz"').agentId).toBe('ops')
  })
})

describe('the table of sessions', () => {
  test('begins at the first row, moves, and opens what is chosen until the user leaves it', () => {
    expect(pressed('l').sessionId).toBe(A)
    const opened = pressed('l', 'j', 'j', 'enter')
    expect(opened).toMatchObject({ focus: 'conversation', pinned: true, conversation: { sessionId: C } })
    expect(pressed('l', 'j', 'enter')).toMatchObject({ pinned: false, conversation: { sessionId: B } })
  })

  test('lists one agent, or the team', () => {
    expect(visibleSessions(pressed('l')).map(({ id }) => id)).toEqual([A, B, C])
    expect(visibleSessions(pressed('l', 'a')).map(({ id }) => id)).toEqual([A, B, C, D])
  })

  test('is filtered by name, state or id, with the best one chosen', () => {
    const filtered = pressed('l', 'f', '"session c"', 'enter')
    expect(filtered).toMatchObject({ sessionId: C, filter: { typing: false } })
    expect(chosenRow(filtered, visibleSessions(filtered))).toBe(0)
    expect(after(filtered, ...keys('i')).filter).toBeUndefined()
  })

  test('takes pasted text into a filter that is typed, and only its first line', () => {
    const state = after(pressed('l', 'f'), { type: 'paste', text: 'session c\nrm -rf' })
    expect(state).toMatchObject({ filter: { text: 'session c' }, sessionId: C, input: { text: '' } })
  })

  test('keeps the chosen row in sight among ten thousand', () => {
    const sessions = Array.from({ length: 10_000 }, (_, index) =>
      session(`s${index}`, 'ops', { current: index === 0, lastAccessedAt: new Date(index).toISOString() }),
    )
    const end = after(connected({ sessions }), ...keys('esc', 'l', 'G'))
    expect(end.sessionId).toBe('s0')
    expect(end.sessionsTop).toBeGreaterThan(9_900)
    expect(after(end, ...keys('g'))).toMatchObject({ sessionId: 's9999', sessionsTop: 0 })
  })
})

describe('keys that change something', () => {
  const run = (command: object, agentId = 'ops') => [{ type: 'run', agentId, command }]

  test('load and resume the chosen row', () => {
    expect(effectsOf(pressed('l', 'j', 'j'), 'L')).toEqual(run({ type: 'session-load', session: C }))
    expect(effectsOf(pressed('l'), 'R')).toEqual(run({ type: 'session-resume', session: A }))
  })

  test('are for the session that is shown where another pane has the focus', () => {
    expect(effectsOf(pressed(), 'L')).toEqual(run({ type: 'session-load', session: B }))
    expect(effectsOf(pressed('l', 'j', 'j', 'enter'), 'R')).toEqual(
      run({ type: 'session-resume', session: C }),
    )
  })

  test('terminate only what was asked about, whatever is chosen by then', () => {
    const asked = pressed('l', 'T')
    expect(effectsOf(pressed('l'), 'T')).toEqual([])
    expect(effectsOf(asked, 'y')).toEqual(run({ type: 'session-terminate', session: A }))
    expect(effectsOf(asked, 'enter')).toEqual([])
  })

  test('are for the session of another agent in the list of the team, with that agent', () => {
    const other = pressed('l', 'a', 'G')
    expect(effectsOf(other, 'L').slice(0, 1)).toEqual(run({ type: 'session-load', session: D }, 'coder'))
    expect(effectsOf(after(other, ...keys('T')), 'y')).toEqual(
      run({ type: 'session-terminate', session: D }, 'coder'),
    )
  })

  test('suspend and cancel what the chosen agent is at', () => {
    expect(effectsOf(pressed('j'), 'S')).toEqual(run({ type: 'session-suspend' }, 'coder'))
    expect(effectsOf(pressed('j'), 'C')).toEqual(run({ type: 'cancel', agentId: 'coder' }, 'coder'))
  })

  test('say that what changes the session waits for the running turn', () => {
    const working = connected({ ...TEAM, agents: [agent('ops', { state: 'working' })] })
    expect(after(working, ...keys('esc', 'S')).notice?.text).toContain('waits for the running turn of ops')
    expect(after(working, ...keys('esc', 'C')).notice).toBeUndefined()
  })

  test('say that no session is chosen where there is none', () => {
    const none = after(connected(), ...keys('esc', 'L'))
    expect(none.notice).toMatchObject({ kind: 'error', text: 'no session is chosen' })
  })
})

describe('what Tab found', () => {
  const choosing = after(connected(TEAM), ...keys('"/session re"', 'tab'))

  test.each(['ctrl+c', 'pageup', 'shift+tab', 'ctrl+l', 'x'])('is gone with %s', (key) => {
    expect(choosing.candidates).toHaveLength(2)
    expect(update(choosing, { type: 'key', key }).state.candidates).toBeUndefined()
  })
})
