/** One column of the upper part: its title on a rule, its lines below. */
import { Box } from 'ink'
import { memo, type ReactNode } from 'react'
import type { Pane as PaneFrame } from '../model/frame.ts'
import { type Line, span } from '../model/line.ts'
import { lineWidth, Row } from './row.tsx'
import type { Paint } from './theme.ts'

const EMPTY: Line = []

export interface PaneProps {
  readonly pane: PaneFrame
  readonly paint: Paint
}

/** Exactly `width` x `height`, whatever the number of lines. */
export const Pane: (props: PaneProps) => ReactNode = memo(function Pane({ pane, paint }: PaneProps) {
  const { title, lines, width, height, focused } = pane
  return (
    <Box flexDirection="column" width={width} height={height} flexShrink={0} overflow="hidden">
      <Row line={titleRule(title, width, focused)} width={width} paint={paint} />
      {Array.from({ length: Math.max(0, height - 1) }, (_, index) => (
        <Row key={index} line={lines[index] ?? EMPTY} width={width} paint={paint} />
      ))}
    </Box>
  )
})

/** The focus shows in the weight of the rule too: where there are no colours it is all there is. */
function titleRule(title: Line, width: number, focused: boolean): Line {
  const rest = width - lineWidth(title) - 1
  if (rest <= 0) return title
  return [...title, span(` ${(focused ? '━' : '─').repeat(rest)}`, focused ? 'accent' : 'dim')]
}
