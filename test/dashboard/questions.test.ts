import { describe, expect, test } from 'vitest'
import type { SessionInfo } from '../../src/api.ts'
import type { Effect, Input } from '../../src/dashboard/model/input.ts'
import { openApprovals } from '../../src/dashboard/model/questions.ts'
import type { DashboardState } from '../../src/dashboard/model/state.ts'
import { update } from '../../src/dashboard/model/update.ts'
import { after, agent, connected, event, keys, session } from './fixtures.ts'
import { approval, asking, askedFor } from './asking.ts'

const FIRST = approval('1')
const SECOND = approval('2', { tool: 'write', subject: 'src/a.ts' })

/** Two agents that ask, `coder` first; `ops` is chosen. */
function team(): DashboardState {
  return connected({
    agents: [agent('ops'), agent('coder', { state: 'waiting' }), agent('docs', { state: 'waiting' })],
    sessions: [asking('s1', 'coder', FIRST), asking('s2', 'docs', SECOND)],
  })
}

/** The time of the question that is at the keys is over. */
function ready(state: DashboardState): DashboardState {
  return after(state, { type: 'armed', round: state.questionRound })
}

function pressed(state: DashboardState, ...names: string[]): { state: DashboardState; effects: Effect[] } {
  const effects: Effect[] = []
  let next = state
  for (const input of keys(...names)) {
    const step = update(next, input)
    next = step.state
    effects.push(...step.effects)
  }
  return { state: next, effects }
}

/** What is answered, and how. */
function answers(effects: readonly Effect[]): unknown[] {
  return effects.flatMap((effect) =>
    effect.type === 'run' && effect.command.type === 'answer' ? [effect.command] : [],
  )
}

function told(changed: SessionInfo): Input {
  return event({ type: 'session', session: changed, gone: false })
}

describe('an open question', () => {
  test.each([
    ['y', 'once'],
    ['a', 'session'],
  ])('is answered by %s at an empty input line: %s', (key, decision) => {
    const { state, effects } = pressed(ready(team()), key)
    expect(answers(effects)).toEqual([{ type: 'answer', approvalId: FIRST.approvalId, decision }])
    expect(state.input.text).toBe('')
    expect(openApprovals(state).map(({ approvalId }) => approvalId)).toEqual([SECOND.approvalId])
  })

  test('of any agent is asked, the oldest first', () => {
    expect(openApprovals(team()).map(({ agentId, sessionName }) => [agentId, sessionName])).toEqual([
      ['coder', 'session s1'],
      ['docs', 'session s2'],
    ])
  })

  test('takes no key before its time: what was typed is text', () => {
    const step = update(connected({ sessions: [session('s1', 'ops')] }), told(asking('s1', 'ops', FIRST)))
    expect(step.effects).toContainEqual({ type: 'arm', round: step.state.questionRound, afterMs: 400 })
    const typed = pressed(step.state, '"yan"')
    expect(answers(typed.effects)).toEqual([])
    expect(typed.state).toMatchObject({ input: { text: 'yan' } })
  })

  test('takes none either behind one that was just answered', () => {
    const { state, effects } = pressed(ready(team()), 'y', 'y')
    expect(answers(effects)).toHaveLength(1)
    expect(state.input.text).toBe('y')
    const second = pressed(ready(pressed(state, 'backspace').state), 'y')
    expect(answers(second.effects)).toMatchObject([{ approvalId: SECOND.approvalId }])
  })

  test('takes none when it comes in place of one that is gone', () => {
    const gone = after(ready(team()), told(asking('s1', 'coder')))
    expect(answers(pressed(gone, 'y').effects)).toEqual([])
    expect(answers(pressed(ready(gone), 'y').effects)).toMatchObject([{ approvalId: SECOND.approvalId }])
  })

  test('takes its time anew after each interruption; the time of before counts for nothing', () => {
    const before = team()
    const again = pressed(before, 'x', 'backspace').state
    expect(again.questionRound).toBeGreaterThan(before.questionRound)
    const late = after(again, { type: 'armed', round: before.questionRound })
    expect(answers(pressed(late, 'y').effects)).toEqual([])
    expect(answers(pressed(ready(again), 'y').effects)).toHaveLength(1)
  })

  test.each([
    ['text in the input line', ['"b"'], 'by'],
    ['the focus in the panes', ['esc'], ''],
    ['the help over it', ['?'], ''],
  ])('takes no key with %s', (_, names, text) => {
    const away = ready(pressed(ready(team()), ...names).state)
    const { state, effects } = pressed(away, 'y')
    expect(answers(effects)).toEqual([])
    expect(state.input.text).toBe(text)
  })

  test('takes no key in a terminal where it cannot be seen', () => {
    const small = after(ready(team()), { type: 'resize', columns: 10, rows: 3 })
    expect(answers(pressed(ready(small), 'y').effects)).toEqual([])
  })

  test('is open again where the answer failed, and gone where it is no longer asked', () => {
    const answered = pressed(ready(team()), 'y').state
    const command = { type: 'answer', approvalId: FIRST.approvalId, decision: 'once' } as const
    const failed = after(answered, {
      type: 'failed',
      command,
      error: { code: 'gateway_unreachable', message: 'gone' },
    })
    expect(openApprovals(failed)).toHaveLength(2)
    expect(failed.notice?.text).toBe('gone')
    const done = after(answered, told(asking('s1', 'coder')), { type: 'done', command, text: 'allowed once' })
    expect(openApprovals(done)).toHaveLength(1)
    expect(done.answering.size).toBe(0)
  })

  test('is one that ctrl+n goes to', () => {
    expect(pressed(team(), 'ctrl+n').state.agentId).toBe('coder')
    expect(pressed(team(), 'ctrl+n', 'ctrl+n').state.agentId).toBe('docs')
  })
})

