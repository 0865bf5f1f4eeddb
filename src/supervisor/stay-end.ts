import { AgentryError, assertNever, isErrorCode } from '../errors.ts'
import type { StayEnd } from './agent-host.ts'

/** How far a stay had come when it ended. */
export interface StayProgress {
  ready: boolean
  startTimedOut: boolean
}

/** The end of a thread as the error that its callers get. */
export function endError(agentId: string, end: StayEnd, progress: StayProgress): AgentryError {
  const { ready, startTimedOut } = progress
  if (startTimedOut) return new AgentryError('start_timeout', `agent ${agentId} ${describeEnd(end)}`)
  if (!ready && end.kind === 'error' && isErrorCode(end.code)) return new AgentryError(end.code, end.message)
  const code = ready ? 'agent_crashed' : 'start_failed'
  return new AgentryError(code, `the thread of agent ${agentId} ${describeEnd(end)}`, {
    ...(end.kind === 'exit' && { data: { exitCode: end.code } }),
  })
}

function describeEnd(end: StayEnd): string {
  switch (end.kind) {
    case 'stopped':
      return 'ended unexpectedly'
    case 'exit':
      return `exited with code ${end.code}`
    case 'terminated':
      return `was ended: it ${end.reason}`
    case 'error':
      return `failed: ${end.message}`
    default:
      return assertNever(end)
  }
}
