import type { SessionState } from '../core/session-state.ts'
import { resultOf } from '../core/turn.ts'
import { AgentryError } from '../errors.ts'
import type { Outcome } from './from-agent.ts'

/**
 * The outcome of a finished turn, as recorded; of a message that another turn took in, under its own ids, with the result and usage of
 * that turn. Throws `task_not_found` where the session does not remember it. */
export function outcomeOf(state: SessionState, turnId: string): Outcome {
  const entry = state.tasks.findLast((task) => task.turnId === turnId)
  if (entry === undefined) {
    throw new AgentryError('task_not_found', `session ${state.id} does not remember turn ${turnId}`)
  }
  const { taskId, status, error, exitCode, into } = entry
  const { usage } = into === undefined ? entry : (state.tasks.findLast((task) => task.turnId === into) ?? {})
  return {
    status,
    result: resultOf(state, into ?? turnId),
    turnId,
    taskId,
    agentId: state.agentId,
    sessionId: state.id,
    ...(error && { error }),
    ...(exitCode !== undefined && { exitCode }),
    ...(usage && { usage }),
  }
}
