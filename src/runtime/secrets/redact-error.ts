/** Takes secrets out of errors on their way out of a stay. Pure. */
import type { Json } from '../../core/json.ts'
import type { WireError } from '../../errors.ts'
import type { ThreadError } from '../../protocol/thread-task.ts'
import type { Redactor } from './redactor.ts'

/** `data` comes out as JSON holds it; one that JSON cannot hold (a cycle, a BigInt) is left out: nothing of it could be recorded. */
export function redactWireError({ code, message, data }: WireError, redactor: Redactor): WireError {
  const kept = data && redactedData(data, redactor)
  return { code, message: redactor.redact(message), ...(kept && { data: kept }) }
}

/** What ended a stay: whatever a module threw. */
export function redactThreadError(
  { message, stack, code }: ThreadError,
  { redact }: Pick<Redactor, 'redact'>,
): ThreadError {
  return {
    message: redact(message),
    ...(stack !== undefined && { stack: redact(stack) }),
    ...(code !== undefined && { code: redact(code) }),
  }
}

function redactedData(
  data: Record<string, unknown>,
  { redactJson }: Redactor,
): Record<string, Json> | undefined {
  try {
    const value = redactJson(jsonOf(data))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function jsonOf(value: Record<string, unknown>): Json {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what JSON.parse gives is JSON
  return JSON.parse(JSON.stringify(value)) as Json
}
