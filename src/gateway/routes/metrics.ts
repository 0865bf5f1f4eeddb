/** GET /metrics. */
import { createRoute, z } from '@hono/zod-openapi'
import type { GatewayApp } from '../context.ts'
import type { LateMetrics } from '../late-metrics.ts'

export function addMetricsRoute(app: GatewayApp, metrics: LateMetrics): void {
  app.openapi(
    createRoute({
      method: 'get',
      path: '/metrics',
      tags: ['team'],
      summary: 'The figures of the team, for Prometheus.',
      responses: {
        200: { content: { 'text/plain': { schema: z.string() } }, description: 'In its text format.' },
      },
    }),
    async (c) => {
      const { text, contentType } = await metrics.exposition()
      return c.text(text, 200, { 'content-type': contentType })
    },
  )
}
