/** The lines that were entered before, and where the user is among them. Pure. */
export interface LineHistory {
  /** Oldest first. */
  readonly lines: readonly string[]
}
