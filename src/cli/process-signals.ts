/** The signals that ask this process to end. */
import type { EndingSignal } from './signals.ts'

const SIGNALS: readonly EndingSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Calls `listener` with each that comes, in place of the process's end, until the function that it returns is called. */
export function onEndingSignal(listener: (signal: EndingSignal) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, listener)
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener)
  }
}
