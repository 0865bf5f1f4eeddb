/** Everything that can happen to the dashboard, and everything it can want done. */
import type { AgentInfo, SessionInfo, TeamEvent, TeamHealth } from '../../api.ts'
import type { SessionRecord } from '../../core/record.ts'
import type { WireError } from '../../errors.ts'
import type { TurnEvent } from '../../protocol/from-agent.ts'
import type { Command } from './commands.ts'
import type { Place } from './state.ts'

export type Input =
  /**
   * One key: a name (`enter`, `esc`, `tab`, `shift+tab`, `up`, `down`, `left`, `right`, `home`, `end`, `pageup`, `pagedown`,
   * `backspace`, `delete`, `space`), with `ctrl+` or `alt+` before it, or the character that it types (`j`, `G`, `?`).
   */
  | { readonly type: 'key'; readonly key: string }
  /** Pasted: never a key. */
  | { readonly type: 'paste'; readonly text: string }
  | { readonly type: 'resize'; readonly columns: number; readonly rows: number }
  /** Once a second. */
  | { readonly type: 'tick'; readonly nowMs: number }
  | { readonly type: 'history'; readonly lines: readonly string[] }
  /** `place`: where it turned out otherwise than at the start. */
  | { readonly type: 'connected'; readonly url: string; readonly place?: Place }
  | { readonly type: 'connection-lost'; readonly reason: string; readonly attempt: number }
  /** The lists as read after connecting, and after a `reset`. */
  | {
      readonly type: 'lists'
      readonly agents: readonly AgentInfo[]
      readonly sessions: readonly SessionInfo[]
      readonly health: TeamHealth
    }
  /** One agent as read again: an event named one that was not known. */
  | { readonly type: 'agent'; readonly agent: AgentInfo }
  | { readonly type: 'event'; readonly event: TeamEvent }
  /** Records of the session that is shown, in order: new ones, or `earlier` ones than all that are known. */
  | {
      readonly type: 'records'
      readonly sessionId: string
      readonly records: readonly SessionRecord[]
      readonly earlier: boolean
    }
  /** Text of its running turn: transient, never repeated. */
  | {
      readonly type: 'turn-text'
      readonly sessionId: string
      readonly text: string
      readonly dropped: boolean
    }
  /** The same of what its model thinks. */
  | {
      readonly type: 'turn-thought'
      readonly sessionId: string
      readonly text: string
      readonly dropped: boolean
    }
  /** Its model is asked again: text and thoughts since the last record are void. */
  | {
      readonly type: 'turn-retry'
      readonly sessionId: string
      readonly retry: Extract<TurnEvent, { type: 'retry' }>
    }
  /** What the front has to say: the supervisor was started again, a log is written there. */
  | { readonly type: 'notice'; readonly kind: 'info' | 'error'; readonly text: string }
  /** A message was accepted; from now on its session has it. */
  | {
      readonly type: 'sent'
      readonly agentId: string
      readonly sessionId: string
      readonly text: string
      readonly mode?: 'steer'
    }
  /** It was not accepted: the text goes back to the input line. */
  | {
      readonly type: 'not-sent'
      readonly agentId: string
      readonly text: string
      readonly mode?: 'steer'
      readonly error: WireError
    }
  /** A command was done; `text` says what came of it. `session`, `agent`: what it is about, as it is now. */
  | {
      readonly type: 'done'
      readonly command: Command
      readonly text: string
      readonly session?: SessionInfo
      readonly agent?: AgentInfo
    }
  | { readonly type: 'failed'; readonly command: Command; readonly error: WireError }
  /** The time of an effect `arm` is over. */
  | { readonly type: 'armed'; readonly round: number }

export type Effect =
  | { readonly type: 'send'; readonly agentId: string; readonly text: string; readonly mode?: 'steer' }
  /** Dispatch `armed` with the same round after that time. */
  | { readonly type: 'arm'; readonly round: number; readonly afterMs: number }
  | { readonly type: 'run'; readonly agentId: string; readonly command: Command }
  /** Read a session's records behind `after` and follow it; ends the following of the one before. */
  | { readonly type: 'follow'; readonly sessionId: string; readonly after: number }
  | { readonly type: 'unfollow' }
  /** Read the records `after` < seq < `before`. */
  | {
      readonly type: 'read-earlier'
      readonly sessionId: string
      readonly after: number
      readonly before: number
    }
  | { readonly type: 'read-agent'; readonly agentId: string }
  | { readonly type: 'read-lists' }
  /** Append a line to the history file. */
  | { readonly type: 'remember'; readonly line: string }
  | { readonly type: 'leave'; readonly how: 'quit' | 'detach' }
  /** A signal, or a second Ctrl-C while leaving: do not wait any longer. */
  | { readonly type: 'force' }
  | { readonly type: 'redraw' }

export interface Step<State> {
  readonly state: State
  readonly effects: readonly Effect[]
}
