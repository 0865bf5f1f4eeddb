import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderToString } from 'ink'
import { createElement } from 'react'
import { describe, expect, test } from 'vitest'
import { noUsage, type UsageTotal } from '../../src/core/usage.ts'
import { leftText, questionLines } from '../../src/dashboard/model/question-lines.ts'
import { frameOf } from '../../src/dashboard/model/screen.ts'
import type { DashboardState } from '../../src/dashboard/model/state.ts'
import { Screen } from '../../src/dashboard/view/screen.tsx'
import { unpainted } from '../../src/dashboard/view/theme.ts'
import { approval, askedFor, asking } from './asking.ts'
import { after, agent, connected, keys, NOW_MS, session } from './fixtures.ts'
import { CREATED, records, textOf } from './scene.ts'

const FRAMES = join(dirname(fileURLToPath(import.meta.url)), 'frames')
const SPENT: UsageTotal = { ...noUsage(), steps: 3, inputTokens: 12_000, outputTokens: 300, costUsd: 0.42 }
const EVIL = '\u001b]0;x\u0007\u001b[2J\u009b1m\u202e'

function one(subject: string, changes: Parameters<typeof approval>[1] = {}): DashboardState {
  const state = connected({ sessions: [asking('s1', 'ops', approval('1', { subject, ...changes }))] })
  return after(state, { type: 'armed', round: state.questionRound })
}

function strip(state: DashboardState, columns = 80, rows = 4): string[] {
  return textOf(questionLines(state, columns, rows))
}

/** The whole screen as text. */
function picture(state: DashboardState): string {
  const frame = frameOf(state)
  const { columns, rows } = frame
  const drawn = renderToString(createElement(Screen, { frame, columns, rows, paint: unpainted }), { columns })
  const lines = drawn.split('\n').map((line) => line.trimEnd())
  return `${lines.join('\n')}\n`
}

describe('a question above the input line', () => {
  test('says who asks for what, why, for how long, and what keys do', () => {
    expect(strip(one('npm install left-pad'))).toEqual([
      '? ops asks for shell - no rule allows it',
      '  npm install left-pad',
      `  y once  n no  a always in this session: shell npm install *${' '.repeat(12)}5m left`,
    ])
  })

  test('shows all of a command of a few lines, and marks one of which there is more', () => {
    expect(strip(one('cd web\nmake'))).toContain('  make')
    const long = strip(one(`${'word '.repeat(60)}rm -rf /`))
    expect(long).toHaveLength(4)
    expect(long[2]).toMatch(/… Ctrl-T: all$/)
    expect(strip(one('a\nb\nc'))[2]).toBe('  b… Ctrl-T: all')
  })

  test('is on two rows where there are few, and on one where there are hardly any', () => {
    expect(strip(one('cd web\nmake'), 80, 2)[0]).toBe('? ops asks for shell: cd web ⏎ make')
    expect(strip(one('cd web\nmake'), 60, 1)).toEqual([
      `? ops asks for shell: cd web ⏎ make${' '.repeat(19)} y/a/n`,
    ])
    expect(strip(one('x'.repeat(200)), 60, 2)[0]).toMatch(/x… Ctrl-T: all$/)
    expect(strip(one('x'), 60, 0)).toEqual([])
  })

  test('says how to answer where letters are text, and what a no waits for', () => {
    expect(strip(after(one('x'), ...keys('"hello"'))).at(-1)).toContain('Ctrl-T to answer')
    expect(strip(after(one('x'), ...keys('n'))).at(-1)).toContain('Enter sends, Esc goes back')
  })

  test('shows what else the call was given, as far as there is room', () => {
    const state = one('/a.txt', { tool: 'write', detail: 'content:\nline 1\nline 2\nline 3' })
    expect(strip(state, 80, 6).slice(1, 5)).toEqual([
      '  /a.txt',
      '  content:',
      '  line 1',
      '  line 2… Ctrl-T: all',
    ])
    expect(picture(after(state, ...keys('ctrl+t')))).toMatch(
      /\/a\.txt.*content:.*line 1.*line 2.*line 3.*why: /su,
    )
  })

  test('of a tool without a subject has no row for one, and without a pattern it says that all is allowed', () => {
    expect(strip(one('', { grant: { tool: 'todo' }, tool: 'todo' })).slice(0, 2)).toEqual([
      '? ops asks for todo - no rule allows it',
      `  y once  n no  a always in this session: all of todo${' '.repeat(20)}5m left`,
    ])
  })

  test('does nothing to the terminal', () => {
    const state = one(`a${EVIL}\nb`, {
      tool: `t${EVIL}`,
      reason: `r${EVIL}`,
      grant: { tool: `t${EVIL}`, pattern: `p${EVIL}` },
    })
    const all = [...strip(state), ...strip(state, 60, 2), ...strip(state, 60, 1)]
    const listed = frameOf(after(state, ...keys('ctrl+t')))
    if (listed.kind === 'panes') all.push(...textOf(listed.overlay?.lines ?? []))
    // oxlint-disable-next-line no-control-regex -- control characters are what this is about
    expect(all.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/)
  })

  test.each([
    [-1, 'time is up'],
    [1, '1s left'],
    [119_000, '119s left'],
    [121_000, '3m left'],
    [7_200_000, '2h left'],
    [86_400_000 * 3, '3d left'],
  ])('is open for another %i ms: %s', (ms, text) => {
    expect(leftText({ expiresAt: new Date(NOW_MS + ms).toISOString() }, NOW_MS)).toBe(text)
  })
})

