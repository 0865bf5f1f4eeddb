/** Whether `agentry serve --keep` starts the server again. Pure. */
import { EXIT, type ExitCode } from './exit-codes.ts'

/** The servers that one keeper has had so far. */
export interface KeptHistory {
  /** One of them has listened: what was asked for can be served. */
  hasServed: boolean
  /** How many lived only briefly, one after the other, up to the last. */
  brief: number
}

export interface ServerEnd {
  /** Null where a signal killed it. */
  code: ExitCode | null
  livedMs: number
}

export type KeepDecision =
  | { action: 'stop' }
  /** `retry`: the number of the retry to wait for (1 for the first), or 0 for none. */
  | { action: 'restart'; retry: number; history: KeptHistory }

/** A server that lived this long had started well: the waits begin anew. */
const WELL_MS = 10_000

/** Refusals that the next server would repeat: what is asked for is wrong, or somebody else has the directory or the port. */
const REFUSALS: ReadonlySet<ExitCode> = new Set([EXIT.usage, EXIT.notFound, EXIT.conflict])

/**
 * A server that ended in good order (0) stays ended. A refusal is final only before any server has served: later the directory or the
 * port may be taken for a moment by whoever came in between.
 */
export function decide(history: KeptHistory, { code, livedMs }: ServerEnd): KeepDecision {
  if (code === EXIT.ok) return { action: 'stop' }
  if (code !== null && !history.hasServed && REFUSALS.has(code)) return { action: 'stop' }
  const brief = livedMs < WELL_MS ? history.brief + 1 : 0
  return { action: 'restart', retry: Math.max(brief - 1, 0), history: { ...history, brief } }
}
