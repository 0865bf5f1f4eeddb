/**
 * The gateway as an app: requests in, answers out, no port. `serve.ts` gives it one.
 *
 * The order of the checks is the order of `use` here: address, token, size and form of the body, then the routes.
 */
import type { MiddlewareHandler } from 'hono'
import { OpenAPIHono } from '@hono/zod-openapi'
import { HTTPException } from 'hono/http-exception'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { routePath } from 'hono/route'
import type { z } from 'zod'
import type { Team } from '../api.ts'
import { quote } from '../core/ids.ts'
import { AgentryError, type ErrorCode, toAgentryError } from '../errors.ts'
import { pathText, problemsOf } from '../validation.ts'
import { checkAddress, checkToken } from './auth.ts'
import { answerInMsgpack, readBody } from './body.ts'
import { IMPORT_LIMITS, MAX_BYTES_AT_ONCE, MESSAGE_LIMITS } from './body-limits.ts'
import type { GatewayApp, GatewayEnv, RouteContext } from './context.ts'
import { addDocsPage, DOCS_PATH } from './docs-page.ts'
import { EventLog } from './event-log.ts'
import { problemResponse } from './http-errors.ts'
import { createLateMetrics } from './late-metrics.ts'
import { openApiDocument } from './openapi.ts'
import { RecordTails } from './record-tails.ts'
import { routedPath } from './root-paths.ts'
import { addAgentRoutes } from './routes/agents.ts'
import { addApprovalRoutes } from './routes/approvals.ts'
import { addEventRoutes } from './routes/events.ts'
import { addHealthRoutes } from './routes/health.ts'
import { addMessageRoutes } from './routes/messages.ts'
import { addMetricsRoute } from './routes/metrics.ts'
import { addSessionRoutes, IMPORT_PATH } from './routes/sessions.ts'
import { comeAgain, comesBack } from './sse.ts'

/** One request that was answered, for a log: nothing that a client wrote but the method, nothing secret. */
export interface AnsweredRequest {
  method: string
  /** The path with its parameters as names, such as `/agents/{agent}/message`; `-` where there is none. */
  route: string
  status: number
  /** Of the error that it failed with, where one was thrown. */
  code?: ErrorCode
  durationMs: number
}

export interface AppOptions {
  /** Read at every request: it can be rotated. */
  token: () => string
  /** The origins of the gateway's own pages at a Host, such as `['http://127.0.0.1:7420']`; undefined where it is not reached by that Host. */
  originsAt: (host: string) => readonly string[] | undefined
  version: string
  /** The agent of paths that name none. Default: the first agent. */
  defaultAgent?: string
  /** Ends all streams of events, and refuses requests from then on. */
  closing?: AbortSignal
  onAnswer?: (request: AnsweredRequest) => void
  /** What should never happen: a fault of Agentry itself. */
  onFault?: (error: unknown) => void
}

const OPENAPI_PATH = '/openapi.json'
/** Without data, and without a token. */
const OPEN_PATHS = ['/health', OPENAPI_PATH, DOCS_PATH, `${DOCS_PATH}/`]

