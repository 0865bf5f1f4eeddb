/** Sessions: those of the team, and those of one agent with everything that can be done to them. */
import { createRoute, z } from '@hono/zod-openapi'
import type { SessionFilter, SessionInfo } from '../../api.ts'
import { AgentryError } from '../../errors.ts'
import {
  type GatewayApp,
  jsonAnswer,
  jsonBody,
  requireAgent,
  requireSession,
  type RouteContext,
} from '../context.ts'
import { numberKey, type Page, pageOf } from '../cursor.ts'
import { cleanupBody } from '../schemas/agents.ts'
import {
  agentId,
  commandQuery,
  locationHeader,
  pageQuery,
  sessionId,
  type SessionListQuery,
  sessionListQuery,
  terminateQuery,
} from '../schemas/parameters.ts'
import {
  createSessionBody,
  forkBody,
  importBody,
  sessionInfo,
  sessionPatchBody,
  sessionState,
} from '../schemas/sessions.ts'
import { memoryEntry } from '../schemas/turns.ts'

const tags = ['sessions']
const agentParams = z.object({ agent: agentId })
const params = z.object({ agent: agentId, id: sessionId })
const list = jsonAnswer(
  z.object({ sessions: z.array(sessionInfo), nextCursor: z.string().optional() }),
  'A page of sessions, last accessed first.',
)
const one = jsonAnswer(sessionInfo, 'The session, as it is now.')
const created = (description: string) => ({
  ...jsonAnswer(sessionInfo, description),
  headers: locationHeader,
})
const WAITS = 'It waits for the running turn and the queue, or with `cancel=true` ends them first.'

/** The longest import; other bodies are held to less. */
export const IMPORT_PATH: RegExp = /^\/agents\/[^/]+\/import$/

