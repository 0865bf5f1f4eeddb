/** Puts an `llm` agent together: models, tools, servers, permissions. Loaded only where an agent has that behavior. */
import { systemClock } from '../../../core/clock.ts'
import { assertRulesNameTools, unknownServerTools } from '../../../core/permissions/rules.ts'
import { AgentryError, describeThrown } from '../../../errors.ts'
import type { LlmSpec } from '../../../llm-spec.ts'
import { createMcpServers } from '../../mcp/mcp-servers.ts'
import { createModelSet } from '../../models/model-set.ts'
import { Reaper } from '../../processes/reaper.ts'
import { createBuiltInTools } from '../../tools/built-in-tools.ts'
import { loadTools } from '../../tools/load-tools.ts'
import type { Tool } from '../../tools/tool.ts'
import type { TurnContext } from '../../turn-context.ts'
import type { StayOptions } from '../../../protocol/stay.ts'
import type { LoadedBehavior } from '../../load-behavior.ts'
import { cappedTool } from './capped-tool.ts'
import { createJudge } from './judge.ts'
import { createLlmBehavior } from './llm-behavior.ts'
import { createTeamTools } from './team-tools.ts'

/** Most bytes of one result of a tool: more would fill what a model can read. */
const TOOL_OUTPUT_BYTES = 64 * 1024

/** Throws `start_failed` where a tool's module does not load. Models and servers are first asked when a turn needs them. */
export async function loadLlmBehavior(
  { spec, limits, models, store }: Pick<StayOptions, 'spec' | 'limits' | 'models' | 'store'>,
  onNote: (message: string) => void,
): Promise<LoadedBehavior> {
  const { llm } = spec
  if (llm === undefined) throw new AgentryError('internal', `agent ${spec.id} has no settings for its model`)
  const reaper = new Reaper()
  let turn: TurnContext | undefined
  const turnOf = (): TurnContext => {
    if (turn === undefined) throw new AgentryError('internal', 'no turn runs')
    return turn
  }
  const outputBytes = Math.min(TOOL_OUTPUT_BYTES, limits.resultBytes)
  const builtIn = new Map([
    ...createBuiltInTools({
      reaper,
      dataDirectory: store.directory,
      allowedPaths: llm.allowedPaths,
      outputBytes,
    }),
    ...createTeamTools(turnOf),
  ])
  const { tools, userModule } = await loadTools(llm.tools, { builtIn })
  assertRulesFit(llm, [...builtIn.keys(), ...tools.map(({ name }) => name)])
  // The built-in ones cap themselves, and say how to read on.
  const own = tools.map((tool) => (builtIn.get(tool.name) === tool ? tool : cappedTool(tool, outputBytes)))
  const servers = createMcpServers(llm.mcpServers, { workingDir: spec.workingDir, onNote })
  const told = new Set<string>()
  const tellUnknown = (served: readonly Tool[]): void => {
    const names = served.map(({ name }) => name)
    for (const name of unknownServerTools(llm.permissions, names).filter((one) => !told.has(one))) {
      told.add(name)
      onNote(`permissions: there is no tool ${name}, so that its rule holds for nothing`)
    }
  }
  const toolsOf = async (context: TurnContext): Promise<ReadonlyMap<string, Tool>> => {
    turn = context
    const served = await servers.tools(context.signal)
    tellUnknown(served)
    const capped = served.map((tool) => cappedTool(tool, outputBytes))
    return new Map([...capped, ...own].map((tool): [string, Tool] => [tool.name, tool]))
  }
  const behavior = createLlmBehavior({
    spec,
    llm,
    models: createModelSet(models, process.env, systemClock),
    tools: toolsOf,
    judge: createJudge(llm.permissions, store.directory),
    teamLimits: limits,
    async close() {
      await Promise.all([servers.close(), reaper.close()])
    },
  })
  return { behavior, userModule }
}

function assertRulesFit({ permissions, mcpServers }: LlmSpec, tools: readonly string[]): void {
  try {
    assertRulesNameTools(permissions, { tools, servers: Object.keys(mcpServers) })
  } catch (error) {
    throw new AgentryError('start_failed', `permissions: ${describeThrown(error)}`, { cause: error })
  }
}
