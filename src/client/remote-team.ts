/**
 * A team in another process, as its gateway gives it: the interface of `Team` (api.ts), where everything is a promise. All calls throw
 * what the team throws, and `gateway_unreachable` where no gateway answers.
 *
 * `send` and the streams may take as long as they like. Every other call has the five minutes that Node's `fetch` gives to an answer;
 * one that waits longer (a command that changes the current session waits for its turn and queue) throws `gateway_unreachable`, and
 * what it asked for goes on.
 */
import type {
  Agent,
  AgentInfo,
  AgentSpecInput,
  ApprovalInfo,
  SessionFilter,
  SessionInfo,
  Team,
  TeamEvent,
  TeamHealth,
} from '../api.ts'
import type { SessionRecord } from '../core/record.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'

/** What is a promise already stays as it is. */
type Remotely<Method> = Method extends (...args: infer Args) => infer Result
  ? (
      ...args: Args
    ) => [Result] extends [PromiseLike<unknown> | AsyncIterable<unknown>] ? Result : Promise<Result>
  : Method

type RemoteOf<T, Name extends keyof T> = { [Key in Name]: Remotely<T[Key]> }

/** The handle of one agent. Nothing is kept here: every call asks. */
export type RemoteAgent = RemoteOf<Agent, Exclude<keyof Agent, 'stop' | 'start' | 'restart'>> & {
  /** The grace is that of the gateway. */
  stop(): Promise<void>
  start(): Promise<void>
  restart(): Promise<void>
}

export type WatchItem =
  | { type: 'record'; record: SessionRecord }
  /**
   * A piece of what the running turn writes: never repeated, the next record of that turn has all of it. `dropped`: text before or
   * within it was left out, because it came quicker than it is sent.
   */
  | { type: 'text'; text: string; dropped: boolean }
  /** The same of what the model thinks. */
  | { type: 'reasoning'; text: string; dropped: boolean }
  /** A model request failed and is made again: the pieces since the last record are void. */
  | Extract<TurnEvent, { type: 'retry' }>

export interface RemoteTeam extends RemoteOf<
  Team,
  'findSession' | 'readSession' | 'task' | 'answerApproval' | 'cleanup'
> {
  readonly url: string
  spawn(spec: AgentSpecInput): Promise<RemoteAgent>
  agent(id: string): Promise<RemoteAgent | undefined>
  agents(): Promise<AgentInfo[]>
  removeAgent(id: string): Promise<void>
  sessions(filter?: SessionFilter): Promise<SessionInfo[]>
  session(sessionId: string): Promise<SessionInfo | undefined>
  approvals(): Promise<ApprovalInfo[]>
  health(): Promise<TeamHealth>
  /**
   * What happens from now on, or behind the event `after` (`epoch:seq`). Ends with the gateway. "Now" is when `onOpen` is called:
   * what lists say that are read from then on is no older than the events.
   */
  events(options?: { after?: string; signal?: AbortSignal; onOpen?: () => void }): AsyncIterable<TeamEvent>
  /**
   * The records of a session behind `after`, then those that come, each once and in order; between them what its running turn and
   * its model write.
   * Ends with the gateway, or when the session goes to the trash: behind the last record that came it is asked for again.
   */
  watch(sessionId: string, options?: { after?: number; signal?: AbortSignal }): AsyncIterable<WatchItem>
  /** The records of `watch`, and nothing else. */
  follow(sessionId: string, options?: { after?: number; signal?: AbortSignal }): AsyncIterable<SessionRecord>
  /** Ends what is under way here. The team goes on: there is no grace to give. */
  close(options?: { graceMs?: number }): Promise<void>
}
