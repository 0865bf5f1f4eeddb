/** A team of one agent whose turns a test plays by hand: for what a command does while a turn runs. */
import type {
  Agent,
  AgentInfo,
  ApprovalInfo,
  SendOptions,
  SessionInfo,
  Team,
  TeamHealth,
} from '../../src/api.ts'
import { createId } from '../../src/core/ids.ts'
import { AgentryError } from '../../src/errors.ts'
import type { Outcome, TurnEvent } from '../../src/protocol/from-agent.ts'

/** One message, as the agent got it. */
export interface FakeTurn {
  readonly input: string
  readonly options: SendOptions
  readonly turnId: string
  /** The message is in the queue; the sender does not hear of it. */
  accept(): void
  /** The turn begins, and the sender hears of it. */
  start(): void
  text(text: string, dropped?: true): void
  event(event: TurnEvent): void
  finish(outcome: Partial<Outcome>): void
  /** The message never becomes a turn. */
  refuse(error: AgentryError): void
}

export interface FakeTeam {
  readonly team: Team
  /** Resolves with the next message that is sent. */
  nextTurn(): Promise<FakeTurn>
  /** The open questions. An answer takes one out and is kept; the test tells the turn of it. */
  readonly approvals: ApprovalInfo[]
  readonly answers: (Parameters<Team['answerApproval']>[1] & { approvalId: string })[]
  /** Turn ids that were cancelled. */
  readonly cancelled: (string | undefined)[]
  /** How often the team was asked to close: a turn that has not started then fails with `agent_stopped`. */
  closed(): number
}

export function createFakeTeam(agentId: string, behavior = 'shell'): FakeTeam {
  const approvals: ApprovalInfo[] = []
  const answers: FakeTeam['answers'] = []
  const cancelled: (string | undefined)[] = []
  const accepted = new Map<string, Outcome>()
  const arrived: FakeTurn[] = []
  let waiting: ((turn: FakeTurn) => void) | undefined
  const unstarted = new Set<(event: TurnEvent | Error) => void>()
  let closed = 0

  async function* stream(input: string, options: SendOptions = {}): AsyncGenerator<TurnEvent> {
    const events: (TurnEvent | Error)[] = []
    let wake = Promise.withResolvers<void>()
    const push = (event: TurnEvent | Error): void => {
      events.push(event)
      wake.resolve()
    }
    const turnId = createId()
    const { taskId = turnId } = options
    const outcome: Outcome = {
      status: 'accepted',
      result: '',
      turnId,
      taskId,
      agentId,
      sessionId: createId(),
    }
    const turn: FakeTurn = {
      input,
      options,
      turnId,
      accept: () => void accepted.set(taskId, outcome),
      start() {
        unstarted.delete(push)
        accepted.set(taskId, outcome)
        push({ type: 'turn-started', turnId, sessionId: outcome.sessionId, attempt: 1 })
      },
      event: push,
      text: (text, dropped) => push({ type: 'text', text, ...(dropped && { dropped }) }),
      finish: (end) => push({ type: 'turn-finished', outcome: { ...outcome, status: 'completed', ...end } }),
      refuse: (error) => push(error),
    }
    unstarted.add(push)
    if (waiting) waiting(turn)
    else arrived.push(turn)
    for (;;) {
      const event = events.shift()
      if (event === undefined) {
        await wake.promise
        wake = Promise.withResolvers()
        continue
      }
      if (event instanceof Error) throw event
      yield event
      if (event.type === 'turn-finished') return
    }
  }

  const agent: Partial<Agent> = {
    id: agentId,
    stream,
    info: () => ({ id: agentId, behavior }) as AgentInfo,
    async cancel(turnId) {
      cancelled.push(turnId)
      return true
    },
  }
  const team: Partial<Team> = {
    agent: (id) => (id === agentId ? (agent as Agent) : undefined),
    agents: () => [{ id: agentId }] as ReturnType<Team['agents']>,
    sessions: () => [] as SessionInfo[],
    approvals: () => [...approvals],
    async answerApproval(approvalId, answer) {
      const [approval] = approvals.splice(
        approvals.findIndex((one) => one.approvalId === approvalId),
        1,
      )
      if (approval === undefined) throw new AgentryError('approval_not_found', 'no such question')
      answers.push({ approvalId, ...answer })
      return approval
    },
    task: async (taskId) => accepted.get(taskId),
    health: () => ({ notes: [] as unknown[] }) as TeamHealth,
    async close() {
      closed += 1
      for (const push of unstarted) push(new AgentryError('agent_stopped', `agent ${agentId} was stopped`))
    },
  }
  return {
    team: team as Team,
    approvals,
    answers,
    cancelled,
    closed: () => closed,
    nextTurn: async () =>
      arrived.shift() ??
      new Promise((resolve) => {
        waiting = resolve
      }),
  }
}
