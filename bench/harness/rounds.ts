/** Subject and baseline in turn, so that what the machine does besides falls on both. */

export interface Pair<T> {
  subject: T
  baseline: T
}

/**
 * Measures `rounds` pairs after one pair that is thrown away (caches, compilers). Which of the two goes first alternates: what the
 * first leaves behind (a full page cache, a busy disk) favours neither.
 */
export async function measurePairs<T>(
  rounds: number,
  subject: () => Promise<T>,
  baseline: () => Promise<T>,
): Promise<Pair<T>[]> {
  const pairs: Pair<T>[] = []
  for (let round = 0; round <= rounds; round += 1) {
    let pair: Pair<T>
    if (round % 2 === 0) {
      const first = await subject()
      pair = { subject: first, baseline: await baseline() }
    } else {
      const first = await baseline()
      pair = { subject: await subject(), baseline: first }
    }
    if (round > 0) pairs.push(pair)
  }
  return pairs
}

/** How long each of `count` calls took, one after the other, in milliseconds. What `before` does, before each, is not measured. */
export async function timeEach(
  count: number,
  call: (index: number) => Promise<unknown>,
  before: () => unknown = () => undefined,
): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    await before()
    const startMs = performance.now()
    await call(index)
    times.push(performance.now() - startMs)
  }
  return times
}

/** How long the call took, in milliseconds. */
export async function timeOnce(call: () => unknown): Promise<number> {
  const startMs = performance.now()
  await call()
  return performance.now() - startMs
}
