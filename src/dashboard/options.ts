/** What the dashboard is started with, and what it leaves behind: the agreement between run.ts and whoever starts it. */
import type { RemoteTeam } from '../client/remote-team.ts'
import type { Place } from './model/state.ts'

export interface FrontNotice {
  readonly kind: 'info' | 'error'
  readonly text: string
}

/** The supervisor that whoever starts the dashboard has started for it. */
export interface FrontEvents {
  /** Calls `listener` with all that was said so far and is said from now on, until the function that it returns is called. */
  onNotice(listener: (notice: FrontNotice) => void): () => void
  /**
   * Ends the supervisor in good order: running turns get their grace, everything is saved. Resolves when that is done, or, when `signal`
   * aborts, at once: the supervisor then goes on ending by itself. Idempotent.
   */
  stop(signal: AbortSignal): Promise<void>
  /** Leaves it running when this process ends. Idempotent. */
  release(): void
}

export interface DashboardOptions {
  /**
   * The team, asked for at the start and after every loss: it may have moved. Waits while the supervisor is being started, until `signal`
   * aborts; rejects with `gateway_unreachable` while nobody serves the team.
   */
  connect: (signal: AbortSignal) => Promise<RemoteTeam>
  /** `owned` may turn false before the first connection, where somebody else was quicker to serve the directory: read it after. */
  place: Place
  /** Undefined where somebody else ends the supervisor: `/quit` and `/detach` then only leave. */
  front?: FrontEvents
  /** Where entered lines are kept. Without it they are forgotten at the end. */
  historyFile?: string
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  env: Readonly<Record<string, string | undefined>>
  /** Leaves at once when it aborts, without stopping or releasing anything: whoever aborted it does that. */
  signal?: AbortSignal
  defaultAgent?: string
}

export interface DashboardEnd {
  readonly how: 'quit' | 'detach' | 'signal'
}

/** Resolves when the user has left and the terminal is as it was before. Rejects with a fault of the dashboard alone. */
export type RunDashboard = (options: DashboardOptions) => Promise<DashboardEnd>
