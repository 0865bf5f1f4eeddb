/** The whole screen. */
import { Box, Text, useCursor, useIsScreenReaderEnabled } from 'ink'
import { Fragment, memo, type ReactNode } from 'react'
import type { Cell, Frame, OverlayBox } from '../model/frame.ts'
import type { Line } from '../model/line.ts'
import { Overlay } from './overlay.tsx'
import { Pane } from './pane.tsx'
import { painted, Row } from './row.tsx'
import { type Paint, unpainted } from './theme.ts'

type PanesFrame = Extract<Frame, { kind: 'panes' }>

export interface ScreenProps {
  readonly frame: Frame
  /** Of the terminal, now: a frame that was made for a larger one is cut, never wrapped. */
  readonly columns: number
  readonly rows: number
  readonly paint: Paint
}

/**
 * Exactly the frame's columns and rows, and never more than the terminal's. As many rows as the terminal has are safe: Ink then writes no
 * newline at the end, and still only what changed. One more and it would erase and draw everything each time.
 */
export function Screen({ frame, columns, rows, paint }: ScreenProps): ReactNode {
  const { setCursorPosition } = useCursor()
  const forReader = useIsScreenReaderEnabled()
  setCursorPosition(forReader ? undefined : cursorOf(frame, columns, rows))
  if (forReader) return <Spoken frame={frame} />
  return (
    <Box
      width={Math.min(frame.columns, columns)}
      height={Math.min(frame.rows, rows)}
      flexDirection="column"
      overflow="hidden"
    >
      {frame.kind === 'too-small' ? (
        <Text wrap="truncate">{frame.text}</Text>
      ) : (
        <Panes frame={frame} paint={paint} />
      )}
    </Box>
  )
}

function Panes({ frame, paint }: { frame: PanesFrame; paint: Paint }): ReactNode {
  const { panes, overlay, columns } = frame
  const height = heightOf(frame)
  return (
    <>
      <Box height={height} flexShrink={0}>
        {panes.map((pane, index) => (
          <Fragment key={index}>
            {index > 0 && <Rule height={height} paint={paint} />}
            <Pane pane={pane} paint={paint} />
          </Fragment>
        ))}
        {overlay && <Overlay overlay={overlay} {...placeOf(overlay, frame)} paint={paint} />}
      </Box>
      <Lines lines={frame.strip} width={columns} paint={paint} />
      <Lines lines={frame.notice} width={columns} paint={paint} />
      <Lines lines={frame.input.lines} width={columns} paint={paint} />
      <Row line={frame.status} width={columns} paint={paint} />
    </>
  )
}

const Rule: (props: { height: number; paint: Paint }) => ReactNode = memo(function Rule({
  height,
  paint,
}: {
  height: number
  paint: Paint
}) {
  const rows = Array.from({ length: height }, () => paint('│', 'dim'))
  return (
    <Box width={1} flexShrink={0}>
      <Text>{rows.join('\n')}</Text>
    </Box>
  )
})

function Lines({ lines, width, paint }: { lines: readonly Line[]; width: number; paint: Paint }): ReactNode {
  return lines.map((line, index) => <Row key={index} line={line} width={width} paint={paint} />)
}

/** What is drawn and not written: rules, results' edges, sparklines. */
const DRAWN = /[│▁-▇]/g

/** For a screen reader: one thing below the other, no padding, no rules; an overlay alone, as it takes all keys. */
function Spoken({ frame }: { frame: Frame }): ReactNode {
  if (frame.kind === 'too-small') return <Text>{frame.text}</Text>
  const { panes, overlay, strip, notice, input, status } = frame
  const boxes = overlay ? [overlay] : panes
  const lines = [
    ...boxes.flatMap(({ title, lines, height }) => [title, ...lines.slice(0, height - 1)]),
    ...strip,
    ...notice,
    ...input.lines,
    status,
  ]
  return (
    <Box flexDirection="column">
      {lines.map((line, index) => (
        <Text key={index}>{painted(line, unpainted).replaceAll(DRAWN, ' ')}</Text>
      ))}
    </Box>
  )
}

function heightOf({ panes }: PanesFrame): number {
  return Math.max(0, ...panes.map((pane) => pane.height))
}

/** In the middle of the panes. */
function placeOf({ width, height }: OverlayBox, frame: PanesFrame): Cell {
  return {
    x: Math.max(0, Math.floor((frame.columns - width) / 2)),
    y: Math.max(0, Math.floor((heightOf(frame) - height) / 2)),
  }
}

/** Where the terminal's own cursor stands: input methods compose their characters there. */
function cursorOf(frame: Frame, columns: number, rows: number): Cell | undefined {
  if (frame.kind === 'too-small') return undefined
  const cell = frame.overlay ? cursorIn(frame.overlay, frame) : cursorInInput(frame)
  if (cell === undefined || cell.y >= rows) return undefined
  return { x: Math.min(cell.x, columns - 1), y: cell.y }
}

function cursorIn(overlay: OverlayBox, frame: PanesFrame): Cell | undefined {
  if (overlay.cursor === undefined) return undefined
  const { x, y } = placeOf(overlay, frame)
  return { x: x + 1 + overlay.cursor.x, y: y + 1 + overlay.cursor.y }
}

function cursorInInput(frame: PanesFrame): Cell | undefined {
  const { cursor } = frame.input
  if (cursor === undefined) return undefined
  return { x: cursor.x, y: heightOf(frame) + frame.strip.length + frame.notice.length + cursor.y }
}
