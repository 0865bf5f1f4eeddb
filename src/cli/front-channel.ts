/**
 * What a keeper (keep.ts) knows of the dashboard that has started it. They have a channel: where it closes without a word, the dashboard
 * was killed, and the keeper ends in good order; after `release` it stays.
 */
import type { WireError } from '../errors.ts'
import type { CliIo } from './io.ts'
import { FRONT_VARIABLE } from './serve-options.ts'

/** What a keeper tells its front. */
export type KeeperMessage =
  /** A server listens; told for each. */
  | { type: 'serving'; url: string }
  /** A server ended and another one is started. */
  | { type: 'restarting'; reason: string }
  /** A server ended before it could serve. */
  | { type: 'failed'; error: WireError }
  /** The answer to `release`. */
  | { type: 'released' }

/** What a front tells its keeper: stay when the channel closes. To end it, it sends it a signal like everybody else. */
export type FrontMessage = { type: 'release' }

export interface Front {
  tell(message: KeeperMessage): void
  /** Lets the process end. Idempotent. */
  close(): void
}

/** `onGone` is called when the front is gone and has not released the keeper. Undefined for a keeper that no front has started. */
export function frontOf({ env }: Pick<CliIo, 'env'>, onGone: () => void): Front | undefined {
  if (env[FRONT_VARIABLE] === undefined || process.send === undefined) return undefined
  let released = false
  const gone = (): void => {
    if (!released) onGone()
  }
  const tell = (message: KeeperMessage): void => {
    process.send?.(message, undefined, undefined, () => undefined) // Where nobody hears it, `gone` says so.
  }
  const hear = (message: unknown): void => {
    if (!isRelease(message)) return
    released = true
    tell({ type: 'released' })
  }
  process.on('message', hear)
  process.on('disconnect', gone)
  if (!process.connected) gone()
  return {
    tell,
    close() {
      process.off('message', hear)
      process.off('disconnect', gone)
    },
  }
}

function isRelease(message: unknown): message is FrontMessage {
  return typeof message === 'object' && message !== null && 'type' in message && message.type === 'release'
}