export function addSessionRoutes(app: GatewayApp, { team }: RouteContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/sessions',
      tags,
      summary: 'The sessions of the whole team; with `agent` those of one agent.',
      // With `agent` it is the route of that agent (root-paths.ts).
      request: { query: sessionListQuery.extend({ agent: z.string().optional() }) },
      responses: { 200: list },
    }),
    (c) => {
      const query = c.req.valid('query')
      const { items, ...more } = sessionPage(team.sessions(filterOf(query)), query)
      return c.json({ sessions: items, ...more }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/team/cleanup',
      tags: ['team'],
      summary: 'Move the sessions that a retention policy takes to the trash; with `dryRun` only say which.',
      request: { body: jsonBody(cleanupBody) },
      responses: {
        200: jsonAnswer(z.object({ sessions: z.array(sessionInfo) }), 'The sessions it took, or would.'),
      },
    }),
    async (c) => {
      const { dryRun = false, ...policy } = c.req.valid('json')
      return c.json({ sessions: await team.cleanup(policy, { dryRun }) }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}/sessions',
      tags,
      summary: 'The sessions of an agent.',
      request: { params: agentParams, query: sessionListQuery },
      responses: { 200: list },
    }),
    (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      const query = c.req.valid('query')
      const filter = { ...filterOf(query), agentId: agent.id }
      const { items, ...more } = sessionPage(team.sessions(filter), query)
      return c.json({ sessions: items, ...more }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/sessions',
      tags,
      summary: 'Create a session and make it current; the one before is suspended.',
      request: { params: agentParams, body: jsonBody(createSessionBody) },
      responses: { 201: created('The session; `Location` is its path.') },
    }),
    async (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      const session = await agent.createSession(c.req.valid('json'))
      return c.json(session, 201, { location: pathOf(session) })
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/import',
      tags,
      summary:
        'Take over a session from elsewhere, its conversation included; it is suspended until it is loaded.',
      request: { params: agentParams, body: jsonBody(importBody) },
      responses: { 201: created('The session; `Location` is its path.') },
    }),
    async (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      const session = await agent.importSession(c.req.valid('json'))
      return c.json(session, 201, { location: pathOf(session) })
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}/sessions/current',
      tags,
      summary: 'The current session.',
      request: { params: agentParams },
      responses: { 200: one },
    }),
    (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      const session = agent.currentSession()
      if (session !== undefined) return c.json(session, 200)
      throw new AgentryError('no_current_session', `agent ${agent.id} has no current session`, {
        data: { agentId: agent.id },
      })
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}/sessions/{id}',
      tags,
      summary: 'A session without its conversation.',
      request: { params },
      responses: { 200: one },
    }),
    (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(requireSession(team, agent, id), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}/sessions/{id}/messages',
      tags,
      summary: 'The conversation of a session, oldest first.',
      request: { params, query: pageQuery },
      responses: {
        200: jsonAnswer(
          z.object({ messages: z.array(memoryEntry), nextCursor: z.string().optional() }),
          'A page of the conversation.',
        ),
      },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      const { limit, cursor } = c.req.valid('query')
      const { memory } = await team.readSession(requireSession(team, agent, id).id)
      const places = memory.map((entry, place) => ({ entry, place }))
      const { items, ...more } = pageOf(places, { limit, cursor, keyOf: ({ place }) => [numberKey(place)] })
      return c.json({ messages: items.map(({ entry }) => entry), ...more }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}/sessions/{id}/export',
      tags,
      summary: 'All of a session, its conversation included, as one document.',
      request: { params },
      responses: { 200: jsonAnswer(sessionState, 'The state.') },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(await team.readSession(requireSession(team, agent, id).id), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/sessions/{id}',
      tags,
      summary: 'Load or resume a session: it becomes the current one, the one before is suspended.',
      description: WAITS,
      request: { params, query: commandQuery },
      responses: { 200: one },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(await requireAgent(team, agent).loadSession(id, c.req.valid('query')), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'patch',
      path: '/agents/{agent}/sessions/{id}',
      tags,
      summary: 'Change the name, description, working directory, prompt, vars or metadata.',
      request: { params, body: jsonBody(sessionPatchBody) },
      responses: { 200: one },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(await requireAgent(team, agent).updateSession(id, c.req.valid('json')), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'delete',
      path: '/agents/{agent}/sessions/{id}',
      tags,
      summary: 'Terminate a session; with `purge=true` move it to the trash too.',
      description: `A terminated session can be read and forked. ${WAITS}`,
      request: { params, query: terminateQuery },
      responses: { 200: one },
    }),
    async (c) => {
      const { agent: owner, id } = c.req.valid('param')
      const { purge, cancel } = c.req.valid('query')
      const agent = requireAgent(team, owner)
      const session = await (purge
        ? agent.deleteSession(id, { cancel })
        : agent.terminateSession(id, { cancel }))
      return c.json(session, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/sessions/{id}/save',
      tags,
      summary: 'Write the file of a session now.',
      request: { params },
      responses: { 200: one },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(await requireAgent(team, agent).saveSession(id), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/sessions/{id}/suspend',
      tags,
      summary: 'Suspend a session.',
      description: WAITS,
      request: { params, query: commandQuery },
      responses: { 200: one },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(await requireAgent(team, agent).suspendSession(id, c.req.valid('query')), 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/sessions/{id}/fork',
      tags,
      summary: 'Make a new, suspended session with the same conversation.',
      request: { params, body: { ...jsonBody(forkBody), required: false } },
      responses: { 201: created('The new session; `Location` is its path.') },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      const session = await requireAgent(team, agent).forkSession(id, c.req.valid('json').name)
      return c.json(session, 201, { location: pathOf(session) })
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/sessions/{id}/restore',
      tags,
      summary: 'Bring a session back from the trash.',
      request: { params },
      responses: { 200: one },
    }),
    async (c) => {
      const { agent, id } = c.req.valid('param')
      return c.json(await requireAgent(team, agent).restoreSession(id), 200)
    },
  )
}

function filterOf({ status, search, trashed }: SessionListQuery): SessionFilter {
  return {
    ...(status !== undefined && { status }),
    ...(search !== undefined && { search }),
    ...(trashed && { trashed }),
  }
}

/** The team lists the last accessed first, and of equal times the highest id. */
function sessionPage(sessions: SessionInfo[], { limit, cursor }: SessionListQuery): Page<SessionInfo> {
  return pageOf(sessions, {
    limit,
    cursor,
    keyOf: ({ lastAccessedAt, id }) => [lastAccessedAt, id],
    descending: true,
  })
}

function pathOf({ agentId: agent, id }: SessionInfo): string {
  return `/agents/${agent}/sessions/${id}`
}
