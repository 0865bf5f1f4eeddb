/** The agents of the team: list, spawn, inspect, stop, remove, start again. */
import { createRoute, z } from '@hono/zod-openapi'
import { type GatewayApp, jsonAnswer, jsonBody, requireAgent, type RouteContext } from '../context.ts'
import { numberKey, pageOf } from '../cursor.ts'
import { agentInfo, spawnBody } from '../schemas/agents.ts'
import { agentId, locationHeader, pageQuery, removeQuery } from '../schemas/parameters.ts'

const tags = ['agents']
const params = z.object({ agent: agentId })

export function addAgentRoutes(app: GatewayApp, { team }: RouteContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents',
      tags,
      summary: 'All agents, in the order in which they start.',
      request: { query: pageQuery },
      responses: {
        200: jsonAnswer(
          z.object({ agents: z.array(agentInfo), nextCursor: z.string().optional() }),
          'A page of agents.',
        ),
      },
    }),
    (c) => {
      const { limit, cursor } = c.req.valid('query')
      const places = team.agents().map((info, place) => ({ info, place }))
      const { items, ...more } = pageOf(places, { limit, cursor, keyOf: ({ place }) => [numberKey(place)] })
      return c.json({ agents: items.map(({ info }) => info), ...more }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents',
      tags,
      summary: 'Spawn an agent: registered for good, and started.',
      description:
        'A known id with the same spec answers with that agent; with another spec: `agent_exists`.',
      request: { body: jsonBody(spawnBody) },
      responses: {
        200: {
          ...jsonAnswer(
            agentInfo,
            'The agent, which was there already with this spec; `Location` is its path.',
          ),
          headers: locationHeader,
        },
        201: { ...jsonAnswer(agentInfo, 'The new agent; `Location` is its path.'), headers: locationHeader },
      },
    }),
    async (c) => {
      const spec = c.req.valid('json')
      const isThere = team.agent(spec.id) !== undefined
      const agent = await team.spawn(spec)
      return c.json(agent.info(), isThere ? 200 : 201, { location: `/agents/${agent.id}` })
    },
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/agents/{agent}',
      tags,
      summary: 'One agent.',
      request: { params },
      responses: { 200: jsonAnswer(agentInfo, 'The agent.') },
    }),
    (c) => c.json(requireAgent(team, c.req.valid('param').agent).info(), 200),
  )

  app.openapi(
    createRoute({
      method: 'delete',
      path: '/agents/{agent}',
      tags,
      summary: 'Stop an agent; with `remove=true` take it out of the team too.',
      description:
        'Its running turn may finish first. A stopped agent stays registered; the sessions of a removed one stay.',
      request: { params, query: removeQuery },
      responses: { 200: jsonAnswer(agentInfo, 'The agent as it was last: stopped.') },
    }),
    async (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      await agent.stop()
      const info = agent.info()
      if (c.req.valid('query').remove) await team.removeAgent(agent.id)
      return c.json(info, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/agents/{agent}/restart',
      tags,
      summary: 'Start an agent that is stopped or failed, or start it anew.',
      request: { params },
      responses: { 200: jsonAnswer(agentInfo, 'The agent, started.') },
    }),
    async (c) => {
      const agent = requireAgent(team, c.req.valid('param').agent)
      await agent.restart()
      return c.json(agent.info(), 200)
    },
  )
}
