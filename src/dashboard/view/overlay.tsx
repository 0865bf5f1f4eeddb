/** A box over the panes. */
import { Box } from 'ink'
import { memo, type ReactNode } from 'react'
import type { OverlayBox } from '../model/frame.ts'
import { type Line, span } from '../model/line.ts'
import { lineWidth, Row, rowTone } from './row.tsx'
import type { Paint } from './theme.ts'

const EMPTY: Line = []

export interface OverlayProps {
  readonly overlay: OverlayBox
  readonly x: number
  readonly y: number
  readonly paint: Paint
}

/** Its left upper corner is at `x`, `y` of what holds it. Covers all that is below. */
export const Overlay: (props: OverlayProps) => ReactNode = memo(function Overlay(props: OverlayProps) {
  const { overlay, x, y, paint } = props
  const { width, height } = overlay
  return (
    <Box
      position="absolute"
      marginLeft={x}
      marginTop={y}
      flexDirection="column"
      width={width}
      height={height}
      overflow="hidden"
    >
      {boxLines(overlay).map((line, index) => (
        <Row key={index} line={line} width={width} paint={paint} />
      ))}
    </Box>
  )
})

function boxLines({ title, lines, width, height }: OverlayBox): Line[] {
  const inner = Math.max(0, width - 2)
  const rest = Math.max(0, inner - lineWidth(title) - 3)
  return [
    [span('╭─ ', 'accent'), ...title, span(` ${'─'.repeat(rest)}╮`, 'accent')],
    ...Array.from({ length: Math.max(0, height - 2) }, (_, index) => sided(lines[index] ?? EMPTY, inner)),
    [span(`╰${'─'.repeat(inner)}╯`, 'accent')],
  ]
}

/** A row that is chosen is so up to the border. */
function sided(line: Line, inner: number): Line {
  const pad = ' '.repeat(Math.max(0, inner - lineWidth(line)))
  return [span('│', 'accent'), ...line, span(pad, rowTone(line)), span('│', 'accent')]
}
