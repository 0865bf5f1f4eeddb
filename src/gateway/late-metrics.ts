/**
 * Metrics from the first moment on, whose library is loaded a little later: it is eighty modules, which nobody who starts a server
 * should wait for.
 *
 * LM1 what happens before it is loaded is counted then, with its own times.
 * LM2 a scrape waits for it. Where it cannot be loaded scrapes fail, and nothing is kept any more.
 */
import type { Team, TeamEvent } from '../api.ts'
import type { AnsweredRequest } from './app.ts'
import type { Metrics } from './metrics.ts'

/** By then a server that is waited for has answered. */
const LOAD_AFTER_MS = 1_000

export interface LateMetrics extends Pick<Metrics, 'answered'> {
  /** What a scrape gets, and its media type. */
  exposition(): Promise<{ text: string; contentType: string }>
}

export function createLateMetrics(
  team: Pick<Team, 'agents' | 'approvals' | 'events' | 'health'>,
  options: { signal: AbortSignal; onFault: (error: unknown) => void },
): LateMetrics {
  const { signal, onFault } = options
  let metrics: Metrics | undefined
  let loading: Promise<Metrics> | undefined
  /** What has to be counted yet; undefined once that is done, or never will be. */
  let early: ((into: Metrics) => void)[] | undefined = []
  const count = (how: (into: Metrics) => void): void => {
    if (metrics === undefined) early?.push(how)
    else how(metrics)
  }
  const load = async (): Promise<Metrics> => {
    try {
      const { createMetrics } = await import('./metrics.ts')
      metrics = createMetrics(team)
      for (const how of early ?? []) how(metrics)
      return metrics
    } finally {
      early = undefined
    }
  }
  const loaded = async (): Promise<Metrics> => (loading ??= load())
  const timer = setTimeout(() => void loaded().catch(onFault), LOAD_AFTER_MS).unref()
  signal.addEventListener('abort', () => clearTimeout(timer), { once: true })
  follow(team.events({ signal }), (event) => {
    const atMs = performance.now()
    count((into) => into.happened(event, atMs))
  }).catch(onFault)
  return {
    answered: (request: AnsweredRequest) => count((into) => into.answered(request)),
    async exposition() {
      const ready = await loaded()
      return { text: await ready.text(), contentType: ready.contentType }
    },
  }
}

async function follow(events: AsyncIterable<TeamEvent>, each: (event: TeamEvent) => void): Promise<void> {
  for await (const event of events) each(event)
}
