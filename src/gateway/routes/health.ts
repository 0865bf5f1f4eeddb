/** GET /health (open to everybody, and therefore without data) and GET /team. */
import { createRoute, z } from '@hono/zod-openapi'
import { type GatewayApp, jsonAnswer, type RouteContext } from '../context.ts'
import { teamHealth } from '../schemas/agents.ts'

export function addHealthRoutes(app: GatewayApp, { team, version, defaultAgent }: RouteContext): void {
  const startedMs = performance.now()

  app.openapi(
    createRoute({
      method: 'get',
      path: '/health',
      tags: ['team'],
      summary: 'Whether the gateway answers. Needs no token.',
      responses: {
        200: jsonAnswer(
          z.object({ status: z.literal('ok'), version: z.string(), uptimeMs: z.int() }),
          'It answers.',
        ),
      },
    }),
    (c) =>
      c.json({ status: 'ok' as const, version, uptimeMs: Math.round(performance.now() - startedMs) }, 200),
  )

  app.openapi(
    createRoute({
      method: 'get',
      path: '/team',
      tags: ['team'],
      summary: 'The state of the team, and what is wrong with it.',
      responses: {
        200: jsonAnswer(
          z.object({
            directory: z.string(),
            epoch: z.int(),
            version: z.string(),
            defaultAgent: z.string().optional(),
            health: teamHealth,
          }),
          'The team.',
        ),
      },
    }),
    (c) => {
      const chosen = defaultAgent()
      const { directory, epoch } = team
      return c.json(
        {
          directory,
          epoch,
          version,
          ...(chosen !== undefined && { defaultAgent: chosen }),
          health: team.health(),
        },
        200,
      )
    },
  )
}
