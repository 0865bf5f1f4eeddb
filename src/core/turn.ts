/**
 * The turn state machine: what may follow what, as pure functions from a state to the records to write next.
 *
 *   accepted ── turn.started ──► open ── turn.finished ──► completed | failed | cancelled | interrupted
 *      │                          │ ▲
 *      └─ turn.finished           └─┘ turn.started, attempt + 1: after a crash, where the behavior can go on
 *         (cancelled in the queue)
 */
import type { BodyOf, RecordBody } from './record.ts'
import type { Approval, OpenCall, OpenTurn, SessionState, TaskEntry } from './session-state.ts'

/** A turn that took its thread down this often is not tried again. */
export const MAX_ATTEMPTS = 3

/** Given as the result of a tool call that a crash cut off. */
export const OUTCOME_UNKNOWN =
  'outcome unknown: the process ended while this call was running; it may have had any effect and was not repeated'

/** Given as the result of a tool call that the behavior did not wait for. */
export const NOT_AWAITED =
  'outcome unknown: the turn ended while this call was running; it may have had any effect'

/** Given as the result of a tool call that a model asked for and that did not come to its turn. */
const NOT_RUN = 'not run: the turn ended before this call was started'

/**
 * The records with which a session is taken up after a crash, in order; empty where no turn was cut off.
 *
 * - A turn that only waited (onlyWaits) goes on as it is, and that is no attempt.
 * - A call with no recorded outcome ends `unknown`: it is never run again by itself.
 * - The turn goes on with one more attempt where the behavior can resume, else it ends `interrupted`.
 * - After MAX_ATTEMPTS attempts it ends `failed` with `poison_turn`.
 */
export function recoverTurn(state: SessionState, resumable: boolean): RecordBody[] {
  const turn = state.turn
  if (turn === null) return []
  const { turnId, attempt } = turn
  if (resumable && onlyWaits(turn, state.approvals)) return []
  if (attempt >= MAX_ATTEMPTS) {
    const message = `the turn was cut off by a crash ${attempt} times (at most ${MAX_ATTEMPTS}) and is not tried again`
    return closeTurn(turn, OUTCOME_UNKNOWN, { status: 'failed', error: { code: 'poison_turn', message } })
  }
  if (resumable) {
    // What was asked of another agent is asked again by the same taskId: that is never a second question.
    const calls = closeCalls(turn, OUTCOME_UNKNOWN, (call) => call.asked === undefined)
    return [...calls, { type: 'turn.started', turnId, attempt: attempt + 1 }]
  }
  const message = 'the turn was cut off by a crash; what it did until then is in the session'
  return closeTurn(turn, OUTCOME_UNKNOWN, { status: 'interrupted', error: { code: 'interrupted', message } })
}

/**
 * True where everything that the turn has begun waits for a person or another agent: it can be left as it is at any instant, and who
 * takes it up again takes nothing up that could have taken its thread down. A call that was answered and has not started waits too,
 * for its place in the order of the calls or, where the agent was stopped when the answer came, for its agent.
 */
export function onlyWaits({ calls }: OpenTurn, approvals: readonly Approval[]): boolean {
  const waits = ({ asked, state, answer, toolCallId }: OpenCall) =>
    asked !== undefined ||
    (state === 'announced' && (answer ?? approvals.find((approval) => approval.toolCallId === toolCallId)))
  const open = calls.filter((call) => call.state === 'running' || call.state === 'announced')
  return open.some(waits) && open.every((call) => call.state === 'announced' || waits(call))
}

export type TurnEnding = Omit<BodyOf<'turn.finished'>, 'type' | 'turnId'>

/**
 * The records that end an open turn, in order: calls that still run end `unknown`, with `content` as their result; those that never
 * started are said to be not run.
 */
export function closeTurn(turn: OpenTurn, content: string, ending: TurnEnding): RecordBody[] {
  const { turnId } = turn
  const announced = turn.calls.filter(({ state }) => state === 'announced')
  return [
    ...closeCalls(turn, content, () => true),
    ...announced.map(({ toolCallId }): RecordBody => ({
      type: 'tool.finished',
      turnId,
      toolCallId,
      outcome: 'error',
      content: NOT_RUN,
    })),
    { type: 'turn.finished', turnId, ...ending },
  ]
}

function closeCalls(
  { turnId, calls }: OpenTurn,
  content: string,
  closes: (call: OpenCall) => boolean,
): RecordBody[] {
  return calls
    .filter((call) => call.state === 'running' && closes(call))
    .map(({ toolCallId }) => ({ type: 'tool.finished', turnId, toolCallId, outcome: 'unknown', content }))
}

export type KnownTask =
  | { state: 'finished'; turnId: string; entry: TaskEntry }
  | { state: 'running' | 'queued'; turnId: string }

/** What the session knows of a taskId (or turnId): the newest finished turn, the open one, or a queued message. */
export function findTask(
  state: Pick<SessionState, 'turn' | 'queue' | 'tasks'>,
  taskId: string,
): KnownTask | undefined {
  const fits = (item: { taskId: string; turnId: string }) => item.taskId === taskId || item.turnId === taskId
  if (state.turn && fits(state.turn)) return { state: 'running', turnId: state.turn.turnId }
  const steered = state.turn?.steered.find(fits)
  if (steered) return { state: 'running', turnId: steered.turnId }
  const queued = state.queue.find(fits)
  if (queued) return { state: 'queued', turnId: queued.turnId }
  const entry = state.tasks.findLast(fits)
  return entry && { state: 'finished', turnId: entry.turnId, entry }
}

/** The result of a finished turn: its last memory entry that a behavior or tool made; empty where there is none. */
export function resultOf(state: SessionState, turnId: string): string {
  const entry = state.memory.findLast((entry) => entry.turnId === turnId)
  return entry === undefined || entry.role === 'user' ? '' : entry.content
}
