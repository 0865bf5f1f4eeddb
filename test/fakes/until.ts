import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Resolves with what `check` gives as soon as that is neither undefined nor false; looks every 5 ms. Rejects after `deadlineMs`,
 * naming `what` was waited for.
 */
export async function until<T>(
  what: string,
  check: () => T | Promise<T>,
  deadlineMs = 15_000,
): Promise<Exclude<T, undefined | false>> {
  const deadline = performance.now() + deadlineMs
  for (;;) {
    const value = await check()
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false>
    if (performance.now() >= deadline) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`)
    await sleep(5)
  }
}
