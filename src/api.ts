/**
 * The public interface of a team: what a program, the gateway and the command line see. `createTeam` (team.ts) makes one.
 *
 * All methods throw AgentryError; the codes named here are those that a caller meets in ordinary use. Everything that resolves
 * is durable (promise 1), whatever happens next.
 */
import type { AgentSpec } from './agent-spec.ts'
import type { JsonObject } from './core/json.ts'
import type { LlmSpec, McpServerSpec } from './llm-spec.ts'
import type { ApprovalInfo } from './core/approvals.ts'
import type { RestartPolicy } from './core/restart-policy.ts'
import type { SessionRecord } from './core/record.ts'
import type {
  ApprovalDecision,
  SessionHeader,
  SessionState,
  SessionStatus,
  UsageTotal,
} from './core/session-state.ts'
import type { CreateSessionInput, ImportedSession, SessionPatch } from './protocol/commands.ts'
import type { Outcome, TurnEvent } from './protocol/from-agent.ts'
import type { WireError } from './errors.ts'
import type { RetentionPolicy } from './store/retention.ts'
import type { SessionNote } from './store/session-store.ts'

/** A spec as a caller gives it: only `id` and `behavior` are needed. Relative paths resolve from the process's directory. */
export interface AgentSpecInput extends LlmSpecInput {
  id: string
  /** `llm`, `shell`, `echo`, or the path of a behavior module. */
  behavior: string
  role?: string
  instructions?: string
  workingDir?: string
  restart?: Partial<RestartPolicy>
  limits?: Partial<AgentSpec['limits']>
}

/** For the behavior `llm`, which needs `model`; refused for any other. */
export interface LlmSpecInput extends Partial<Omit<LlmSpec, 'mcpServers'>> {
  mcpServers?: { [name: string]: McpServerInput }
}

/** An MCP server of which only what it needs has to be given. */
export type McpServerInput =
  | (Pick<Extract<McpServerSpec, { type: 'stdio' }>, 'type' | 'command'> &
      Partial<Extract<McpServerSpec, { type: 'stdio' }>>)
  | (Pick<Extract<McpServerSpec, { type: 'http' }>, 'type' | 'url'> &
      Partial<Extract<McpServerSpec, { type: 'http' }>>)

/**
 * starting: waits for its thread · idle, working: on a thread · waiting: its turn waits for a person's answer or for other agents, on a
 * thread or not · restarting: waits for its backoff · hibernated: no thread until
 * the next message; so is an agent whose unfinished turn this team has not taken up (`resume: false`), whatever that waits for · failed: crashed too often, needs start() · stopped: by stop(), or by its restart policy.
 */
export type AgentState =
  | 'starting'
  | 'idle'
  | 'working'
  | 'waiting'
  | 'restarting'
  | 'hibernated'
  | 'failed'
  | 'stopped'

export interface AgentInfo {
  id: string
  role: string
  behavior: string
  state: AgentState
  currentSessionId?: string
  /** Accepted messages that wait, the running one not counted. */
  queueDepth: number
  /** Restarts after crashes since the supervisor started. */
  restarts: number
  lastError?: WireError
  /** ISO 8601; of the last turn that started or finished here. */
  lastActivityAt?: string
  usage?: ResourceUsage
  /** Tokens and cost of all its sessions in all their time; those in the trash are not counted. */
  spent: UsageTotal
  spec: AgentSpec
}

export type { ApprovalInfo } from './core/approvals.ts'

export interface ResourceUsage {
  heapBytes: number
  externalBytes: number
  /** CPU time of the present stay, ms. */
  cpuMs: number
  /** 0 to 1, since the last reading. */
  loopUtilization: number
}

/** A session without its conversation, and without its finished turns: `team.task` knows those. */
export interface SessionInfo extends Omit<SessionHeader, 'tasks'> {
  /** True for its agent's current session. */
  current: boolean
  /** Bytes of journal and snapshot. */
  diskBytes: number
  /** Set where the session cannot be loaded: why. The rest is as its snapshot has it. */
  problem?: SessionNote
}

export interface SessionFilter {
  agentId?: string
  status?: SessionStatus
  /** Case-insensitive, in name and description. */
  search?: string
  /** Lists the trash instead. */
  trashed?: boolean
}

/** Everything that happens in a team. `epoch` and `seq` order events of one supervisor run; a new run starts a new epoch. */
export type TeamEvent = { epoch: number; seq: number; at: string } & TeamEventBody

export type TeamEventBody =
  | { type: 'agent-state'; agentId: string; state: AgentState; error?: WireError }
  | { type: 'agent-removed'; agentId: string }
  | { type: 'session'; session: SessionInfo; gone: boolean }
  | { type: 'turn'; agentId: string; sessionId: string; event: TurnEvent }
  | { type: 'log'; agentId: string; stream: 'stdout' | 'stderr'; text: string; droppedBytes: number }
  | { type: 'usage'; agentId: string; usage: ResourceUsage; queueDepth: number }
  | { type: 'note'; agentId?: string; note: SessionNote }
  /** Events before this one were dropped: this reader was too slow. Read the lists again. */
  | { type: 'reset' }

export interface SendOptions {
  /** Makes the message safe to repeat: the same taskId joins the running turn, or answers its recorded outcome. */
  taskId?: string
  from?: string
  metadata?: JsonObject
  /** Refuse with `session_not_found` unless this is the current session. */
  sessionId?: string
  /**
   * `steer`: the running turn takes the message in between two of its steps, and answers both; where none runs, or its behavior takes
   * nothing in, it is a turn of its own. Default `queue`: a turn of its own.
   */
  mode?: 'queue' | 'steer'
  /** Aborting stops the waiting, not the turn: see `cancel`. */
  signal?: AbortSignal
}

