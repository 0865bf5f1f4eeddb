/** What goes where on a screen of a size. Pure. */
import type { DashboardState, Focus } from './state.ts'

/** Below this nothing can be read. */
export const MIN_COLUMNS = 20
export const MIN_ROWS = 5

/** From here on all three panes show. */
const WIDE_COLUMNS = 120
/** From here on the agents stand beside the main pane. */
const SPLIT_COLUMNS = 60

export interface Layout {
  /** Undefined where there is no room beside the main pane. */
  readonly left?: { readonly width: number; readonly sessions: boolean }
  /** What the rest of the width shows, 0 or 1 blank columns at its left. */
  readonly main: {
    readonly width: number
    readonly inset: 0 | 1
    readonly shows: 'conversation' | 'sessions' | 'agents'
  }
  /** Rows of what needs the user, at most. */
  readonly stripRows: number
  /** Rows of the oldest open question, at most. */
  readonly questionRows: number
  readonly noticeRows: number
  readonly inputRows: number
}

export function layoutOf({ size, focus, main }: Pick<DashboardState, 'size' | 'focus' | 'main'>): Layout {
  const { columns, rows } = size
  const chrome = {
    stripRows: rows < 10 ? 0 : rows < 20 ? 1 : rows < 40 ? 2 : 4,
    questionRows: rows < 10 ? 1 : rows < 20 ? 2 : rows < 40 ? 4 : 8,
    noticeRows: rows < 10 ? 1 : rows < 20 ? 4 : 8,
    inputRows: rows < 10 ? 1 : rows < 20 ? 3 : 6,
  }
  if (columns >= WIDE_COLUMNS) {
    const width = Math.min(90, Math.max(58, Math.floor(columns * 0.42)))
    return {
      left: { width, sessions: true },
      main: { width: columns - width - 1, inset: 1, shows: 'conversation' },
      ...chrome,
    }
  }
  if (columns >= SPLIT_COLUMNS) {
    const width = Math.min(30, Math.max(24, Math.floor(columns * 0.3)))
    return {
      left: { width, sessions: false },
      main: { width: columns - width - 1, inset: 1, shows: main },
      ...chrome,
    }
  }
  return { main: { width: columns, inset: 0, shows: focus === 'agents' ? 'agents' : main }, ...chrome }
}

/** Where Tab goes from each place: what is not on the screen comes to it. */
const RING: readonly Focus[] = ['input', 'agents', 'sessions', 'conversation']

export function nextFocus(focus: Focus, step: 1 | -1): Focus {
  return RING[(RING.indexOf(focus) + step + RING.length) % RING.length] ?? 'input'
}
