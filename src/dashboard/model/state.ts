/**
 * Everything the dashboard knows, as one immutable value: `update` (update.ts) makes the next one of it, selectors make lines of it.
 * Nothing here knows of a terminal, a clock or a network.
 */
import type { AgentInfo, ApprovalInfo, SessionInfo, TeamHealth } from '../../api.ts'
import type { Activity } from './activity.ts'
import type { Command } from './commands.ts'
import type { Candidate } from './complete.ts'
import type { Conversation } from './conversation.ts'
import type { LineEditor } from './line-editor.ts'
import type { LineHistory } from './line-history.ts'

/** Where keys go. */
export type Focus = 'input' | 'agents' | 'sessions' | 'conversation'

export type Connection =
  /** The supervisor is being started, or the first answer is awaited. */
  | { readonly phase: 'connecting' }
  | { readonly phase: 'connected'; readonly url: string }
  /** It was there and is gone: tried again until it is back. */
  | { readonly phase: 'lost'; readonly sinceMs: number; readonly attempt: number; readonly reason: string }
  /** Leaving: `/quit` waits for the supervisor to save and end. */
  | { readonly phase: 'leaving'; readonly how: 'quit' | 'detach' }

/** Where the team is, as the status line says it. */
export interface Place {
  /** The data directory, or undefined for a gateway that is known by its url alone. */
  readonly directory?: string
  /** True where this dashboard started the supervisor: `/quit` ends it then. */
  readonly owned: boolean
}

/** What one agent uses of the processor, from two readings. */
export interface CpuReading {
  /** CPU time of its stay, ms, and when that was read, ms since 1970. */
  readonly cpuMs: number
  readonly atMs: number
  /** Between the last two readings: 1 is one core. Undefined until there are two of one stay. */
  readonly share?: number
}

/** How an agent's last turn ended that the user has not looked at yet. */
export type Unseen = 'completed' | 'failed'

export interface Notice {
  readonly kind: 'info' | 'error'
  /** One line or a few; free of control sequences. */
  readonly text: string
  readonly atMs: number
}

/** What is drawn over the panes and takes all keys. */
export type Overlay =
  | { readonly kind: 'help'; readonly scroll: number }
  /** Commands (palette) or sessions (picker), filtered by what is typed. */
  | { readonly kind: 'palette' | 'picker'; readonly query: LineEditor; readonly index: number }
  /** The open questions; the one that is chosen by id, the oldest where that is gone. `scroll`: rows of its text above the box. */
  | { readonly kind: 'approvals'; readonly approvalId: string; readonly scroll: number }
  /** Answered by one key: y runs the command, every other one does not. */
  | {
      readonly kind: 'confirm'
      readonly question: string
      readonly command: Command
      readonly agentId?: string
    }

export interface DashboardState {
  readonly size: { readonly columns: number; readonly rows: number }
  /** Wall clock of the last tick, ms since 1970: ages are counted from it. */
  readonly nowMs: number
  readonly connection: Connection
  readonly place: Place
  /** In the order of the team. */
  readonly agents: readonly AgentInfo[]
  /** By id. */
  readonly sessions: ReadonlyMap<string, SessionInfo>
  readonly health?: TeamHealth
  /** By agent. */
  readonly activity: ReadonlyMap<string, Activity>
  readonly cpu: ReadonlyMap<string, CpuReading>
  readonly unseen: ReadonlyMap<string, Unseen>

  readonly focus: Focus
  /** The agent that messages and commands go to. */
  readonly agentId?: string
  /** Whose sessions the table lists. */
  readonly scope: 'agent' | 'team'
  /** The first row of the table that is shown. */
  readonly sessionsTop: number
  /** The row of the table that is chosen. */
  readonly sessionId?: string
  /** What fills the main area where there is room for one pane only. */
  readonly main: 'conversation' | 'sessions'
  /** Typed to narrow a list. Set while there is one; `typing` while keys go to it. */
  readonly filter?: { readonly pane: 'agents' | 'sessions'; readonly text: string; readonly typing: boolean }

  /** The session that is shown, its history as far as it was read. */
  readonly conversation?: Conversation
  /** True where the user has opened it: else what is shown is the current session of the chosen agent, whichever that is. */
  readonly pinned: boolean
  readonly input: LineEditor
  readonly history: LineHistory
  /** What Tab found to choose from; gone with the next key. */
  readonly candidates?: readonly Candidate[]
  /** Shown above the input line until NOTICE_MS after it came, or the next one. */
  readonly notice?: Notice
  /** True in a team without sessions, until the first message: a first run explains itself. */
  readonly welcome: boolean
  /** Messages on their way to the team, oldest first: the conversation does not have them yet. */
  readonly sending: readonly { readonly agentId: string; readonly text: string; readonly mode?: 'steer' }[]
  /** The question that answer keys are for now, and whether it takes them yet (questions.ts, Q1). */
  readonly question?: { readonly approvalId: string; readonly armed: boolean }
  /** How many questions have come to the keys so far. */
  readonly questionRound: number
  /** The oldest one when the input line was empty last: what a command that names none was typed for. */
  readonly lineQuestion?: string
  /** Questions whose answer is on its way. */
  readonly answering: ReadonlySet<string>
  /** The input line takes the reason for a no to this question; `draft` is what it had before. */
  readonly denying?: { readonly approval: ApprovalInfo; readonly draft: LineEditor }
  readonly overlay?: Overlay
  /** When Ctrl-C was pressed on an empty line: a second one soon after quits. */
  readonly interruptedMs?: number
}
