/**
 * The behavior `llm`: model step, tools, model step, until the model asks for nothing more.
 *
 * LB1 Every step is durable before anything is done with it; one that asks for nothing, before anyone is told of it. A turn that is taken up again (after a crash, a rest, a stop) goes on from
 *     the session alone: open calls first, then the next step; nothing that has a result is done again.
 * LB2 A model's answer counts only when it is complete. What it said until a failure is not in the session.
 * LB3 The turn's result is its last recorded step.
 */
import type { AgentSpec } from '../../../agent-spec.ts'
import type { Behavior, BehaviorContext } from '../../../behavior.ts'
import type { LlmSpec } from '../../../llm-spec.ts'
import { type ModelSet, isContextTooLong } from '../../models/model-set.ts'
import type { ModelStep } from '../../models/model-step.ts'
import type { Tool } from '../../tools/tool.ts'
import type { TurnContext } from '../../turn-context.ts'
import { isNearlyFull, SUMMARY_INSTRUCTIONS, summarize, throughSeqOf } from './compaction.ts'
import { toConversation } from './conversation.ts'
import { instructionsOf } from './instructions.ts'
import { assertWithinLimits, type SpendingLimits } from './limits.ts'
import { type Judge, openCallsOf, runCalls } from './run-calls.ts'

export interface LlmBehaviorOptions {
  spec: AgentSpec
  llm: LlmSpec
  models: ModelSet
  /** The tools of a turn: asked for once in each. */
  tools: (context: TurnContext) => Promise<ReadonlyMap<string, Tool>>
  judge: Judge
  teamLimits: SpendingLimits
  close: () => Promise<void>
}

/** Shares of the window that stay as they were said, tried one after the other where the model says that it does not fit. */
const KEPT_SHARES = [0.3, 0.1, 0]

export function createLlmBehavior(options: LlmBehaviorOptions): Behavior {
  return {
    name: 'llm',
    resumable: true,
    run: (_message: string, context: BehaviorContext) => runTurn(options, asTurnContext(context)),
    close: options.close,
  }
}

/** Resolves with nothing: the last step is the result (LB3). */
async function runTurn(options: LlmBehaviorOptions, context: TurnContext): Promise<undefined> {
  const { llm, judge, spec, teamLimits } = options
  const tools = await options.tools(context)
  const offered = [...tools.values()]
  for (;;) {
    if (openCallsOf(context).length > 0) {
      await runCalls({ context, tools, judge, approvalMs: llm.approvalMs })
    }
    const steered = await context.takeSteering()
    if (steered.length === 0 && isAnswered(context)) return undefined
    await assertWithinLimits(spec.limits, teamLimits, context)
    if (isNearlyFull(context.session.memory, context.summary, llm.contextTokens)) {
      await compact(options, context)
    }
    const { content, toolCalls, model, reasoning, usage, finishReason } = await nextStep(
      options,
      context,
      offered,
    )
    const step = {
      content: content + cutMark(finishReason),
      model,
      ...(reasoning !== undefined && { reasoning }),
      ...(usage && { usage }),
    }
    if (toolCalls.length > 0) await context.recordStep({ ...step, toolCalls })
    else context.addAnswer(step)
  }
}

/** True where the last thing in the turn is an answer that asks for nothing. */
function isAnswered(context: TurnContext): boolean {
  const last = context.session.memory.at(-1)
  return last?.role === 'assistant' && last.turnId === context.message.turnId && !last.toolCalls?.length
}

/** Said in the answer itself, so that nobody takes a part for the whole. */
function cutMark(finish: ModelStep['finishReason']): string {
  switch (finish) {
    case 'length':
      return '\n[the answer was cut off: it reached the longest that is allowed]'
    case 'content-filter':
      return '\n[the answer was ended by a content filter of the provider]'
    default:
      return ''
  }
}

/** The model's next answer. Where the conversation does not fit, more and more of it is summed up. */
async function nextStep(
  options: LlmBehaviorOptions,
  context: TurnContext,
  offered: readonly Tool[],
): Promise<ModelStep> {
  const { spec, llm, models } = options
  const ask = (): Promise<ModelStep> =>
    models.step({
      ...sharedRequest(llm, context),
      instructions: instructionsOf(spec, context.session),
      conversation: toConversation(context.session.memory, context.summary),
      tools: offered,
      onText: (text) => context.emit(text),
      onReasoning: (text) => context.emitReasoning(text),
    })
  for (const keptShare of KEPT_SHARES) {
    try {
      return await ask()
    } catch (error) {
      if (!isContextTooLong(error) || !(await compact(options, context, keptShare))) throw error
    }
  }
  return ask()
}

/** False where nothing can be summed up. */
async function compact(
  { llm, models }: LlmBehaviorOptions,
  context: TurnContext,
  keptShare?: number,
): Promise<boolean> {
  const { session, summary } = context
  const throughSeq = throughSeqOf(session.memory, summary, llm.contextTokens, keptShare)
  if (throughSeq === undefined) return false
  const made = await summarize(session.memory, summary, throughSeq, llm.contextTokens, async (text) => {
    const { content, usage } = await models.step({
      ...sharedRequest(llm, context),
      instructions: SUMMARY_INSTRUCTIONS,
      conversation: [{ role: 'user', content: text }],
      tools: [],
      onText: () => undefined,
      onReasoning: () => undefined,
    })
    return { summary: content, ...(usage && { usage }) }
  })
  await context.recordSummary({ ...made, throughSeq })
  return true
}

function sharedRequest(
  llm: LlmSpec,
  context: TurnContext,
): Pick<
  Parameters<ModelSet['step']>[0],
  'model' | 'fallbacks' | 'maxOutputTokens' | 'temperature' | 'signal' | 'onRetry'
> {
  return {
    model: llm.model,
    fallbacks: llm.fallbacks,
    ...(llm.maxOutputTokens !== undefined && { maxOutputTokens: llm.maxOutputTokens }),
    ...(llm.temperature !== undefined && { temperature: llm.temperature }),
    signal: context.signal,
    onRetry: (retry) => context.emitRetry(retry),
  }
}

/** Agentry's runtime gives every behavior the wider context; only its own behaviors know. */
function asTurnContext(context: BehaviorContext): TurnContext {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return context as TurnContext
}
