/** What the model hands to the components: lines of text in tones, measured in terminal columns and free of control sequences. */

/** What a piece of text means; theme.ts says how that looks. */
export type Tone =
  | 'plain'
  | 'dim'
  | 'strong'
  /** Names of agents, keys, the prompt. */
  | 'accent'
  /** Active sessions, agents at work, what went well. */
  | 'good'
  /** Suspended sessions, what waits. */
  | 'warn'
  /** Failures, what needs the user. */
  | 'bad'
  /** Questions to a person, and who asks them. */
  | 'ask'
  /** Terminated sessions, stopped agents. */
  | 'grey'
  /** The row that is chosen in the pane that has the focus: over its whole width. */
  | 'selected'
  /** The row that is chosen in a pane without the focus. */
  | 'chosen'

export interface Span {
  readonly text: string
  readonly tone: Tone
}

/** One row of a pane. Never wider than the pane; components pad it. */
export type Line = readonly Span[]

export function span(text: string, tone: Tone = 'plain'): Span {
  return { text, tone }
}
