/**
 * Runs the behavior for the open turn of a session and records how it ended. It records; the caller flushes and announces.
 *
 * TR1 Whatever the behavior does (throws, never ends, forgets a tool call), exactly one turn.finished is recorded.
 * TR2 Cancel, time limit and stop reach the behavior as the abort of its signal; one that does not end within ABANDON_MS after
 *     that is abandoned: its turn ends, and its thread has to end too, for its code may still run.
 */
import type { Behavior, BehaviorResult } from '../behavior.ts'
import type { Clock } from '../core/clock.ts'
import { setDeadline } from '../core/deadline.ts'
import { closeTurn, NOT_AWAITED, type TurnEnding } from '../core/turn.ts'
import { AgentryError, assertNever, toAgentryError } from '../errors.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import { outcomeOf } from '../protocol/outcome.ts'
import { createContext } from './behavior-context.ts'
import { checkedExitCode, checkedText } from './recordable.ts'
import type { Session } from './session.ts'
import { TextMerger } from './text-merger.ts'

/** How long a behavior may go on after the abort of its signal. */
export const ABANDON_MS = 5_000

export interface TurnOptions {
  session: Session
  behavior: Behavior
  clock: Clock
  turnMs: number
  resultBytes: number
  /** Aborted with an AgentryError: `cancelled` or `interrupted`. */
  abort: AbortController
  sendEvent: (event: TurnEvent) => void
}

type Ending =
  | { kind: 'result'; value: BehaviorResult }
  | { kind: 'thrown'; error: unknown }
  | { kind: 'abandoned' }

export interface TurnEnd {
  abandoned: boolean
  /** Not durable yet. Undefined where the session is broken: the next flush throws then. */
  outcome: Outcome | undefined
}

/** Resolves when the end of the open turn is recorded (not flushed). */
export async function runTurn(options: TurnOptions): Promise<TurnEnd> {
  const { session, behavior, clock, turnMs, resultBytes, abort, sendEvent } = options
  const turn = session.state.turn
  if (turn === null) throw new AgentryError('internal', 'expected an open turn')
  const { turnId, input } = turn
  const text = new TextMerger(clock, (piece) => sendEvent({ type: 'text', ...piece }))
  const limit = clock.setTimer(turnMs, () => {
    abort.abort(new AgentryError('turn_timeout', `the turn took longer than its limit of ${turnMs} ms`))
  })
  const context = createContext({ session, signal: abort.signal, text, resultBytes, sendEvent })
  const ending = await endOf(() => behavior.run(input, context), abort.signal, clock)
  limit.cancel()
  text.flush()
  const abandoned = ending.kind === 'abandoned'
  if (session.broken) return { abandoned, outcome: undefined }
  for (const record of closeTurn(turn, NOT_AWAITED, verdict(ending, abort.signal, resultBytes))) {
    session.record(record)
  }
  return { abandoned, outcome: outcomeOf(session.state, turnId) }
}

async function endOf(
  run: () => Promise<BehaviorResult> | BehaviorResult,
  signal: AbortSignal,
  clock: Clock,
): Promise<Ending> {
  if (signal.aborted) return { kind: 'thrown', error: signal.reason }
  const running = (async (): Promise<Ending> => {
    try {
      return { kind: 'result', value: await run() }
    } catch (error) {
      return { kind: 'thrown', error }
    }
  })()
  const { promise, resolve } = Promise.withResolvers<Ending>()
  const onAbort = () => setDeadline(clock, ABANDON_MS, () => resolve({ kind: 'abandoned' }))
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([running, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

function verdict(ending: Ending, signal: AbortSignal, resultBytes: number): TurnEnding {
  if (signal.aborted) return failure(toAgentryError(signal.reason, 'cancelled'))
  switch (ending.kind) {
    case 'result':
      try {
        return success(ending.value, resultBytes)
      } catch (error) {
        return failure(toAgentryError(error, 'turn_failed'))
      }
    case 'thrown':
      return failure(toAgentryError(ending.error, 'turn_failed'))
    case 'abandoned':
      return failure(new AgentryError('cancelled', 'the turn did not end after its signal was aborted'))
    default:
      return assertNever(ending)
  }
}

function failure(error: AgentryError): TurnEnding {
  const status = error.code === 'cancelled' || error.code === 'interrupted' ? error.code : 'failed'
  return { status, error: error.toJSON() }
}

function success(value: BehaviorResult, resultBytes: number): TurnEnding {
  const { result, exitCode } = typeof value === 'object' ? value : { result: value }
  return {
    status: 'completed',
    ...(result !== undefined && { result: checkedText(result, 'result of the turn', resultBytes) }),
    ...(exitCode !== undefined && { exitCode: checkedExitCode(exitCode, 'exitCode of the turn') }),
  }
}
