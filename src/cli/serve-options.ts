/** What the help says of `agentry serve`, and what other commands know of it. */

/** Sets the token of a gateway, and of the commands that talk to it, in place of the file. */
export const TOKEN_VARIABLE = 'AGENTRY_TOKEN'

/** Set by `--keep` for the server that it starts: the port of the one before, or 0. */
export const KEPT_VARIABLE = 'AGENTRY_KEPT'

/** Set by a dashboard for the keeper that it starts. */
export const FRONT_VARIABLE = 'AGENTRY_FRONT'

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

export interface ServeCommandOptions {
  host?: string
  port?: number
  allowHost?: string[]
  insecureHttp?: boolean
  /** Start it again when it dies. */
  keep?: boolean
  /** Seconds that running turns have when the process is asked to end. */
  grace?: number
  logLevel: LogLevel
  /** In place of stderr. */
  logFile?: string
}
