/** A recording of a terminal in the format of asciinema, version 2. Pure. */

export interface Recording {
  readonly title: string
  readonly columns: number
  readonly rows: number
  /** What was written, in order; times in ms from any one moment. */
  readonly pieces: readonly { readonly atMs: number; readonly data: string }[]
}

/** The first piece is at 0. */
export function asciicast({ title, columns, rows, pieces }: Recording): string {
  const startMs = pieces[0]?.atMs ?? 0
  const header = { version: 2, width: columns, height: rows, title, env: { TERM: 'xterm-256color' } }
  const events = pieces.map(({ atMs, data }) => [Math.round(atMs - startMs) / 1_000, 'o', data])
  return [header, ...events].map((line) => `${JSON.stringify(line)}\n`).join('')
}
