/** `agentry/dashboard`: the dashboard for programs, on a team of their own or on one that another process serves. */
import type { Team } from '../api.ts'
import { createClient } from '../client/client.ts'
import type { RemoteTeam } from '../client/remote-team.ts'
import { createId } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'
import { createApp } from '../gateway/app.ts'
import type { DashboardOptions, RunDashboard } from './options.ts'

export interface StartDashboardOptions {
  /** Default: those of the process. Both have to be terminals. */
  stdin?: NodeJS.ReadStream
  stdout?: NodeJS.WriteStream
  /** Where entered lines are kept. Default: they are forgotten at the end. */
  historyFile?: string
  /** The agent that is chosen first. Default: the first one. */
  defaultAgent?: string
  /** Ends the dashboard when it aborts. */
  signal?: AbortSignal
}

/**
 * Shows the team until the user quits. The team is used, not owned: it goes on after that, and closing it is the caller's. What the
 * caller writes to the terminal meanwhile spoils the screen.
 *
 * Throws `invalid_input` where there is no terminal.
 */
export async function startDashboard(
  team: Team | RemoteTeam,
  options: StartDashboardOptions = {},
): Promise<void> {
  const { runDashboard } = await import('./run.ts')
  await show(team, options, runDashboard)
}

/** With the dashboard given, so that a test needs no terminal's screen. */
export async function show(
  team: Team | RemoteTeam,
  { stdin = process.stdin, stdout = process.stdout, ...options }: StartDashboardOptions,
  runDashboard: RunDashboard,
): Promise<void> {
  if (!stdin.isTTY || !stdout.isTTY) {
    throw new AgentryError('invalid_input', 'expected a terminal to draw the dashboard on')
  }
  const ended = new AbortController()
  try {
    await runDashboard({
      ...options,
      connect: 'directory' in team ? inProcess(team, ended.signal) : async () => borrowed(team),
      place: { ...('directory' in team && { directory: team.directory }), owned: false },
      stdin,
      stdout,
      env: process.env,
    })
  } finally {
    ended.abort()
  }
}

/** A gateway without a port: nobody else can reach it. */
function inProcess(team: Team, closing: AbortSignal): DashboardOptions['connect'] {
  const token = createId()
  const app = createApp(team, { token: () => token, version: '', originsAt: () => [], closing })
  const fetch = (url: string, init: RequestInit): Response | Promise<Response> => app.request(url, init)
  return async () => createClient({ url: 'http://127.0.0.1', token, fetch })
}

/** The dashboard closes what it has connected to; this team is the caller's. */
function borrowed(team: RemoteTeam): RemoteTeam {
  return { ...team, close: async () => undefined }
}
