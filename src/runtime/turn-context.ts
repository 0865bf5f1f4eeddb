/** What Agentry's own behaviors get for a turn beside what every behavior gets. */
import type { BehaviorContext } from '../behavior.ts'
import type { Message } from '../core/record.ts'
import type {
  Approval,
  ApprovalAnswer,
  Grant,
  OpenTurn,
  SessionState,
  Usage,
  UsageTotal,
} from '../core/session-state.ts'
import type { TurnEvent } from '../protocol/from-agent.ts'

export interface TurnContext extends BehaviorContext {
  /** The open turn as it is now: its calls, steps, usage. Read it again after every await; never change it. */
  turn(): Readonly<OpenTurn>
  /** Of the whole session, this turn included. */
  readonly sessionUsage: Readonly<UsageTotal>
  readonly summary: SessionState['summary']
  readonly grants: readonly Grant[]
  /** What the whole team has used since its supervisor started. */
  teamUsage(): Promise<UsageTotal>
  /** Records a step that asks for nothing more. Durable, and told, with what is recorded next: most often the end of the turn. */
  addAnswer(step: Omit<Parameters<BehaviorContext['recordStep']>[0], 'toolCalls'>): void
  /**
   * Asks a person whether an announced call may run. Resolves with the answer; with a no when `timeoutMs` are over. Asked again after
   * a crash, it waits for the same question, or gives the answer that came meanwhile. A yes to another subject than this one is not
   * taken: the person is asked anew.
   */
  askApproval(question: ApprovalQuestion): Promise<ApprovalAnswer>
  /** Ends an announced call that is not run: `content` is its result, with outcome `error`. Durable when it resolves. */
  refuseTool(toolCallId: string, content: string): Promise<void>
  /** Takes the messages that came meanwhile with mode `steer` into this turn; durable when it resolves. */
  takeSteering(): Promise<Message[]>
  /** From now on `summary` stands for the conversation up to `throughSeq`. Durable when it resolves. */
  recordSummary(summary: { summary: string; throughSeq: number; usage?: Usage }): Promise<void>
  /** Sends what a model says of its thinking. Transient, like text. */
  emitReasoning(text: string): void
  emitRetry(retry: Omit<Extract<TurnEvent, { type: 'retry' }>, 'type'>): void
}

export type ApprovalQuestion = Pick<
  Approval,
  'toolCallId' | 'tool' | 'subject' | 'detail' | 'reason' | 'grant'
> & {
  timeoutMs: number
}
