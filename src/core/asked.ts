/** What a turn waits for other agents to answer. Pure. */
import type { OpenTurn } from './session-state.ts'

/** A question to an agent, under the task that its answer belongs to. */
export interface AskedQuestion {
  agentId: string
  taskId: string
}

/** The questions to other agents of an open turn that have no recorded answer, in the order in which they were asked. */
export function questionsOf(turn: OpenTurn | null): AskedQuestion[] {
  return (turn?.calls ?? []).flatMap(({ state, asked }) => (state === 'running' && asked ? [asked] : []))
}
