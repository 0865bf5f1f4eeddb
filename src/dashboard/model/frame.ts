/**
 * What the whole screen shows at one moment. Selectors make it, components draw it and decide nothing.
 *
 *   panes, left to right, one column of rule between two
 *   strip     what needs the user
 *   notice
 *   input
 *   status    one row
 */
import type { Line } from './line.ts'

/** One column of the upper part: a row of title, then `lines`, of which the first `height - 1` show. */
export interface Pane {
  readonly title: Line
  readonly lines: readonly Line[]
  readonly width: number
  /** The row of the title included. All panes of a frame have the same. */
  readonly height: number
  readonly focused: boolean
}

/** A place in columns and rows, from 0. */
export interface Cell {
  readonly x: number
  readonly y: number
}

/** A box in the middle of the panes, over them. */
export interface OverlayBox {
  readonly title: Line
  /** The first `height - 2` show. */
  readonly lines: readonly Line[]
  /** The border, one cell on each side, included: lines are cut to `width - 2`. */
  readonly width: number
  readonly height: number
  /** Where the user types in `lines`, if anywhere. */
  readonly cursor?: Cell
}

export type Frame =
  | {
      readonly kind: 'too-small'
      readonly columns: number
      readonly rows: number
      /** Cut to the width. */
      readonly text: string
    }
  | {
      readonly kind: 'panes'
      readonly columns: number
      readonly rows: number
      /** Widths and the rules between them add up to `columns`. */
      readonly panes: readonly Pane[]
      /** These four and the height of the panes add up to `rows`. */
      readonly strip: readonly Line[]
      readonly notice: readonly Line[]
      readonly input: {
        readonly lines: readonly Line[]
        /** Where the user types, in `lines`; undefined while keys go elsewhere. */
        readonly cursor?: Cell | undefined
      }
      readonly status: Line
      readonly overlay?: OverlayBox
    }
