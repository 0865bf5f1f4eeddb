/** The log of a process that serves: one line of JSON each. */
import { type Logger, pino } from 'pino'
import type { TeamEvent } from '../api.ts'
import type { AnsweredRequest } from '../gateway/app.ts'
import type { TextSink } from './io.ts'
import type { LogLevel } from './serve-options.ts'

export type { Logger } from 'pino'

/**
 * Values under these names are replaced, at the top of a line and one level below. Nothing else is searched: what agents themselves log
 * and say in messages comes as it is.
 */
const SECRETS = ['token', 'authorization', 'password', 'apiKey'].flatMap((name) => [name, `*.${name}`])

export function createLog(sink: TextSink, level: LogLevel): Logger {
  return pino({ level, base: null, redact: SECRETS }, { write: (line) => void sink.write(line) })
}

/** What is worth a line of what happens in a team. */
export function logEvent(log: Logger, event: TeamEvent): void {
  if (event.type === 'note') log.warn({ agent: event.agentId, ...event.note }, event.note.message)
  if (event.type === 'agent-state') {
    const { agentId: agent, state, error } = event
    if (state === 'failed' || state === 'restarting')
      log.warn({ agent, state, error }, `agent ${agent} is ${state}`)
    else log.debug({ agent, state }, `agent ${agent} is ${state}`)
  }
}

export function logAnswer(log: Logger, { durationMs, ...request }: AnsweredRequest): void {
  const line = { ...request, durationMs: Math.round(durationMs * 10) / 10 }
  // That a gateway which stops takes no more work is no fault.
  if (request.status >= 500 && request.code !== 'team_closed') log.error(line, 'request failed')
  else log.debug(line, 'request')
}
