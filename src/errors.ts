/**
 * The one error class of Agentry, and every code it can carry.
 *
 * A code is a promise to callers (HTTP status, exit code and documentation hang on it); a message is for people and says
 * what was expected and what came. Errors cross threads and the network as `WireError` data, never as Error objects.
 */

/** Every code, with the meaning that `docs/errors.md` gives it. Adding one here is the only way to make one. */
export const ERROR_CODES = {
  invalid_input: 'A value from the caller has the wrong type, form or size.',
  invalid_id: 'An id does not have its form: a UUIDv7 (sessions, turns), an agent name, a taskId.',
  invalid_config: 'agentry.yaml or the options of createTeam do not fit their schema.',
  unknown_command: 'A command, or a command of the protocol, that does not exist.',
  agent_not_found: 'No agent of that id is registered in the team.',
  agent_exists: 'An agent of that id is registered with a different spec.',
  agent_stopped: 'The agent was stopped; start it to use it.',
  agent_failed:
    'The agent crashed more often than its restart policy allows; it has to be started again explicitly.',
  agent_crashed: 'The thread of the agent ended while the call was under way.',
  agent_unresponsive: 'The thread of the agent did not answer in time.',
  start_failed: 'The agent could not start: its behavior module threw, or did not load.',
  start_timeout: 'The agent did not report ready within its start deadline.',
  no_thread: 'All threads were busy until the deadline for waiting passed.',
  mailbox_full: 'The agent has as many unfinished messages, or bytes of them, as its mailbox takes.',
  message_too_large: 'A message is larger than the limit.',
  session_not_found: 'The agent has no session of that id or name.',
  session_ambiguous: 'A name or an id prefix fits several sessions.',
  session_terminated: 'The session is terminated: it can be read or forked, not continued.',
  session_damaged: 'The journal of the session is damaged; `agentry doctor` shows and repairs.',
  session_unreadable: 'A file of the session is not a regular, readable file.',
  journal_missing: 'The journal is gone while the snapshot is there; `agentry doctor` offers the snapshot.',
  journal_truncated: 'The journal is shorter than its snapshot says; `agentry doctor` offers the snapshot.',
  snapshot_too_large:
    'The session is too large for one JSON text: it has no new snapshot, and goes on in its journal.',
  unsupported_format: 'The file was written by a newer version of Agentry and is left untouched.',
  no_current_session: 'The agent has no current session.',
  task_conflict: 'The taskId belongs to another agent, or waits in a session that is not current.',
  task_not_found: 'No turn with that taskId is known.',
  model_unavailable: 'The model cannot be asked: its provider is not known, or a key is missing.',
  model_failed:
    'The model gave no complete answer: for good, or after the last of a bounded number of tries.',
  turn_failed: 'The behavior ended the turn with an error.',
  turn_timeout: 'The turn took longer than its limit.',
  limit_reached:
    'A limit on steps, tokens or cost was reached: the turn ended there, the session goes on with the next message.',
  approval_not_found: 'No question of that id is open: it was answered, ran out of time, or its turn ended.',
  ask_refused:
    'An agent may not ask that agent now: it is itself, waits for the asking one, or the chain of questions is too deep.',
  poison_turn: 'The turn took its thread down three times and is not tried again.',
  interrupted: 'The turn was cut off by a crash or a stop and is not continued.',
  cancelled: 'The turn was cancelled.',
  working_dir_missing: 'The working directory of the session does not exist.',
  command_failed: 'A command could not be run at all (not: it ran and exited non-zero).',
  tool_failed: 'A tool could not do what it was asked for; the message says why.',
  outcome_unknown:
    'A tool cannot tell whether it did what it was asked for: its call is recorded as `unknown`, and not repeated.',
  path_refused:
    'A file tool does not reach that path: it is outside of what the agent may touch, or no ordinary file.',
  edit_conflict: 'The file changed since it was read: nothing was written.',
  leftover_processes: 'Processes of a command, or of a turn that was cut off, were killed and still run.',
  storage_full: 'No room on the disk (or a quota, or a file size limit): writing goes on once there is room.',
  storage_failed: 'A read or write of the data directory failed.',
  fenced: 'The claim on the agent was lost: another owner may write its sessions.',
  claim_held: 'The agent is claimed by a living owner.',
  seq_conflict: 'The session has moved on since the caller read it.',
  directory_owned: 'Another supervisor owns the data directory.',
  directory_invalid: 'The data directory is not a directory, or cannot be written.',
  team_closed: 'The team is closed.',
  unauthorized: 'The request has no bearer token, or not that of this gateway.',
  forbidden: 'The Host or the Origin of the request is not one that this gateway is reached by.',
  route_not_found: 'The gateway has no such path.',
  method_not_allowed: 'The path does not take this method; `Allow` names those that it takes.',
  unsupported_media_type: 'The body of the request is neither JSON nor msgpack.',
  body_too_large: 'The body of the request is larger than the limit.',
  gateway_busy: 'The gateway reads as many bytes of requests as it can hold: send it again.',
  gateway_unreachable: 'The gateway of a running supervisor did not answer, or what answered is no gateway.',
  address_unusable: 'The gateway cannot listen at that address: it is taken, or not of this machine.',
  insecure_bind: 'An address beyond this machine needs a token that was set, and --insecure-http.',
  internal: 'A fault of Agentry itself.',
} as const

export type ErrorCode = keyof typeof ERROR_CODES

export function isErrorCode(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(ERROR_CODES, code)
}

/** An error as data. `data` is JSON: names and values the message is made of. */
export interface WireError {
  code: ErrorCode
  message: string
  data?: Record<string, unknown>
}

export interface AgentryErrorOptions {
  cause?: unknown
  data?: Record<string, unknown>
}

/** Thrown by every public call. `code` is one of ERROR_CODES; `data` holds the values behind the message. */
export class AgentryError extends Error {
  override readonly name = 'AgentryError'
  readonly code: ErrorCode
  readonly data: Record<string, unknown> | undefined

  constructor(code: ErrorCode, message: string, options: AgentryErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.data = options.data
  }

  toJSON(): WireError {
    return { code: this.code, message: this.message, ...(this.data && { data: this.data }) }
  }

  static from(wire: WireError): AgentryError {
    return new AgentryError(wire.code, wire.message, wire.data ? { data: wire.data } : {})
  }
}

/** True for an AgentryError, of `code` if one is given. */
export function isAgentryError(error: unknown, code?: ErrorCode): error is AgentryError {
  return error instanceof AgentryError && (code === undefined || error.code === code)
}

/** The text of anything that was thrown; never throws itself, whatever a getter or `toString` of the value does. */
export function describeThrown(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return thrown.message === '' ? thrown.name : thrown.message
    return typeof thrown === 'string' ? thrown : `a thrown ${typeof thrown}: ${String(thrown)}`
  } catch {
    return 'a thrown value that cannot be shown'
  }
}

/** Any thrown value as an AgentryError: one that is one already stays as it is, another becomes `code` with it as cause. */
export function toAgentryError(thrown: unknown, code: ErrorCode = 'internal'): AgentryError {
  if (thrown instanceof AgentryError) return thrown
  return new AgentryError(code, describeThrown(thrown), { cause: thrown })
}

/** For the `default` of an exhaustive switch: a compile error where a case is missing. */
export function assertNever(value: never): never {
  throw new AgentryError('internal', `unexpected value: ${JSON.stringify(value)}`)
}
