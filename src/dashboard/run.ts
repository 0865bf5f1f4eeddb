/**
 * The dashboard as a whole: one terminal, one team.
 *
 * R1  the first frame is drawn before anything is connected.
 * R2  however it ends, the terminal is left as it was found before the promise settles (mount.ts, M1).
 * R3  `/quit` ends a supervisor that was started for this dashboard, and waits for it; one that it found goes on.
 */
import { systemClock } from '../core/clock.ts'
import { assertNever, toAgentryError } from '../errors.ts'
import { readHistory, rememberLine } from './history-file.ts'
import type { Command } from './model/commands.ts'
import type { Frame } from './model/frame.ts'
import type { Effect, Input } from './model/input.ts'
import { frameOf } from './model/screen.ts'
import { shared } from './model/shared.ts'
import type { DashboardState } from './model/state.ts'
import { initialState } from './model/update.ts'
import { Outbox } from './outbox.ts'
import type { DashboardEnd, DashboardOptions } from './options.ts'
import { runCommand, type TeamCommand } from './run-command.ts'
import { SessionFeed } from './session-feed.ts'
import { DashboardStore } from './store.ts'
import { TeamConnection } from './team-connection.ts'
import { type Mounted, mountDashboard } from './view/mount.ts'

const TICK_MS = 1_000

/** Resolves when the user has left. Rejects with a fault of the dashboard alone. */
export async function runDashboard(options: DashboardOptions): Promise<DashboardEnd> {
  const { stdin, stdout, place, front, historyFile, signal, defaultAgent } = options
  const end = Promise.withResolvers<DashboardEnd>()
  const onAbort = (): void => end.resolve({ how: 'signal' })
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort)
  const store = new DashboardStore(
    initialState({
      columns: stdout.columns,
      rows: stdout.rows,
      nowMs: systemClock.now(),
      place: { ...place },
      ...(defaultAgent !== undefined && { defaultAgent }),
    }),
    systemClock,
  )
  const dispatch = (input: Input): void =>
    store.dispatch(input.type === 'connected' ? { ...input, place: { ...place } } : input)
  if (historyFile !== undefined) dispatch({ type: 'history', lines: readHistory(historyFile) })

  const mounted = mountDashboard({
    stdin,
    stdout,
    env: options.env,
    getFrame: framesOf(store),
    subscribe: (listener) => store.subscribe(listener),
    onInput: dispatch,
    onResize: (columns, rows) => dispatch({ type: 'resize', columns, rows }),
  })
  const connection = new TeamConnection({ connect: options.connect, dispatch, clock: systemClock })
  const feed = new SessionFeed(connection, dispatch)
  const outbox = new Outbox({ connection, dispatch })
  carryOut({ options, store, mounted, connection, feed, outbox, dispatch, end })
  const forget = front?.onNotice(({ kind, text }) => dispatch({ type: 'notice', kind, text }))
  const ticking = setInterval(() => dispatch({ type: 'tick', nowMs: systemClock.now() }), TICK_MS)
  ticking.unref()
  try {
    // The terminal may end it too, by its own end.
    const how = await Promise.race([end.promise, mounted.done.then((): DashboardEnd => ({ how: 'signal' }))])
    mounted.unmount()
    await mounted.done
    return how
  } finally {
    clearInterval(ticking)
    mounted.unmount()
    signal?.removeEventListener('abort', onAbort)
    forget?.()
    feed.stop()
    outbox.close()
    await connection.close()
    store.close()
  }
}

/** The same frame for as long as it looks the same, and the same parts where those do: only what changed is drawn. */
function framesOf(store: DashboardStore): () => Frame {
  let last: { state: DashboardState; frame: Frame } | undefined
  return () => {
    const { state } = store
    if (last?.state !== state) last = { state, frame: shared(last?.frame, frameOf(state)) }
    return last.frame
  }
}

interface Parts {
  options: DashboardOptions
  store: DashboardStore
  mounted: Mounted
  connection: TeamConnection
  feed: SessionFeed
  outbox: Outbox
  dispatch: (input: Input) => void
  end: PromiseWithResolvers<DashboardEnd>
}

function carryOut({ options, store, mounted, connection, feed, outbox, dispatch, end }: Parts): void {
  const { front, historyFile } = options
  const forcing = new AbortController()

  const run = async (command: TeamCommand, agentId: string): Promise<void> => {
    try {
      dispatch({ type: 'done', command, ...(await runCommand(connection.team(), command, agentId)) })
    } catch (error) {
      dispatch({ type: 'failed', command, error: toAgentryError(error).toJSON() })
    }
  }
  const leave = async (how: 'quit' | 'detach'): Promise<void> => {
    try {
      if (how === 'detach') front?.release()
      else if (store.state.place.owned) await front?.stop(forcing.signal)
      end.resolve({ how })
    } catch (error) {
      end.reject(error) // Nothing but leaving is left to do: the screen does not stay.
    }
  }
  const failed = (error: unknown): void =>
    dispatch({ type: 'notice', kind: 'error', text: toAgentryError(error).message })

  const start = (effect: Effect): void | Promise<void> => {
    switch (effect.type) {
      case 'send':
        return outbox.send(effect.agentId, effect.text, effect.mode)
      case 'run':
        return isOfTeam(effect.command) ? run(effect.command, effect.agentId) : undefined
      case 'follow':
        return feed.follow(effect.sessionId, effect.after)
      case 'unfollow':
        return feed.stop()
      case 'read-earlier':
        return feed.readEarlier(effect.sessionId, effect.after, effect.before)
      case 'read-agent':
        return connection.readAgent(effect.agentId)
      case 'read-lists':
        return connection.readLists()
      case 'remember':
        return historyFile === undefined ? undefined : rememberLine(historyFile, effect.line)
      case 'leave':
        return leave(effect.how)
      case 'arm':
        systemClock.setTimer(effect.afterMs, () => dispatch({ type: 'armed', round: effect.round }))
        return undefined
      case 'force':
        return forcing.abort()
      case 'redraw':
        return mounted.redraw()
      default:
        return assertNever(effect)
    }
  }
  store.carryOutBy((effect) => {
    start(effect)?.catch(failed)
  })
}

/** The others are done on the screen, by the model. */
function isOfTeam(command: Command): command is TeamCommand {
  switch (command.type) {
    case 'sessions-list':
    case 'agents':
    case 'agent-choose':
    case 'steer':
    case 'approvals':
    case 'approve':
    case 'deny':
    case 'help':
    case 'quit':
    case 'detach':
      return false
    default:
      return true
  }
}
