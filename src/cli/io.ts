/** Everything of the outside world that a command touches, so that a test can be the outside world. */
import type { AgentSpec } from '../agent-spec.ts'
import type { Team } from '../api.ts'
import type { Clock } from '../core/clock.ts'
import type { RunDashboard } from '../dashboard/options.ts'
import type { FsyncMode, TeamLimits } from '../options.ts'
import type { RetentionPolicy } from '../store/retention.ts'
import type { KeeperMessage } from './front-channel.ts'
import type { KeeperProcess } from './front-supervisor.ts'
import type { KeeperStart } from './keeper-process.ts'
import type { EndingSignal } from './signals.ts'

/** What the command line asks of createTeam. */
export interface OpenTeamOptions {
  data: string
  agents?: AgentSpec[]
  fsync?: FsyncMode
  limits?: TeamLimits
  /** False: what a crash left of an agent's work stays as it is when the agent is started. */
  resume: boolean
  /** `none`: agents are started when they are addressed, and only then. */
  start: 'all' | 'none'
  retention?: RetentionPolicy & { trashAgeMs: number }
}

export interface TextSink {
  write(text: string): unknown
  readonly isTTY?: boolean
}

export interface CliIo {
  readonly stdout: TextSink
  readonly stderr: TextSink
  /** The whole of the standard input, as text. */
  readStdin(): Promise<string>
  readonly env: Readonly<Record<string, string | undefined>>
  /** Absolute path that relative arguments resolve from. */
  readonly cwd: string
  readonly clock: Clock
  /** What a screen is drawn on, where both are terminals (terminal.ts). */
  readonly terminal: { readonly stdin: NodeJS.ReadStream; readonly stdout: NodeJS.WriteStream }
  readonly runDashboard: RunDashboard
  readonly startKeeper: (start: KeeperStart, hear: (message: KeeperMessage) => void) => KeeperProcess
  readonly createTeam: (options: OpenTeamOptions) => Promise<Team>
  /** Calls `listener` at every signal that asks the process to end, until the function that it returns is called. */
  onSignal(listener: (signal: EndingSignal) => void): () => void
  /** Ends the process immediately, whatever its threads do. */
  forceExit(): void
}

/** True where colours may be written to `sink`: a terminal, and not switched off (https://no-color.org). */
export function hasColor(io: CliIo, sink: TextSink): boolean {
  return sink.isTTY === true && (io.env['NO_COLOR'] ?? '') === '' && io.env['TERM'] !== 'dumb'
}
