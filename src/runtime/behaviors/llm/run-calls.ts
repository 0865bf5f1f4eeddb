/**
 * Runs the calls that a model asked for: those of the last step, or what a crash, a rest or a stop left of them.
 *
 * RC1 Every call ends in a result: of the tool, of the agent that was asked, or why it was not run.
 * RC2 Questions to people and to other agents go out together; tools run one after the other, in the order in which they were asked for.
 * RC3 What a person is asked is what is run: the input that was judged is the one that the tool is given, and a yes counts for the
 *     subject that was shown.
 * RC4 A call is judged when it is announced, so that people are asked early, and again right before it runs: a call before it, or
 *     anybody in the time of a question, can have changed what its input stands for (a link where its path leads).
 * RC5 No call that may change something is run with the mark of a redacted secret in its input: the mark would stand for good where
 *     the secret was. Messages to other agents may hold one: they are words, and what the other one does with them is a call of its own.
 */
import type { Json } from '../../../core/json.ts'
import type { ApprovalAnswer, Grant, OpenCall, ToolCall } from '../../../core/session-state.ts'
import { describeThrown } from '../../../errors.ts'
import { markIn } from '../../secrets/redactor.ts'
import type { Tool, ToolContext } from '../../tools/tool.ts'
import type { ApprovalQuestion, TurnContext } from '../../turn-context.ts'
import { teamCallOf } from './team-tools.ts'

/** What permission rules say to a call. */
export type Verdict =
  | { decision: 'allow' }
  | { decision: 'deny'; reason: string }
  | ({ decision: 'ask' } & Pick<ApprovalQuestion, 'reason' | 'subject' | 'detail' | 'grant'>)

export type Judge = (
  tool: Tool,
  /** As the tool takes it, and as the model gave it. */
  input: { parsed: unknown; given: Json },
  context: Pick<ToolContext, 'workingDir'>,
  grants: readonly Grant[],
) => Verdict

export interface CallsOptions {
  context: TurnContext
  tools: ReadonlyMap<string, Tool>
  judge: Judge
  approvalMs: number
}

/** The calls of the open turn that have no result. */
export function openCallsOf(context: TurnContext): OpenCall[] {
  return context.turn().calls.filter(({ state }) => state === 'announced' || state === 'running')
}

/** Resolves when all open calls have their results. Rejects with the reason of the turn's signal, and where recording fails. */
export async function runCalls(options: CallsOptions): Promise<void> {
  const { context } = options
  const plans = openCallsOf(context).map((call) => planOf(options, call))
  const questions = plans.filter(({ asks }) => asks).map((plan) => runPlan(context, plan))
  const inOrder = async (): Promise<void> => {
    for (const plan of plans) if (!plan.asks) await runPlan(context, plan)
  }
  // All of them, also where one fails: no tool runs on beside the end of its turn.
  const results = await Promise.allSettled([...questions, inOrder()])
  context.signal.throwIfAborted()
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) throw failed.reason
}

interface Plan {
  toolCallId: string
  /** It waits for another agent. */
  asks: boolean
  /** Of the first judging (RC4). */
  refusal: Promise<string | undefined>
  judgeAgain: Gate
  run: () => Promise<unknown>
}

/** Judges a call as things are now, and asks whom it has to. Resolves with why the call is not run, or with undefined: it may. */
type Gate = () => Promise<string | undefined>

const OPEN_GATE: Gate = async () => undefined

/** Asks at once what has to be asked. */
function planOf(options: CallsOptions, call: OpenCall): Plan {
  const { context, tools } = options
  const { toolCallId, name } = call
  const refused = (why: string): Plan => ({
    toolCallId,
    asks: false,
    refusal: Promise.resolve(why),
    judgeAgain: OPEN_GATE,
    run: async () => undefined,
  })
  const tool = tools.get(name)
  if (tool === undefined) {
    return refused(`there is no tool ${JSON.stringify(name)}; there are: ${[...tools.keys()].join(', ')}`)
  }
  const announced = announcedCall(context, toolCallId)
  if (announced === undefined) return refused('what it was given is not in the session')
  const { input, problem } = announced
  if (problem !== undefined) return refused(problem)
  let parsed: unknown
  let asked: ReturnType<typeof teamCallOf>
  try {
    parsed = tool.parse(input)
    asked = teamCallOf(name, parsed)
  } catch (error) {
    return refused(describeThrown(error))
  }
  const mark = tool.readOnly || asked ? undefined : markIn(input)
  if (mark !== undefined) return refused(aboutMark(mark))
  // One that has asked already was allowed then.
  const judgeAgain = call.asked ? OPEN_GATE : createGate(options, call, tool, { parsed, given: input })
  const refusal = judgeAgain()
  refusal.catch(() => undefined) // it is awaited in its order
  if (asked?.tool === 'ask') {
    const { agent, message } = asked
    // What the asking fails with is recorded as its result.
    const run = (): Promise<unknown> =>
      context.ask(agent, message, toolCallId).catch(unlessOver(context, toolCallId))
    return { toolCallId, asks: true, refusal, judgeAgain, run }
  }
  if (asked) {
    const { agent, message } = asked
    const run = (): Promise<unknown> =>
      context.tell(agent, message, toolCallId).catch(unlessOver(context, toolCallId))
    return { toolCallId, asks: false, refusal, judgeAgain, run }
  }
  const run = (): Promise<unknown> =>
    context.runTool(
      name,
      input,
      ({ signal }) => tool.execute(parsed, toolContext(context, toolCallId, signal)),
      toolCallId,
    )
  return { toolCallId, asks: false, refusal, judgeAgain, run }
}

