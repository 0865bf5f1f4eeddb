/** What single frames of a recording wrote, and what they had to. */
import { Emulator } from '../../test/terminal/emulator.ts'
import type { Terminal } from '../../test/terminal/terminal.ts'
import type { Pair } from './rounds.ts'

/** Terminals show what was written between two of these at once. */
const END_OF_FRAME = '\u001b[?2026l'

/**
 * The frames of a terminal's output from that piece on, in KB: what each wrote, and as its baseline the text of the rows that looked
 * different afterwards, without colours and without going there. Frames after which nothing did are left out.
 */
export async function drawnFrames(terminal: Terminal, fromPiece: number): Promise<Pair<number>[]> {
  const { columns, rows } = terminal.emulator
  const emulator = new Emulator(columns, rows)
  const data = (pieces: Terminal['pieces']): string => pieces.map((piece) => piece.data).join('')
  await emulator.feed(data(terminal.pieces.slice(0, fromPiece)))
  const frames: Pair<number>[] = []
  let before = emulator.screen()
  for (const frame of data(terminal.pieces.slice(fromPiece)).split(END_OF_FRAME)) {
    await emulator.feed(frame + END_OF_FRAME)
    const after = emulator.screen()
    const neededBytes = after.reduce(
      (sum, row, y) => sum + (row === before[y] ? 0 : Buffer.byteLength(row)),
      0,
    )
    before = after
    if (neededBytes > 0) frames.push({ subject: Buffer.byteLength(frame) / 1e3, baseline: neededBytes / 1e3 })
  }
  emulator.dispose()
  return frames
}
