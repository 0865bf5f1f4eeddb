/** What a server knows of the process that keeps it (keep.ts). The two have a channel, which ends with either of them. */
import type { WireError } from '../errors.ts'
import type { CliIo } from './io.ts'
import { KEPT_VARIABLE } from './serve-options.ts'

export interface Keeper {
  /** Where the server before this one listened. */
  readonly formerPort: number | undefined
  /** Tells it where this one listens. */
  serving(url: string): void
  /** Tells it why this one ends before it was asked to. */
  failed(error: WireError): void
  /** Calls `listener` when the keeper is gone, until the function that it returns is called. */
  onGone(listener: () => void): () => void
}

/** What a server tells its keeper. */
export type ServerMessage = { type: 'serving'; url: string } | { type: 'failed'; error: WireError }

/** Undefined for a server that nobody keeps. */
export function keeperOf({ env }: Pick<CliIo, 'env'>): Keeper | undefined {
  const formerPort = env[KEPT_VARIABLE]
  if (formerPort === undefined || process.send === undefined) return undefined
  const tell = (message: ServerMessage): void => {
    // Nobody hears it where the keeper is gone: onGone says so.
    process.send?.(message, undefined, undefined, () => undefined)
  }
  return {
    formerPort: Number(formerPort) || undefined,
    serving: (url) => tell({ type: 'serving', url }),
    failed: (error) => tell({ type: 'failed', error }),
    onGone(listener) {
      process.on('disconnect', listener)
      if (!process.connected) listener()
      return () => process.off('disconnect', listener)
    },
  }
}
