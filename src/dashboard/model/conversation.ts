/** One session as it is shown: its records as far as they were read, and the text of its running turn. Pure. */
export interface Conversation {
  readonly sessionId: string
}
