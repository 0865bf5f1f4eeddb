/** The open questions of agents to people, and the answers. */
import { createRoute, z } from '@hono/zod-openapi'
import { type GatewayApp, jsonAnswer, jsonBody, requireAgent, type RouteContext } from '../context.ts'
import { pageOf } from '../cursor.ts'
import { answerBody, approvalInfo } from '../schemas/approvals.ts'
import { approvalId, approvalListQuery } from '../schemas/parameters.ts'

const tags = ['approvals']

export function addApprovalRoutes(app: GatewayApp, { team }: RouteContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/approvals',
      tags,
      summary: 'The open questions of all agents, oldest first: may this tool do that?',
      description:
        'With `agent` those of that agent. New ones show on `/events`: as `turn` with `approval-asked`, and in the `approvals` of `session`.',
      request: { query: approvalListQuery },
      responses: {
        200: jsonAnswer(
          z.object({ approvals: z.array(approvalInfo), nextCursor: z.string().optional() }),
          'A page of questions.',
        ),
      },
    }),
    (c) => {
      const { limit, cursor, agent } = c.req.valid('query')
      if (agent !== undefined) requireAgent(team, agent)
      const open = team.approvals().filter((one) => agent === undefined || one.agentId === agent)
      const { items, ...more } = pageOf(open, { limit, cursor, keyOf: ({ approvalId: id }) => [id] })
      return c.json({ approvals: items, ...more }, 200)
    },
  )

  app.openapi(
    createRoute({
      method: 'post',
      path: '/approvals/{id}',
      tags,
      summary: 'Answer a question: once, for the rest of the session, or no.',
      description:
        'The answer is durable when this answers. An agent that gave its thread back is woken and goes on with its turn. ' +
        '`session` allows what `grant` of the question says until the session ends; `reason` goes to the model with a no. ' +
        'A question is answered once: whoever comes second gets 404 (`approval_not_found`).',
      request: { params: z.object({ id: approvalId }), body: jsonBody(answerBody) },
      responses: { 200: jsonAnswer(approvalInfo, 'The question that was answered.') },
    }),
    async (c) => c.json(await team.answerApproval(c.req.valid('param').id, c.req.valid('json')), 200),
  )
}
