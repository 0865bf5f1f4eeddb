/** What all routes work with, and the few steps that they share. */
import type { Context } from 'hono'
import type { HttpBindings } from '@hono/node-server'
import type { OpenAPIHono, z } from '@hono/zod-openapi'
import type { Agent, SessionInfo, Team } from '../api.ts'
import { quote } from '../core/ids.ts'
import { AgentryError } from '../errors.ts'
import { notFound } from '../store/find-session.ts'
import type { EventLog } from './event-log.ts'
import type { RecordTails } from './record-tails.ts'

/** At a port the app sees Node's request and response; called as a function it does not. */
export interface GatewayEnv {
  Bindings: Partial<HttpBindings> & {
    /** Called when the token of the request was the right one. */
    onAdmitted?: (bindings: Partial<HttpBindings>) => void
  }
}

export type GatewayApp = OpenAPIHono<GatewayEnv>

export interface RouteContext {
  readonly team: Team
  readonly log: EventLog
  readonly tails: RecordTails
  /** Aborts when the gateway stops: streams end. */
  readonly closing: AbortSignal
  readonly version: string
  readonly defaultAgent: () => string | undefined
}

/** Throws `agent_not_found`. */
export function requireAgent(team: Team, agentId: string): Agent {
  const agent = team.agent(agentId)
  if (agent !== undefined) return agent
  throw new AgentryError('agent_not_found', `there is no agent ${quote(agentId)}`, { data: { agentId } })
}

/** The agent's session of that id. Throws `session_not_found`, also for another agent's, and the code of one that cannot be read. */
export function requireSession(team: Team, agentId: string, sessionId: string): SessionInfo {
  requireAgent(team, agentId)
  const session = team.findSession(sessionId, agentId)
  // findSession takes names too, and a session can be named like an id.
  if (session.id !== sessionId) throw notFound(sessionId, agentId)
  return session
}

/** Cuts the connection of a request, whose client has stopped reading. */
export function stallCutter(c: Context<GatewayEnv>): () => void {
  return () => c.env?.outgoing?.destroy()
}

/** The answers of a route that gives JSON. */
export function jsonAnswer<T extends z.ZodType>(
  schema: T,
  description: string,
): { content: { 'application/json': { schema: T } }; description: string } {
  return { content: { 'application/json': { schema } }, description }
}

/** The body of a request. msgpack has become JSON by then (body.ts). */
export function jsonBody<T extends z.ZodType>(
  schema: T,
): { content: { 'application/json': { schema: T } }; required: true } {
  return { content: { 'application/json': { schema } }, required: true }
}
