import { stripVTControlCharacters } from 'node:util'
import { renderToString } from 'ink'
import { describe, expect, test } from 'vitest'
import type { Frame } from '../../../src/dashboard/model/frame.ts'
import { span } from '../../../src/dashboard/model/line.ts'
import { Screen } from '../../../src/dashboard/view/screen.tsx'
import { painter } from '../../../src/dashboard/view/theme.ts'
import { frame, pane, plain } from './frames.ts'

function draw(shown: Frame, columns = shown.columns, rows = shown.rows): string {
  return renderToString(<Screen frame={shown} columns={columns} rows={rows} paint={painter(4)} />, {
    columns,
  })
}

function rowsOf(drawn: string): string[] {
  return stripVTControlCharacters(drawn)
    .split('\n')
    .map((row) => row.trimEnd())
}

describe('the screen', () => {
  test('shows panes side by side, and the rest below them', () => {
    expect(rowsOf(draw(frame()))).toEqual([
      'agents ─────│conversation ━━━━━━━━━━━━━━',
      'ops         │hello there',
      'coder       │',
      '            │',
      '! coder failed',
      'saved',
      '> hi',
      'connected',
    ])
  })

  test('has no more rows than the frame, however many lines its panes have', () => {
    const lines = Array.from({ length: 50 }, (_, index) => plain(`line ${index}`))
    const rows = rowsOf(draw(frame({ panes: [pane('all', 40, 4, lines)] })))
    expect(rows).toHaveLength(8)
    expect(rows.slice(1, 5)).toEqual(['line 0', 'line 1', 'line 2', '! coder failed'])
  })

  test('cuts a frame that was made for a larger terminal', () => {
    const rows = rowsOf(draw(frame(), 20, 5))
    expect(rows).toHaveLength(5)
    expect(rows[0]).toBe('agents ─────│convers')
  })

  test('cuts a line that is too wide for its pane instead of breaking it', () => {
    const rows = rowsOf(
      draw(frame({ panes: [pane('one', 10, 4, [plain('0123456789abc')]), pane('two', 29, 4)] })),
    )
    expect(rows).toHaveLength(8)
    expect(rows[1]).toMatch(/^.{10}│$/)
  })

  test('draws a chosen row to the end of its pane', () => {
    expect(draw(frame())).toContain(`\u001b[7mops${' '.repeat(9)}\u001b[27m`)
  })

  test('pads by the width of characters, not by their number', () => {
    const rows = rowsOf(draw(frame({ panes: [pane('a', 12, 4, [plain('漢字')]), pane('b', 27, 4)] })))
    expect(rows[1]).toBe('漢字        │')
  })

  test('lays a box over the middle of the panes and covers what is there', () => {
    const lines = Array.from({ length: 5 }, () => plain('x'.repeat(40)))
    const overlay = {
      title: plain('help'),
      lines: [[span('quit', 'selected')]],
      width: 12,
      height: 3,
    } as const
    const rows = rowsOf(draw(frame({ panes: [pane('all', 40, 4, lines)], overlay })))
    const side = 'x'.repeat(14)
    expect(rows.slice(0, 4)).toEqual([
      `all ${'─'.repeat(10)}╭─ help ───╮${'─'.repeat(14)}`,
      `${side}│quit      │${side}`,
      `${side}╰──────────╯${side}`,
      'x'.repeat(40),
    ])
  })

  test('says in one line that it is too small', () => {
    expect(draw({ kind: 'too-small', columns: 18, rows: 3, text: '18x3 is too small' })).toContain(
      '18x3 is too small',
    )
  })
})