/** The handle of one agent. Stays valid over restarts and hibernation; every call wakes the agent if need be. */
export interface Agent {
  readonly id: string
  info(): AgentInfo
  /**
   * Sends a message and resolves with the outcome of its turn; a failed or cancelled turn is an outcome, not an error.
   * Throws `mailbox_full`, `message_too_large`, `task_conflict`, `agent_crashed`, `agent_failed`, `agent_stopped`, `no_thread`, …
   */
  send(input: string, options?: SendOptions): Promise<Outcome>
  /**
   * Like send, but yields what happens on the way; the last event is `turn-finished` with the outcome. It sends with the first
   * `next()`. Events above 4 MiB that the reader has not read yet are dropped, and the next text says so.
   */
  stream(input: string, options?: SendOptions): AsyncIterable<TurnEvent>
  /** Resolves as soon as the message is durable in the agent's queue: its turn will run, crash or not. */
  post(input: string, options?: SendOptions): Promise<Outcome>
  /** Cancels the running turn, or the one given. Resolves with false where there was none. */
  cancel(turnId?: string): Promise<boolean>

  /** Creates a session and makes it current; the one before is suspended. */
  createSession(input: CreateSessionInput): Promise<SessionInfo>
  /** Makes a session current; the one before is suspended. Throws `session_not_found`, `session_terminated`. */
  loadSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo>
  /** Like loadSession. */
  resumeSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo>
  /** Writes the snapshot of a session (default: the current one) now. */
  saveSession(sessionId?: string): Promise<SessionInfo>
  suspendSession(sessionId?: string, options?: CommandOptions): Promise<SessionInfo>
  terminateSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo>
  updateSession(sessionId: string, patch: SessionPatch): Promise<SessionInfo>
  forkSession(sessionId: string, name?: string): Promise<SessionInfo>
  importSession(session: ImportedSession): Promise<SessionInfo>
  /** Terminates and moves to the trash. */
  deleteSession(sessionId: string, options?: CommandOptions): Promise<SessionInfo>
  restoreSession(sessionId: string): Promise<SessionInfo>
  /** The current session, or undefined. Wakes nobody. */
  currentSession(): SessionInfo | undefined
  /** This agent's sessions, last accessed first. Wakes nobody. */
  sessions(filter?: Omit<SessionFilter, 'agentId'>): SessionInfo[]

  /** Stops the agent cleanly (running turn finished or, after `graceMs`, interrupted). It stays registered, stopped. */
  stop(options?: { graceMs?: number }): Promise<void>
  /** Starts a stopped or failed agent, with a clean restart history. */
  start(): Promise<void>
  /** stop and start. */
  restart(options?: { graceMs?: number }): Promise<void>
}

export interface CommandOptions {
  /** Cancel the running turn and the queue first, instead of waiting for them. */
  cancel?: boolean
}

export interface TeamHealth {
  status: 'ok' | 'degraded'
  agents: Record<AgentState, number>
  sessions: number
  diskBytes: number
  rssBytes: number
  /** What is wrong on disk, as found at start and since. */
  notes: SessionNote[]
}

export interface Team extends AsyncDisposable {
  /** Absolute path of the data directory. */
  readonly directory: string
  readonly epoch: number
  /** Registers and starts an agent. A known id with the same spec returns its agent; with another: `agent_exists`. */
  spawn(spec: AgentSpecInput): Promise<Agent>
  agent(id: string): Agent | undefined
  agents(): AgentInfo[]
  /** Stops an agent and takes it out of the registry. Its sessions stay. */
  removeAgent(id: string): Promise<void>
  /** The team's sessions, last accessed first. Wakes nobody. */
  sessions(filter?: SessionFilter): SessionInfo[]
  /** A session's header by id, from the catalog. */
  session(sessionId: string): SessionInfo | undefined
  /** A session by id, unique id prefix (4 characters or more) or name. Throws `session_not_found`, `session_ambiguous`. */
  findSession(reference: string, agentId?: string): SessionInfo
  /** The whole state of a session, the conversation included. */
  readSession(sessionId: string): Promise<SessionState>
  /** A session's records behind `afterSeq`, from disk. */
  records(sessionId: string, afterSeq?: number): AsyncIterable<SessionRecord>
  /** The outcome of a task: running, queued (`accepted`) or recorded. Undefined where no session knows it. */
  task(taskId: string): Promise<Outcome | undefined>
  /**
   * The questions that wait for a person, of all agents, oldest first: those of current sessions whose time is not over. Wakes nobody.
   */
  approvals(): ApprovalInfo[]
  /**
   * Answers an open question; the agent is woken where it gave its thread back. Resolves when the answer is durable, with the
   * question. Throws `approval_not_found`.
   */
  answerApproval(
    approvalId: string,
    answer: { decision: ApprovalDecision; /** For the model, with a no. */ reason?: string },
  ): Promise<ApprovalInfo>
  /** Sessions that the policy would trash (`dryRun`), or has trashed. */
  cleanup(policy: RetentionPolicy, options?: { dryRun?: boolean }): Promise<SessionInfo[]>
  /**
   * Events from the first `next()` on: from where a `for await` begins. A reader that falls more than 1,000 events behind gets
   * `reset` in place of what it missed.
   */
  events(options?: { signal?: AbortSignal }): AsyncIterable<TeamEvent>
  /** The seq of the last event, 0 before the first: a reader that begins now gets those behind it. */
  readonly lastEventSeq: number
  health(): TeamHealth
  /** Says in `owner.json` where this team is served, so that others on this machine find it. Durable when it returns. */
  announce(url: string): void
  /** Stops all agents cleanly, last started first, and frees the directory. Idempotent. */
  close(options?: { graceMs?: number }): Promise<void>
}
