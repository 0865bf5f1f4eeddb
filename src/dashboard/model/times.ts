/** Times of the wall clock, which may be set back. Pure. */

/** True where less than `ms` lie between the two times, whichever is the later one: a clock that was set back makes nothing last longer. */
export function isWithin(ms: number, aMs: number, bMs: number): boolean {
  return Math.abs(bMs - aMs) < ms
}