function aboutMark(mark: string): string {
  return [
    `not run: the input holds ${mark}.`,
    'This mark stands for a secret, which is kept from you and taken out of what you write too: the mark itself would be written in its place.',
    'To keep a secret that is in a file, change only what is beside it, with an edit that does not touch it.',
    'Where a secret is needed, refer to the environment variable that the mark names, for the program that needs it to read.',
  ].join(' ')
}

async function runPlan(context: TurnContext, { toolCallId, refusal, judgeAgain, run }: Plan): Promise<void> {
  const first = await refusal
  context.signal.throwIfAborted()
  const why = first ?? (await judgeAgain())
  context.signal.throwIfAborted()
  if (why === undefined) await run()
  else await context.refuseTool(toolCallId, why)
}

function createGate(
  { context, judge, approvalMs }: CallsOptions,
  { toolCallId, answer }: OpenCall,
  tool: Tool,
  input: Parameters<Judge>[1],
): Gate {
  /** The subject to which a person has said yes. */
  let approved: string | undefined
  return async () => {
    // Said before a crash or a rest: no to this call, whatever the rules say of it by now.
    if (answer?.decision === 'deny') return refusalIn(answer)
    for (;;) {
      let verdict: Verdict
      try {
        verdict = judge(tool, input, context.session, context.grants)
      } catch (error) {
        // A tool that cannot say what it is about cannot be judged (RC1).
        return `not allowed: ${describeThrown(error)}`
      }
      switch (verdict.decision) {
        case 'allow':
          return undefined
        case 'deny':
          return `not allowed: ${verdict.reason}`
        case 'ask': {
          const { decision: _, ...about } = verdict
          const { subject } = about
          if (subject === approved) return undefined
          const question = { toolCallId, tool: tool.name, ...about, timeoutMs: approvalMs }
          const refused = refusalIn(await context.askApproval(question))
          if (refused !== undefined) return refused
          approved = subject
          break
        }
        default:
          return unknownVerdict(verdict)
      }
    }
  }
}

function refusalIn({ decision, reason, by }: ApprovalAnswer): string | undefined {
  if (decision !== 'deny') return undefined
  if (by === 'timeout') return 'not allowed: nobody answered the question in time'
  return reason === undefined ? 'not allowed by a person' : `not allowed by a person: ${reason}`
}

/** The call as the model made it, by the step that announced it last. */
function announcedCall(context: TurnContext, toolCallId: string): ToolCall | undefined {
  for (const { toolCalls } of context.session.memory.toReversed()) {
    const call = toolCalls?.find((one) => one.toolCallId === toolCallId)
    if (call) return call
  }
  return undefined
}

function toolContext(context: TurnContext, toolCallId: string, signal: AbortSignal): ToolContext {
  const { agentId, session, message } = context
  return {
    agentId,
    sessionId: session.id,
    turnId: message.turnId,
    toolCallId,
    workingDir: session.workingDir,
    vars: session.vars,
    metadata: session.metadata,
    signal,
    emit: (text) => context.emit(text),
    updateSession: (changes) => context.updateSession(changes),
  }
}

/** Where the call got its result, its failure is told by that. */
function unlessOver(context: TurnContext, toolCallId: string): (error: unknown) => void {
  return (error) => {
    if (openCallsOf(context).some((call) => call.toolCallId === toolCallId)) throw error
  }
}

function unknownVerdict(verdict: never): never {
  throw new Error(`unexpected verdict ${JSON.stringify(verdict)}`)
}