export function createApp(team: Team, options: AppOptions): GatewayApp {
  const { token, originsAt, version, onAnswer, onFault = () => undefined } = options
  const closing = options.closing ?? new AbortController().signal
  const defaultAgent = (): string | undefined => options.defaultAgent ?? team.agents()[0]?.id
  const context: RouteContext = {
    team,
    log: new EventLog(team, { signal: closing, onFault }),
    tails: new RecordTails(team),
    closing,
    version,
    defaultAgent,
  }
  const app: GatewayApp = new OpenAPIHono<GatewayEnv>({
    getPath: (request) => routedPath(request, team, defaultAgent),
    defaultHook: (result) => {
      if (!result.success)
        throw invalidRequest(result.target, result.error, 'data' in result ? result.data : undefined)
    },
  })
  app.onError((thrown) => {
    const error = errorOf(thrown)
    if (error.code === 'internal') onFault(thrown)
    return problemResponse(error)
  })
  app.notFound((c) =>
    problemResponse(new AgentryError('route_not_found', `there is nothing at ${quote(c.req.path)}`)),
  )

  const metrics = createLateMetrics(team, { signal: closing, onFault })
  app.use(
    reportAnswers((request) => {
      metrics.answered(request)
      onAnswer?.(request)
    }),
  )
  app.use(answerInMsgpack)
  app.use(refuseSniffing)
  app.use(checkAddress({ originsAt }))
  app.use(checkToken(token, OPEN_PATHS))
  app.use(async (c, next) => {
    if (!closing.aborted) return next()
    if (comesBack(c)) return comeAgain()
    throw new AgentryError('team_closed', 'the gateway is stopping')
  })
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (c, methods) =>
        problemResponse(
          new AgentryError('method_not_allowed', `expected ${methods.join(', ')}, received ${c.req.method}`),
          { allow: methods.join(', ') },
        ),
    }),
  )
  app.use(readBody((path) => (IMPORT_PATH.test(path) ? IMPORT_LIMITS : MESSAGE_LIMITS), MAX_BYTES_AT_ONCE))

  addHealthRoutes(app, context)
  addAgentRoutes(app, context)
  addMessageRoutes(app, context)
  addApprovalRoutes(app, context)
  addSessionRoutes(app, context)
  addEventRoutes(app, context)
  addMetricsRoute(app, metrics)
  let document: ReturnType<typeof openApiDocument> | undefined
  app.get(OPENAPI_PATH, (c) => c.json((document ??= openApiDocument(app, version, OPEN_PATHS))))
  addDocsPage(app)
  return app
}

/** On Node's own answer where there is one: that costs no object of headers. */
const refuseSniffing: MiddlewareHandler<GatewayEnv> = async (c, next) => {
  const outgoing = c.env?.outgoing
  outgoing?.setHeader('x-content-type-options', 'nosniff')
  await next()
  if (outgoing === undefined) c.res.headers.set('x-content-type-options', 'nosniff')
}

function reportAnswers(onAnswer: (request: AnsweredRequest) => void): MiddlewareHandler {
  return async (c, next) => {
    const startedMs = performance.now()
    await next()
    const route = routePath(c, -1)
    const code = c.error === undefined ? undefined : errorOf(c.error).code
    onAnswer({
      method: c.req.method,
      route: route.endsWith('*') ? '-' : route,
      status: c.res.status,
      ...(code !== undefined && { code }),
      durationMs: performance.now() - startedMs,
    })
  }
}

/** What a validator of a route refused, as one error with all problems. */
function invalidRequest(target: string, error: z.ZodError, value: unknown): AgentryError {
  // The validators do not report what came: the messages say it.
  for (const issue of error.issues) Object.assign(issue, { input: valueAt(value, issue.path) })
  const problems = problemsOf(error)
  const place = { param: 'path', query: 'query', header: 'headers' }[target] ?? 'body'
  const message = problems
    .map(
      ({ path, message: what }) =>
        `${[place, pathText(path)].filter((part) => part !== '').join('.')}: ${what}`,
    )
    .join('\n')
  return new AgentryError(target === 'param' ? 'invalid_id' : 'invalid_input', message, {
    data: { problems },
  })
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    value,
  )
}

function errorOf(thrown: unknown): AgentryError {
  return thrown instanceof HTTPException ? fromHono(thrown) : toAgentryError(thrown)
}

/** The few errors that Hono and its validators throw by themselves. */
function fromHono(thrown: HTTPException): AgentryError {
  if (thrown.status === 415) {
    return new AgentryError(
      'unsupported_media_type',
      'expected a body of type application/json or application/msgpack',
    )
  }
  if (thrown.status < 500) return new AgentryError('invalid_input', `body: ${thrown.message}`)
  return new AgentryError('internal', thrown.message, { cause: thrown })
}
