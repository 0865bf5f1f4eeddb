/** Who needs the user: one line each, the worst first. Pure. */
import { plainLine } from '../../core/terminal-text.ts'
import { askingAgents } from './questions.ts'
import type { DashboardState } from './state.ts'
import { currentSessionOf } from './team.ts'

export interface Attention {
  readonly agentId: string
  /** `bad`: nothing goes on until the user does something. `warn`: it goes on, but should be looked at. */
  readonly tone: 'bad' | 'warn'
  /** What is the matter, and after a dash what can be done. */
  readonly text: string
}

export function attentionOf(state: DashboardState): readonly Attention[] {
  const bad: Attention[] = []
  const warn: Attention[] = []
  for (const agent of state.agents) {
    const { id } = agent
    const problem = currentSessionOf(state, id)?.problem
    const why = agent.lastError === undefined ? '' : `: ${plainLine(agent.lastError.message)}`
    if (agent.state === 'failed') {
      bad.push({ agentId: id, tone: 'bad', text: `failed${why} - /restart ${id}` })
    } else if (problem !== undefined) {
      bad.push({ agentId: id, tone: 'bad', text: `${plainLine(problem.message)} - agentry doctor` })
    } else if (agent.state === 'restarting') {
      warn.push({ agentId: id, tone: 'warn', text: `restarting${why}` })
    } else if (state.unseen.get(id) === 'failed') {
      warn.push({ agentId: id, tone: 'warn', text: 'its last turn failed' })
    }
  }
  return [...bad, ...warn]
}

/** The agent behind `from` in the order of the list that needs the user or asks something, round the end; undefined where none does. */
export function nextAttention(state: DashboardState, from: string | undefined): string | undefined {
  const needed = askingAgents(state).union(new Set(attentionOf(state).map(({ agentId }) => agentId)))
  const start = state.agents.findIndex(({ id }) => id === from) + 1
  return [...state.agents.slice(start), ...state.agents.slice(0, start)].find(({ id }) => needed.has(id))?.id
}