describe('the list of agents', () => {
  const agents = [agent('coder', { state: 'waiting' }), agent('lead', { state: 'waiting' }), agent('ops')]
  const sessions = [
    { ...asking('s1', 'coder', approval('1')), counts: { turns: 1, entries: 2, ...SPENT } },
    session('s2', 'ops', { counts: { turns: 1, entries: 2, ...SPENT, costUsd: 0, unpricedSteps: 3 } }),
  ]

  test.each([120, 200])(
    'tells who waits for the user from who waits for others, in %i columns',
    (columns) => {
      const text = picture(connected({ columns, agents, sessions }))
      expect(text).toMatch(/\? coder +asks you .* 12k \$0\.4200/)
      expect(text).toMatch(/… lead +waiting/)
      expect(text).toMatch(/○ ops +idle .* 12k \?/)
    },
  )

  test('says words for both in a narrow pane, and what others have spent', () => {
    const text = picture(connected({ agents, sessions }))
    expect(text).toMatch(/\? coder +asks you/)
    expect(text).toMatch(/… lead +waiting/)
    expect(text).toMatch(/○ ops +12k \?/)
  })
})

describe('what was spent', () => {
  const of = (counts: UsageTotal): string =>
    picture(
      connected({
        columns: 160,
        sessions: [session('s', 'ops', { counts: { turns: 1, entries: 2, ...counts } })],
      }),
    )

  test('stands with the session, the agent and the team', () => {
    expect(of(SPENT).match(/12k tok · \$0\.4200/g)).toHaveLength(2)
    expect(of(SPENT).match(/12k \$0\.4200/g)).toHaveLength(2)
  })

  test('is marked as a part where some of it has no price, and unknown where nothing has', () => {
    expect(of({ ...SPENT, unpricedSteps: 1 })).toContain('12k tok · $0.4200 + ?')
    expect(of({ ...SPENT, costUsd: 0, unpricedSteps: 3 })).toContain('12k tok · price unknown')
    expect(of(noUsage())).not.toContain('tok')
  })
})

test.each([
  [80, 24],
  [200, 60],
])('the screens with questions are as they were, at %i x %i', async (columns, rows) => {
  const command = 'cd web && npm install left-pad@1.3.0 right-pad@2.0.0 --save-exact --no-audit\nnpm test'
  const usage = { inputTokens: 1_200, outputTokens: 85, costUsd: 0.0012 }
  const call = { toolCallId: 'call-1', name: 'shell', input: { command } }
  const question = approval('1', { subject: command })
  const asks = askedFor(asking('s1', 'coder', question), 'lead')
  const { askedAt: _, ...asked } = question
  const begun = connected({
    columns,
    rows,
    agents: [
      agent('coder', { state: 'waiting', behavior: 'llm' }),
      agent('lead', { state: 'waiting' }),
      agent('docs', { state: 'waiting' }),
    ],
    sessions: [
      { ...asks, name: 'mend it', counts: { turns: 0, entries: 2, ...SPENT } },
      asking('s2', 'docs', approval('2', { tool: 'write', subject: '/src/a.ts' })),
    ],
  })
  const state = after(
    begun,
    { type: 'armed', round: begun.questionRound },
    {
      type: 'records',
      sessionId: 's1',
      earlier: false,
      records: records([
        CREATED,
        {
          type: 'message.accepted',
          turnId: 't',
          taskId: 't',
          input: 'the tests fail, mend them',
          from: 'lead',
        },
        { type: 'turn.started', turnId: 't', attempt: 1 },
        {
          type: 'step.model',
          turnId: 't',
          reasoning: 'A package is missing.\nI install it and run the tests again.',
          content: 'left-pad is not there: I install it.',
          model: 'fake/alpha',
          usage,
          toolCalls: [call],
        },
        { type: 'approval.asked', ...asked },
      ]).map((record) => ({ ...record, at: new Date(new Date(NOW_MS).setHours(14, 2)).toISOString() })),
    },
  )
  const holds = async (name: string, shown: DashboardState): Promise<void> =>
    expect(picture(shown)).toMatchFileSnapshot(join(FRAMES, `${name}-${columns}x${rows}.txt`))
  await holds('question', state)
  await holds('questions', after(state, ...keys('ctrl+t')))
  await holds('reason', after(state, ...keys('n', '"not on Fridays"')))
})
