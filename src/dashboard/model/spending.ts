/** Tokens and costs as the dashboard says them. Pure. */
import type { AgentInfo, SessionInfo } from '../../api.ts'
import { costText, tokensText } from '../../core/figures.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { addUsage, noUsage, sumUsage, tokensOf, type Usage, type UsageTotal } from '../../core/usage.ts'
import { derived } from './derived.ts'
import type { DashboardState } from './state.ts'

/** `12k tok · $0.4200`; a `?` behind what is a part only, and words where no step has a price. Empty where no model was asked. */
export function spentText(total: UsageTotal): string {
  if (total.steps === 0) return ''
  return `${tokensText(tokensOf(total))} tok · ${priceText(total)}`
}

/** spentText for a column: `12k $0.4200`. */
export function spentCell(total: UsageTotal): string {
  return total.steps === 0 ? '' : `${tokensText(tokensOf(total))} ${costText(total).replaceAll(' ', '')}`
}

function priceText(total: UsageTotal): string {
  return total.unpricedSteps >= total.steps ? 'price unknown' : costText(total)
}

/** What stands below a step: `ollama/qwen3 · 1.2k in, 85 out · $0.0012`. Empty where nothing of it is known. */
export function stepText({ model, usage }: { model?: string; usage?: Usage }): string {
  const parts = model === undefined ? [] : [plainLine(model)]
  if (usage !== undefined) {
    const total = noUsage()
    addUsage(total, usage)
    const cached =
      (usage.cachedInputTokens ?? 0) > 0 ? ` (${tokensText(total.cachedInputTokens)} cached)` : ''
    parts.push(`${tokensText(usage.inputTokens)} in${cached}, ${tokensText(usage.outputTokens)} out`)
    parts.push(priceText(total))
  }
  return parts.join(' · ')
}

const spentByAgent = derived((sessions: DashboardState['sessions']) => {
  const byAgent = Map.groupBy(sessions.values(), ({ agentId }: SessionInfo) => agentId)
  return new Map([...byAgent].map(([id, own]) => [id, sumUsage(own.map(({ counts }) => counts))]))
})

/** Of all sessions of an agent; like everywhere those in the trash are not counted. */
export function spentBy(
  { sessions }: Pick<DashboardState, 'sessions'>,
  { id }: Pick<AgentInfo, 'id'>,
): UsageTotal {
  return spentByAgent(sessions).get(id) ?? NOTHING
}

const NOTHING: UsageTotal = noUsage()

/** Of all agents. */
export function spentByTeam({ sessions }: Pick<DashboardState, 'sessions'>): UsageTotal {
  return sumUsage(spentByAgent(sessions).values())
}
