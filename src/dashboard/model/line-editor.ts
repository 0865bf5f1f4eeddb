/** The text of the input line and the place of the cursor. Pure. */
export interface LineEditor {
  readonly text: string
  /** Index into `text`, at the edge of a grapheme. */
  readonly cursor: number
}
