/** The three disturbers. */
export type Disturbance = 'loop' | 'exit' | 'heap'

/** Never returns. */
export function disturb(kind: Disturbance): never {
  if (kind === 'exit') process.exit(1)
  const kept: { number: number; text: string }[] = []
  for (;;) {
    if (kind === 'heap') kept.push({ number: kept.length, text: `kept for ever: ${kept.length}` })
  }
}
