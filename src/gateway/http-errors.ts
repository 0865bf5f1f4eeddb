/** How errors look over HTTP: the one place where codes become statuses, and the one form they are sent in (RFC 9457). */
import { type AgentryError, assertNever, type ErrorCode } from '../errors.ts'

export type ErrorStatus =
  | 400
  | 401
  | 403
  | 404
  | 405
  | 409
  | 413
  | 415
  | 422
  | 429
  | 500
  | 502
  | 503
  | 504
  | 507

/** The body of every answer that is not a success. `type` is `urn:agentry:error:` and the code; `data` as in AgentryError. */
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  code: ErrorCode
  data?: Record<string, unknown>
}

export const PROBLEM_TYPE = 'application/problem+json'

/** The HTTP status of an error that ends a request (docs/http.md has the table). */
export function statusOf(code: ErrorCode): ErrorStatus {
  switch (code) {
    case 'invalid_input':
    case 'invalid_id':
    case 'invalid_config':
    case 'unknown_command':
      return 400
    case 'unauthorized':
      return 401
    case 'forbidden':
      return 403
    case 'agent_not_found':
    case 'session_not_found':
    case 'task_not_found':
    case 'approval_not_found':
    case 'no_current_session':
    case 'route_not_found':
      return 404
    case 'method_not_allowed':
      return 405
    // The state of what was addressed does not allow it; `data` says what that state is.
    case 'agent_exists':
    case 'agent_stopped':
    case 'session_ambiguous':
    case 'session_terminated':
    case 'session_damaged':
    case 'session_unreadable':
    case 'journal_missing':
    case 'journal_truncated':
    case 'snapshot_too_large':
    case 'unsupported_format':
    case 'task_conflict':
    case 'fenced':
    case 'claim_held':
    case 'seq_conflict':
    case 'edit_conflict':
    case 'directory_owned':
    case 'address_unusable':
    case 'cancelled':
    case 'interrupted':
    case 'poison_turn':
    case 'ask_refused':
      return 409
    case 'message_too_large':
    case 'body_too_large':
      return 413
    case 'unsupported_media_type':
      return 415
    // What was sent is well-formed, and cannot be run.
    case 'start_failed':
    case 'turn_failed':
    case 'working_dir_missing':
    case 'command_failed':
    case 'limit_reached':
    case 'tool_failed':
    case 'outcome_unknown':
    case 'path_refused':
    case 'insecure_bind':
      return 422
    case 'mailbox_full':
      return 429
    case 'model_failed':
      return 502
    case 'model_unavailable':
    case 'agent_failed':
    case 'agent_crashed':
    case 'agent_unresponsive':
    case 'start_timeout':
    case 'no_thread':
    case 'leftover_processes':
    case 'team_closed':
    case 'gateway_busy':
    case 'gateway_unreachable':
      return 503
    case 'turn_timeout':
      return 504
    case 'storage_full':
      return 507
    case 'storage_failed':
    case 'directory_invalid':
    case 'internal':
      return 500
    default:
      return assertNever(code)
  }
}

const TITLES: Record<ErrorStatus, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  422: 'Unprocessable Content',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
  507: 'Insufficient Storage',
}

/** After this many seconds the same request may succeed. */
const RETRY_AFTER_S = '1'

/** The answer to a request that failed. What an unexpected fault says stays in the log: it is nobody else's business. */
export function problemResponse(error: AgentryError, headers: Record<string, string> = {}): Response {
  const { code, data } = error
  const status = statusOf(code)
  const problem: Problem = {
    type: `urn:agentry:error:${code}`,
    title: TITLES[status],
    status,
    detail:
      code === 'internal' ? 'a fault of Agentry itself; the log of the gateway has more' : error.message,
    code,
    ...(data !== undefined && code !== 'internal' && { data }),
  }
  return new Response(JSON.stringify(problem), {
    status,
    headers: {
      'content-type': PROBLEM_TYPE,
      ...(status === 401 && { 'www-authenticate': 'Bearer realm="agentry"' }),
      ...((status === 429 || status === 503) && { 'retry-after': RETRY_AFTER_S }),
      ...headers,
    },
  })
}
