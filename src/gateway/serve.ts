/**
 * The gateway at a port.
 *
 * L1  it never listens where assertBindable refuses.
 * L2  after drain() no work is taken and streams of events end; what was taken before is still answered.
 * L3  close() comes to an end: connections that are not done by its deadline are cut.
 * L4  a serveTeam that fails leaves nothing behind: no port, and nobody who follows the team's events.
 */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { Socket } from 'node:net'
import { once } from 'node:events'
import { getRequestListener } from '@hono/node-server'
import type { Team } from '../api.ts'
import { systemClock } from '../core/clock.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import { assertBindable, ownOrigins, urlOf } from './address.ts'
import { type AppOptions, createApp } from './app.ts'
import type { GatewayEnv } from './context.ts'
import { DEFAULT_HOST, DEFAULT_PORT } from './defaults.ts'
import { OpenConnections } from './open-connections.ts'

export interface ServeOptions extends Omit<AppOptions, 'originsAt' | 'closing'> {
  /** Default: 127.0.0.1. */
  host?: string
  /** 0: any free one. Default: 7420, and where that is taken any free one. */
  port?: number
  /** Tried first where `port` is 0 or left out: where clients knew the gateway. */
  formerPort?: number
  /** Names beside its address by which the gateway is reached, such as that of a proxy before it: `name`, or `name:port`. */
  names?: readonly string[]
  /** The token was set by who runs the gateway. Needed beyond this machine. Default: false. */
  tokenIsSet?: boolean
  /** Plain HTTP beyond this machine. Default: false. */
  insecureHttp?: boolean
  /**
   * The process is there for the gateway: `Request` and `Response` become, for all of it, those of @hono/node-server, which answer
   * about a tenth quicker. Default: false.
   */
  ownProcess?: boolean
  /** Where more are open, those go first on which nothing is being answered. Default: 2,000. */
  maxConnections?: number
}

export interface Gateway {
  readonly url: string
  /** L2. Idempotent. */
  drain(): void
  /** Drains, waits at most `graceMs` for what is being answered, and frees the port. Idempotent. */
  close(options?: { graceMs?: number }): Promise<void>
}

const DEFAULT_GRACE_MS = 1_000
const SWEEP_MS = 20

/** A request must be here in this time; a client that dribbles holds a socket, and nothing else. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
} as const
const MAX_CONNECTIONS = 2_000

/** Throws `insecure_bind`, `address_unusable`. */
export async function serveTeam(team: Team, options: ServeOptions): Promise<Gateway> {
  const {
    host = DEFAULT_HOST,
    names,
    tokenIsSet = false,
    insecureHttp = false,
    ownProcess = false,
    maxConnections = MAX_CONNECTIONS,
    ...rest
  } = options
  assertBindable({ host, tokenIsSet, insecureHttp })
  const closing = new AbortController()
  const originsAt = ownOrigins(host, names)
  let port: number | undefined
  const app = createApp(team, {
    ...rest,
    closing: closing.signal,
    originsAt: (header) => (port === undefined ? undefined : originsAt(header, port)),
  })
  const connections = new OpenConnections<Socket>(maxConnections)
  const onAdmitted: GatewayEnv['Bindings']['onAdmitted'] = ({ incoming, outgoing }) => {
    if (incoming && outgoing) connections.answers(incoming.socket, outgoing)
  }
  const listener = getRequestListener(
    (request, bindings) => app.fetch(request, Object.assign(bindings, { onAdmitted })),
    { overrideGlobalObjects: ownProcess },
  )
  const answer: RequestListener = (request, response) => void listener(request, response)
  const server = createServer(LIMITS, answer)
  server.on('connection', (socket) => connections.add(socket))
  // Without a listener Node invites every body, before the checks.
  server.on('checkContinue', answer)
  try {
    port = await listen(server, host, options)
  } catch (error) {
    closing.abort()
    throw error
  }
  // One connection that could not be taken (no descriptor is left) ends neither the gateway nor the process.
  server.on('error', (error) => rest.onFault?.(error))

  let closed: Promise<void> | undefined
  const drain = (): void => closing.abort()
  return {
    url: urlOf(host, port),
    drain,
    close({ graceMs = DEFAULT_GRACE_MS } = {}) {
      drain()
      closed ??= closeServer(server, graceMs)
      return closed
    },
  }
}

async function listen(
  server: Server,
  host: string,
  { port, formerPort }: Pick<ServeOptions, 'port' | 'formerPort'>,
): Promise<number> {
  if (formerPort !== undefined && (port === undefined || port === 0)) {
    try {
      return await listenAt(server, host, formerPort)
    } catch (error) {
      if (!isErrno(error, 'EADDRINUSE')) throw unusable(host, formerPort, error)
    }
  }
  try {
    return await listenAt(server, host, port ?? DEFAULT_PORT)
  } catch (cause) {
    if (port === undefined && isErrno(cause, 'EADDRINUSE')) return listenAt(server, host, 0)
    throw unusable(host, port ?? DEFAULT_PORT, cause)
  }
}

function unusable(host: string, port: number, cause: unknown): AgentryError {
  return new AgentryError('address_unusable', `cannot listen at ${host}:${port}: ${describeThrown(cause)}`, {
    cause,
    data: { host, port },
  })
}

async function listenAt(server: Server, host: string, port: number): Promise<number> {
  server.listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  if (typeof address === 'object' && address !== null) return address.port
  throw new AgentryError('internal', 'the server has no port')
}

function isErrno(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

async function closeServer(server: Server, graceMs: number): Promise<void> {
  const ended = once(server, 'close')
  server.close()
  // A connection that is kept alive is idle only when its last answer is out.
  const sweeper = setInterval(() => server.closeIdleConnections(), SWEEP_MS)
  const deadline = systemClock.setTimer(graceMs, () => server.closeAllConnections())
  try {
    await ended
  } finally {
    clearInterval(sweeper)
    deadline.cancel()
  }
}
