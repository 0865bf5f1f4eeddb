import { noUsage } from '../../src/core/usage.ts'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../../src/dashboard/model/frame.ts'
import type { Line } from '../../src/dashboard/model/line.ts'
import { frameOf } from '../../src/dashboard/model/screen.ts'
import type { DashboardState } from '../../src/dashboard/model/state.ts'
import { widthOf } from '../../src/dashboard/model/text.ts'
import { approval } from './asking.ts'
import { after, agent, connected, keys, NOW_MS, session } from './fixtures.ts'
import { textOf } from './scene.ts'

type Panes = Extract<Frame, { kind: 'panes' }>

function panesOf(state: DashboardState): Panes {
  const frame = frameOf(state)
  if (frame.kind !== 'panes') throw new Error(frame.text)
  return frame
}

function titles(state: DashboardState): string[] {
  return panesOf(state).panes.map(
    ({ title }) =>
      textOf([title])[0]
        ?.trim()
        .split(/\s{2,}/)[0] ?? '',
  )
}

function text(lines: readonly Line[]): string {
  return textOf(lines).join('\n')
}

/** Names that hurt: control sequences, wide and joined characters, marks without a letter. */
const HOSTILE = [
  '\u001b[2J\u001b]0;x\u0007evil',
  '漢字'.repeat(30),
  '👩‍👩‍👧 family',
  '\u0301\u0301a',
  'a\nb\rc\td',
]

const crowded = connected({
  agents: [
    agent('ops', { state: 'failed', lastError: { code: 'agent_failed', message: HOSTILE[0] ?? '' } }),
    ...Array.from({ length: 30 }, (_, index) =>
      agent(`agent-with-a-long-name-${index}`, { state: 'restarting' }),
    ),
  ],
  sessions: HOSTILE.map((name, index) =>
    session(`0199c0de-0000-7000-8000-00000000000${index}`, 'ops', {
      name,
      workingDir: name,
      activation: -index,
      ...(index === 0 && {
        approvals: HOSTILE.slice(0, 3).map((text, nth) =>
          approval(String(nth), { tool: text, subject: text.repeat(20), reason: text }),
        ),
      }),
      ...(index < 3 && {
        counts: {
          ...noUsage(),
          steps: 2,
          turns: 1,
          entries: 2,
          inputTokens: 1e6,
          costUsd: 12,
          unpricedSteps: 1,
        },
      }),
    }),
  ),
})

describe('a frame of any size', () => {
  const sizes = [20, 41, 59, 60, 80, 119, 120, 200].flatMap((columns) =>
    [5, 9, 10, 24, 50].map((rows) => [columns, rows] as const),
  )
  const places = [
    [],
    ['esc'],
    ['esc', 'l'],
    ['esc', 'l', 'l'],
    ['esc', 'f', '漢'],
    ['"/session re"', 'tab'],
    ['?'],
    ['ctrl+t'],
    ['"x"', 'ctrl+t', 'down'],
    ['y'],
  ]

  test.each(sizes)(
    'fills %i columns and %i rows exactly, and no line is wider than its place',
    (columns, rows) => {
      for (const place of places) {
        const frame = panesOf(after(crowded, { type: 'resize', columns, rows }, ...keys(...place)))
        const { panes, strip, notice, input, status, overlay } = frame
        const heights = new Set(panes.map(({ height }) => height))
        expect(heights.size).toBe(1)
        expect((panes[0]?.height ?? 0) + strip.length + notice.length + input.lines.length + 1).toBe(rows)
        expect(panes.reduce((sum, { width }) => sum + width, panes.length - 1)).toBe(columns)
        const placed = [
          ...panes.flatMap(({ title, lines, width }) => [title, ...lines].map((line) => ({ line, width }))),
          ...[...strip, ...notice, ...input.lines, status].map((line) => ({ line, width: columns })),
          ...(overlay?.lines ?? []).map((line) => ({ line, width: (overlay?.width ?? 0) - 2 })),
        ]
        for (const { line, width } of placed) {
          const shown = line.map((span) => span.text).join('')
          expect(widthOf(shown), `${place.join(' ')}: ${shown}`).toBeLessThanOrEqual(width)
          // oxlint-disable-next-line no-control-regex -- none may be there
          expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/)
        }
      }
    },
  )

  test('says so where that is too small', () => {
    const small = after(connected(), { type: 'resize', columns: 19, rows: 24 })
    expect(frameOf(small)).toMatchObject({ kind: 'too-small', text: '19x24 is too small…' })
  })
})

