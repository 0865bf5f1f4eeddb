/** GET /metrics. */
import { createRoute, z } from '@hono/zod-openapi'
import type { GatewayApp } from '../context.ts'
import type { Metrics } from '../metrics.ts'
import { CONTENT_TYPE } from '../prometheus.ts'

export function addMetricsRoute(app: GatewayApp, metrics: Metrics): void {
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
    (c) => c.text(metrics.text(), 200, { 'content-type': CONTENT_TYPE }),
  )
}