describe('a no', () => {
  test('takes a reason at the input line', () => {
    const { state, effects } = pressed(ready(team()), 'n', '"not today, y"', 'enter')
    expect(answers(effects)).toEqual([
      { type: 'answer', approvalId: FIRST.approvalId, decision: 'deny', reason: 'not today, y' },
    ])
    expect(state.input.text).toBe('')
    expect(effects.some(({ type }) => type === 'send' || type === 'remember')).toBe(false)
  })

  test('needs none', () => {
    const { effects } = pressed(ready(team()), 'n', 'enter')
    expect(answers(effects)).toEqual([{ type: 'answer', approvalId: FIRST.approvalId, decision: 'deny' }])
  })

  test.each(['esc', 'ctrl+c'])('goes back with %s', (key) => {
    const { state, effects } = pressed(ready(team()), 'n', key)
    expect(answers(effects)).toEqual([])
    expect(state.denying).toBeUndefined()
    expect(openApprovals(state)).toHaveLength(2)
    expect(state.focus).toBe('input')
  })

  test('to a question that is gone by then is sent to nobody', () => {
    const typing = pressed(ready(team()), 'n', '"because"').state
    const { state, effects } = pressed(after(typing, told(asking('s1', 'coder'))), 'enter')
    expect(effects).not.toContainEqual(expect.objectContaining({ type: 'run' }))
    expect(state.input.text).toBe('')
    expect(state.notice?.text).toContain('no longer open')
  })

  test('takes nothing into its reason that was not delivered elsewhere', () => {
    const denying = pressed(ready(team()), 'n').state
    const error = { code: 'mailbox_full', message: 'full' } as const
    const back = after(denying, { type: 'not-sent', agentId: 'ops', text: 'hello', error })
    expect(back.input.text).toBe('')
    expect(pressed(back, 'esc').state.input.text).toBe('hello')
  })
})

describe('the list of questions', () => {
  test('is answered from, whatever is typed at the input line', () => {
    const listed = pressed(team(), '"half a mess"', 'ctrl+t').state
    expect(listed.overlay).toMatchObject({ kind: 'approvals', approvalId: FIRST.approvalId })
    expect(answers(pressed(listed, 'y').effects)).toEqual([])
    const second = pressed(listed, 'down', 'a')
    expect(answers(second.effects)).toMatchObject([{ approvalId: SECOND.approvalId, decision: 'session' }])
    expect(second.state.input.text).toBe('half a mess')
    const denied = pressed(listed, 'down', 'n', '"no"', 'enter')
    expect(answers(denied.effects)).toMatchObject([{ approvalId: SECOND.approvalId, reason: 'no' }])
    expect(denied.state.input.text).toBe('half a mess')
  })

  test('keeps what is chosen when others come and go', () => {
    const listed = pressed(team(), 'ctrl+t', 'down').state
    const later = after(listed, told(asking('s1', 'coder')))
    expect(answers(pressed(later, 'y').effects)).toMatchObject([{ approvalId: SECOND.approvalId }])
    const gone = after(listed, told(asking('s2', 'docs')))
    expect(answers(pressed(gone, 'y').effects)).toEqual([])
  })

  test('goes with the last question, and is not there without one', () => {
    const listed = pressed(team(), 'ctrl+t').state
    expect(after(listed, told(asking('s1', 'coder')), told(asking('s2', 'docs'))).overlay).toBeUndefined()
    const none = pressed(connected(), 'ctrl+t').state
    expect(none.overlay).toBeUndefined()
    expect(none.notice?.text).toBe('no agent asks anything')
  })

  test('goes to the session that asks', () => {
    const { state } = pressed(team(), 'ctrl+t', 'down', 'enter')
    expect(state).toMatchObject({ agentId: 'docs', conversation: { sessionId: 's2' } })
    expect(state.overlay).toBeUndefined()
  })
})

