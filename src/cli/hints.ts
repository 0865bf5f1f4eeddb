/** What a person can do about an error, if the message itself does not say. Pure. */
import type { WireError } from '../errors.ts'

/** One sentence, or undefined where there is nothing to add. */
export function hintFor({ code, data }: WireError): string | undefined {
  switch (code) {
    case 'unknown_command':
      return '`agentry --help` lists the commands'
    case 'agent_not_found':
      return '`agentry agents list` shows the agents, `agentry agents spawn` adds one'
    case 'agent_exists':
      return '`agentry agents remove <id>` removes it and keeps its sessions; one of agentry.yaml is changed there'
    case 'agent_stopped':
    case 'agent_failed':
      return '`agentry agents restart <id>` starts it again'
    case 'session_not_found':
      return '`agentry sessions list` shows the sessions, and with `--trashed` those in the trash'
    case 'session_ambiguous':
      return 'give more of the id, or name the agent with --agent'
    case 'no_current_session':
      return '`agentry sessions load <session>` makes a session current'
    case 'session_terminated':
      return '`agentry sessions fork <session>` makes a new one that continues from it'
    case 'working_dir_missing':
      return 'make the directory, or go on in another session: `agentry sessions create <name>`'
    case 'session_damaged':
    case 'journal_missing':
    case 'journal_truncated':
      return '`agentry doctor` shows what is damaged, `agentry doctor --repair` repairs what can be repaired'
    case 'directory_owned':
      return `end ${ownerText(data?.['pid'])} first, or choose another directory with --data`
    case 'directory_invalid':
      return '--data names the data directory'
    case 'internal':
      return 'this is a fault of Agentry itself: with AGENTRY_DEBUG=1 the command shows where it happened'
    case 'mailbox_full':
      return 'wait until the agent has processed some messages'
    default:
      return undefined
  }
}

function ownerText(pid: unknown): string {
  return typeof pid === 'number' ? `process ${pid}` : 'the other process'
}
