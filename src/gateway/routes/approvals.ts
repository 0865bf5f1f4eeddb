/** The open questions of agents to people, and the answers. */
import { createRoute, z } from '@hono/zod-openapi'
import { type GatewayApp, jsonAnswer, jsonBody, type RouteContext } from '../context.ts'
import { pageOf } from '../cursor.ts'
import { answerBody, approvalId, approvalInfo, pageQuery } from '../schemas.ts'

const tags = ['approvals']

export function addApprovalRoutes(app: GatewayApp, { team }: RouteContext): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/approvals',
      tags,
      summary: 'The open questions of all agents, oldest first: may this tool do that?',
      request: { query: pageQuery.extend({ agent: z.string().optional() }) },
      responses: {
        200: jsonAnswer(
          z.object({ approvals: z.array(approvalInfo), nextCursor: z.string().optional() }),
          'A page of questions.',
        ),
      },
    }),
    (c) => {
      const { limit, cursor, agent } = c.req.valid('query')
      const open = team.approvals().filter((one) => agent === undefined || one.agentId === agent)
      const { items, ...more } = pageOf(open, { limit, cursor, keyOf: ({ approvalId }) => [approvalId] })
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
        '`reason` goes to the model with a no.',
      request: { params: z.object({ id: approvalId }), body: jsonBody(answerBody) },
      responses: { 200: jsonAnswer(approvalInfo, 'The question that was answered.') },
    }),
    async (c) => c.json(await team.answerApproval(c.req.valid('param').id, c.req.valid('json')), 200),
  )
}
