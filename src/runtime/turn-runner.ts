/**
 * Runs the behavior for the open turn of a session and records how it ended. It records; the caller flushes and announces.
 *
 * TR1 Whatever the behavior does (throws, never ends, forgets a tool call), exactly one turn.finished is recorded.
 * TR2 Cancel, time limit and stop reach the behavior as the abort of its signal; one that does not end within ABANDON_MS after
 *     that is abandoned: its turn ends, and its thread has to end too, for its code may still run.
 * TR3 A turn that is left open records nothing: it goes on in another stay.
 * TR4 The time limit stands still while the turn only waits.
 * TR5 When it is over its signal is aborted, so that nothing of it waits or asks on.
 */
import type { Behavior, BehaviorResult } from '../behavior.ts'
import type { Clock, Timer } from '../core/clock.ts'
import { setDeadline } from '../core/deadline.ts'
import { closeTurn, NOT_AWAITED, type TurnEnding } from '../core/turn.ts'
import { AgentryError, assertNever, toAgentryError } from '../errors.ts'
import type { Outcome, TurnEvent } from '../protocol/from-agent.ts'
import { outcomeOf } from '../protocol/outcome.ts'
import { createContext } from './behavior-context.ts'
import { checkedExitCode, checkedText } from './recordable.ts'
import type { Session } from './session.ts'
import type { Questions } from './questions.ts'
import { redactWireError } from './secrets/redact-error.ts'
import type { Redactor } from './secrets/redactor.ts'
import type { TeamLine } from './team-line.ts'
import { TextMerger } from './text-merger.ts'
import { TurnActivity } from './turn-activity.ts'
import { TurnClock } from './turn-clock.ts'

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
  /** Whether the turn was aborted only to go on elsewhere (TR3). */
  isLeftOpen: () => boolean
  questions: Questions
  team: TeamLine
  redactor: Redactor
  sendEvent: (event: TurnEvent) => void
  onWaiting: (waiting: boolean) => void
  onSteered: (messageTurnId: string) => void
}

type Ending =
  | { kind: 'result'; value: BehaviorResult }
  | { kind: 'thrown'; error: unknown }
  | { kind: 'abandoned' }

export interface TurnEnd {
  abandoned: boolean
  /**
   * Of the turn and of the messages that it took in, not durable yet. None where the session is broken (the next flush throws then),
   * or the turn was left open.
   */
  outcomes: Outcome[]
  /** To send when that is durable, before the outcomes. */
  untold: TurnEvent[]
}

/** Resolves when the end of the open turn is recorded (not flushed). */
export async function runTurn(options: TurnOptions): Promise<TurnEnd> {
  const { session, behavior, clock, turnMs, resultBytes, abort, questions, team, redactor, sendEvent } =
    options
  const turn = session.state.turn
  if (turn === null) throw new AgentryError('internal', 'expected an open turn')
  const { turnId, input } = turn
  const text = new TextMerger(clock, (piece) => sendEvent({ type: 'text', ...piece }), redactor.stream())
  const reasoning = new TextMerger(
    clock,
    (piece) => sendEvent({ type: 'reasoning', ...piece }),
    redactor.stream(),
  )
  const limit = new TurnClock(clock, turnMs, () => {
    abort.abort(new AgentryError('turn_timeout', `the turn took longer than its limit of ${turnMs} ms`))
  })
  const activity = new TurnActivity(session.state, (waiting) => {
    if (waiting) limit.pause()
    else limit.run()
    options.onWaiting(waiting)
  })
  const untold: TurnEvent[] = []
  const context = createContext({
    session,
    signal: abort.signal,
    text,
    reasoning,
    resultBytes,
    activity,
    questions,
    team,
    redactor,
    sendEvent,
    untold,
    onSteered: options.onSteered,
  })
  const ending = await endOf(() => behavior.run(input, context), abort.signal, clock)
  activity.close()
  limit.pause()
  text.flush()
  reasoning.flush()
  const abandoned = ending.kind === 'abandoned'
  const { steered } = turn
  const end = withoutSecrets(verdict(ending, abort.signal, resultBytes), redactor)
  abort.abort(new AgentryError('cancelled', 'the turn is over')) // TR5; one that was aborted keeps its reason
  if (session.broken || options.isLeftOpen()) return { abandoned, outcomes: [], untold: [] }
  for (const record of closeTurn(turn, NOT_AWAITED, end)) {
    session.record(record)
  }
  return { abandoned, outcomes: outcomesOf(session.state, turnId, steered), untold }
}

/** Of a turn that has just ended, and of the messages that it took in. */
export function outcomesOf(
  state: Session['state'],
  turnId: string,
  steered: readonly { turnId: string }[],
): Outcome[] {
  return [turnId, ...steered.map((message) => message.turnId)].map((id) => outcomeOf(state, id))
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
  let abandoning: Timer | undefined
  const onAbort = () => {
    abandoning = setDeadline(clock, ABANDON_MS, () => resolve({ kind: 'abandoned' }))
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([running, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
    abandoning?.cancel()
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

function withoutSecrets(ending: TurnEnding, redactor: Redactor): TurnEnding {
  const { result, error } = ending
  return {
    ...ending,
    ...(result !== undefined && { result: redactor.redact(result) }),
    ...(error && { error: redactWireError(error, redactor) }),
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
