/** What the command line exits with: the one place where error codes and outcomes become numbers (docs/cli.md has the table). */
import { assertNever, type ErrorCode } from '../errors.ts'
import type { Outcome } from '../protocol/from-agent.ts'

export const EXIT = {
  ok: 0,
  /** A failed turn, and every error that has no number of its own. */
  failure: 1,
  /** The command line, the configuration or a value is wrong. */
  usage: 2,
  notFound: 3,
  /** Conflicts with the current state: taken, owned, ambiguous, terminated. */
  conflict: 4,
  /** Not now: full, busy, too slow, not finished. The same command can succeed later. */
  unavailable: 5,
  /** The data directory or a session in it is damaged or unusable. */
  storage: 6,
  /** The turn was cut off by a crash or a stop, or the command by SIGTERM or SIGHUP. */
  interrupted: 7,
  /** The turn or the command was cancelled: 128 + SIGINT, as a shell has it. */
  cancelled: 130,
} as const

export type ExitCode = number

/** The exit code of an error that ends a command. */
export function exitCodeOf(code: ErrorCode): ExitCode {
  switch (code) {
    case 'invalid_input':
    case 'invalid_id':
    case 'invalid_config':
    case 'unknown_command':
    case 'message_too_large':
    case 'body_too_large':
    case 'unsupported_media_type':
    case 'method_not_allowed':
    case 'insecure_bind':
      return EXIT.usage
    case 'agent_not_found':
    case 'session_not_found':
    case 'task_not_found':
    case 'approval_not_found':
    case 'no_current_session':
    case 'route_not_found':
      return EXIT.notFound
    case 'agent_exists':
    case 'agent_stopped':
    case 'session_ambiguous':
    case 'session_terminated':
    case 'task_conflict':
    case 'fenced':
    case 'claim_held':
    case 'seq_conflict':
    case 'directory_owned':
    case 'address_unusable':
    case 'unauthorized':
    case 'forbidden':
      return EXIT.conflict
    case 'model_unavailable':
    case 'agent_failed':
    case 'agent_crashed':
    case 'agent_unresponsive':
    case 'start_timeout':
    case 'no_thread':
    case 'mailbox_full':
    case 'leftover_processes':
    case 'storage_full':
    case 'team_closed':
    case 'gateway_busy':
    case 'gateway_unreachable':
      return EXIT.unavailable
    case 'session_damaged':
    case 'session_unreadable':
    case 'journal_missing':
    case 'journal_truncated':
    case 'snapshot_too_large':
    case 'unsupported_format':
    case 'storage_failed':
    case 'directory_invalid':
      return EXIT.storage
    case 'interrupted':
      return EXIT.interrupted
    case 'cancelled':
      return EXIT.cancelled
    case 'start_failed':
    case 'turn_failed':
    case 'model_failed':
    case 'turn_timeout':
    case 'poison_turn':
    case 'limit_reached':
    case 'ask_refused':
    case 'working_dir_missing':
    case 'command_failed':
    case 'tool_failed':
    case 'outcome_unknown':
    case 'path_refused':
    case 'edit_conflict':
    case 'internal':
      return EXIT.failure
    default:
      return assertNever(code)
  }
}

/** The exit code of a turn: a completed one has that of its command, 0 where it ran none. One that is not finished is no success. */
export function exitCodeOfOutcome(outcome: Outcome): ExitCode {
  switch (outcome.status) {
    case 'completed':
      return outcome.exitCode ?? EXIT.ok
    case 'accepted':
    case 'running':
      return EXIT.unavailable
    case 'failed':
      return EXIT.failure
    case 'cancelled':
      return EXIT.cancelled
    case 'interrupted':
      return EXIT.interrupted
    default:
      return assertNever(outcome.status)
  }
}