describe('the panes', () => {
  const state = (columns: number, ...pressed: string[]): DashboardState =>
    after(connected({ columns, sessions: [session('s', 'ops', { name: 'work' })] }), ...keys(...pressed))

  test('are all there in a wide terminal', () => {
    expect(titles(state(120))).toEqual(['Agents', expect.stringContaining('work')])
    expect(text(panesOf(state(120)).panes[0]?.lines ?? [])).toContain('Sessions of ops')
  })

  test('are two where there is room for two: the agents, and what the user went to last', () => {
    expect(titles(state(80))).toEqual(['Agents', expect.stringContaining('work')])
    expect(titles(state(80, 'esc', 'l'))).toEqual(['Agents', 'Sessions of ops'])
    expect(titles(state(80, 'esc', 'l', 'esc'))).toEqual(['Agents', 'Sessions of ops'])
    expect(titles(state(80, 'esc', 'l', 'esc', '"hi"', 'enter'))).toEqual([
      'Agents',
      expect.stringContaining('work'),
    ])
  })

  test('are one in a narrow terminal', () => {
    expect(titles(state(50))).toEqual([expect.stringContaining('work')])
    expect(titles(state(50, 'esc'))).toEqual(['Agents'])
    expect(titles(state(50, 'esc', 'l'))).toEqual(['Sessions of ops'])
  })

  test.each([50, 80, 120])(
    'show the one that has the focus in %i columns, however it came there',
    (columns) => {
      for (const pressed of [
        ['esc'],
        ['esc', 'l'],
        ['esc', 'l', 'l'],
        ['esc', 'l', 'enter'],
        ['esc', 'l', 'o', 'enter'],
        ['"/sessions"', 'enter'],
        ['"/agents"', 'enter'],
        ['esc', 'l', 'l', 'f'],
      ]) {
        const { panes } = panesOf(state(columns, ...pressed))
        expect(
          panes.filter(({ focused }) => focused),
          pressed.join(' '),
        ).toHaveLength(1)
      }
    },
  )
})

describe('the list of agents', () => {
  test('shows who needs the user, who has news, what waits and what each does', () => {
    const state = connected({
      columns: 120,
      agents: [
        agent('ops'),
        agent('coder', { state: 'failed' }),
        agent('notes', {
          state: 'working',
          queueDepth: 3,
          lastActivityAt: new Date(NOW_MS - 5_000).toISOString(),
        }),
      ],
    })
    const lines = textOf(
      panesOf({ ...state, unseen: new Map([['notes', 'completed']]) }).panes[0]?.lines ?? [],
    )
    const row = (id: string): string => lines.find((line) => line.includes(id)) ?? ''
    expect(row('coder')).toMatch(/^✗ coder +! failed/)
    expect(row('notes')).toMatch(/^● notes +\* working +3 .*5s/)
    expect(row('ops')).toMatch(/^○ ops +idle/)
  })

  test('keeps the chosen one in sight among a thousand', () => {
    const agents = Array.from({ length: 1_000 }, (_, index) => agent(`a${index}`))
    const end = after(connected({ agents, columns: 120 }), ...keys('esc', 'G'))
    expect(text(panesOf(end).panes[0]?.lines ?? [])).toContain('a999')
  })
})

describe('the lines round the input', () => {
  test('count who needs the user where not all have room', () => {
    const strip = textOf(panesOf(after(crowded, { type: 'resize', columns: 80, rows: 24 })).strip)
    // Below them, the oldest question.
    expect(strip).toHaveLength(2 + 4)
    expect(strip[2]).toMatch(/^\? ops asks for evil - evil/)
    expect(strip[0]).toMatch(/^! ops failed: evil - \/restart ops/)
    expect(strip[1]).toContain('(+29 more: ctrl+n)')
  })

  test('say for how long there is no supervisor, and what is done about it', () => {
    const lost = after(connected(), { type: 'connection-lost', reason: 'gone', attempt: 1 })
    const later = after(lost, { type: 'tick', nowMs: NOW_MS + 7_500 })
    expect(text(panesOf(later).notice)).toContain('no supervisor for 7 s (gone): it is started again…')
    expect(text([panesOf(later).status])).toContain('✗ down')
    const other = after(connected({ owned: false }), { type: 'connection-lost', reason: 'gone', attempt: 1 })
    expect(text(panesOf(other).notice)).toContain('no supervisor for 0 s (gone): trying again…')
  })

  test('say what leaving waits for', () => {
    const quit = (owned: boolean): string =>
      text(panesOf(after(connected({ owned }), ...keys('"/quit"', 'enter'))).notice)
    expect(quit(true)).toContain('saving: running turns finish first')
    expect(quit(false)).toContain('leaving: the supervisor goes on')
  })

  test('show the totals of the team, as many as fit', () => {
    const sessions = [
      session('s', 'ops', {
        counts: { ...noUsage(), steps: 1, turns: 1, entries: 2, inputTokens: 900, outputTokens: 600 },
      }),
    ]
    const wide = text([panesOf(connected({ columns: 200, sessions })).status])
    expect(wide).toContain('● up · 1 agent · 1 session · 1.5k tok · $0 · 127.0.0.1:7420 · /data')
    expect(text([panesOf(connected({ columns: 40, sessions })).status])).not.toContain('127.0.0.1')
  })
})
