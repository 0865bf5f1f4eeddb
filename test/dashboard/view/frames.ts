/** Frames for tests of what draws them. */
import type { Frame, Pane } from '../../../src/dashboard/model/frame.ts'
import { type Line, span } from '../../../src/dashboard/model/line.ts'

export function plain(text: string): Line {
  return [span(text)]
}

export function pane(title: string, width: number, height: number, lines: readonly Line[] = []): Pane {
  return { title: plain(title), lines, width, height, focused: false }
}

export type PanesFrame = Extract<Frame, { kind: 'panes' }>

/** 40 x 8: two panes, a line of each kind below them. */
export function frame(changes: Partial<PanesFrame> = {}): PanesFrame {
  return {
    kind: 'panes',
    columns: 40,
    rows: 8,
    panes: [
      pane('agents', 12, 4, [[span('ops', 'selected')], plain('coder')]),
      { ...pane('conversation', 27, 4, [plain('hello there')]), focused: true },
    ],
    strip: [[span('! coder failed', 'bad')]],
    notice: [plain('saved')],
    input: { lines: [plain('> hi')], cursor: { x: 4, y: 0 } },
    status: [span('connected', 'good')],
    ...changes,
  }
}