describe('commands about questions', () => {
  const run = (state: DashboardState, line: string) => pressed(state, `"${line}"`, 'enter')
  const one = (): DashboardState => connected({ sessions: [asking('s1', 'ops', FIRST)] })

  test('mean the one question where they name none', () => {
    expect(answers(run(one(), '/approve').effects)).toMatchObject([{ decision: 'once' }])
    expect(answers(run(one(), '/approve session').effects)).toMatchObject([{ decision: 'session' }])
    expect(answers(run(one(), '/deny').effects)).toMatchObject([{ decision: 'deny' }])
    expect(run(team(), '/approve').state.notice?.text).toContain('one of 2 open questions')
    expect(run(connected(), '/approve').state.notice?.text).toBe('no agent asks anything')
  })

  test('do not mean one that came while they were typed', () => {
    const typing = pressed(one(), '"/approve"').state
    const other = approval('9')
    const { state, effects } = pressed(after(typing, told(asking('s1', 'ops', other))), 'enter')
    expect(answers(effects)).toEqual([])
    expect(state.notice?.text).toContain('another question came')
    expect(answers(pressed(after(typing, told(asking('s1', 'ops', FIRST))), 'enter').effects)).toHaveLength(1)
  })

  test('name a question by the beginning of its id', () => {
    const { approvalId } = SECOND
    expect(answers(run(team(), `/approve ${approvalId} session`).effects)).toMatchObject([
      { approvalId, decision: 'session' },
    ])
    expect(answers(run(team(), `/deny ${approvalId} it is not ours`).effects)).toEqual([
      { type: 'answer', approvalId, decision: 'deny', reason: 'it is not ours' },
    ])
    expect(run(team(), '/deny 0199').state.notice?.text).toContain('2 begin so')
    expect(run(team(), '/deny ffff').state.notice?.text).toContain('none begins so')
    expect(run(team(), `/approve ${approvalId} always`).state.notice?.text).toBe(
      'expected session or nothing, received "always"',
    )
  })

  test('list them', () => {
    expect(run(team(), '/approvals').state.overlay?.kind).toBe('approvals')
  })
})

describe('a message into the running turn', () => {
  test('is sent so, and says where there is none', () => {
    const working = connected({ agents: [agent('ops', { state: 'working' })] })
    const { state, effects } = pressed(working, '"/steer not so fast"', 'enter')
    const message = { agentId: 'ops', text: 'not so fast', mode: 'steer' } as const
    expect(effects).toContainEqual({ type: 'send', ...message })
    expect(state.sending).toEqual([message])
    expect(state.notice).toBeUndefined()
    expect(after(state, { type: 'sent', ...message, sessionId: 's' }).sending).toEqual([])
    const back = after(state, {
      type: 'not-sent',
      ...message,
      error: { code: 'mailbox_full', message: 'full' },
    })
    expect(back).toMatchObject({ sending: [], input: { text: '/steer not so fast' } })
    const idle = pressed(connected(), '"/steer go"', 'enter')
    expect(idle.effects).toContainEqual({ type: 'send', agentId: 'ops', text: 'go', mode: 'steer' })
    expect(idle.state.notice?.text).toBe('ops has no running turn: the message is a turn of its own')
  })
})

describe('a question that nobody can answer is not shown, and the next one takes the keys', () => {
  const { agents, sessions } = team()
  const asks = (changed: Partial<Parameters<typeof connected>[0]>): unknown => {
    const state = connected({ agents: [...agents], sessions: [...sessions.values()], ...changed })
    return answers(pressed(ready(state), 'y').effects)
  }
  const second = [{ type: 'answer', approvalId: SECOND.approvalId, decision: 'once' }]

  test('of a session that is not current', () => {
    const newer = session('s3', 'coder', { activation: 2 })
    const suspended = { ...asking('s1', 'coder', FIRST), current: false, status: 'suspended' } as const
    expect(asks({ sessions: [suspended, newer, asking('s2', 'docs', SECOND)] })).toEqual(second)
    // The new one is told of before the other is.
    expect(asks({ sessions: [...sessions.values(), newer] })).toEqual(second)
  })

  test('of an agent that was removed', () => {
    expect(asks({ agents: agents.filter(({ id }) => id !== 'coder') })).toEqual(second)
  })

  test('whose time is over', () => {
    const late = after(ready(team()), { type: 'tick', nowMs: Date.parse(FIRST.expiresAt) - 1 })
    expect(openApprovals(late)).toHaveLength(2)
    expect(openApprovals(after(late, { type: 'tick', nowMs: Date.parse(FIRST.expiresAt) }))).toEqual([])
  })
})

test('a question is one of the agent that it is asked for', () => {
  const asked = askedFor(asking('s1', 'coder', FIRST), 'lead')
  expect(openApprovals(connected({ agents: [agent('coder')], sessions: [asked] }))[0]?.askedBy?.agentId).toBe(
    'lead',
  )
})
