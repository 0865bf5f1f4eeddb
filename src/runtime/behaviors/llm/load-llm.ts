/** Puts an `llm` agent together: models, tools, servers, permissions. Loaded only where an agent has that behavior. */
import { systemClock } from '../../../core/clock.ts'
import { AgentryError } from '../../../errors.ts'
import { createMcpServers } from '../../mcp/mcp-servers.ts'
import { createModelSet } from '../../models/model-set.ts'
import { Reaper } from '../../processes/reaper.ts'
import { createBuiltInTools } from '../../tools/built-in-tools.ts'
import { loadTools } from '../../tools/load-tools.ts'
import type { Tool } from '../../tools/tool.ts'
import type { TurnContext } from '../../turn-context.ts'
import type { StayOptions } from '../../../protocol/stay.ts'
import type { LoadedBehavior } from '../../load-behavior.ts'
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
  const builtIn = new Map([
    ...createBuiltInTools({
      reaper,
      dataDirectory: store.directory,
      allowedPaths: llm.allowedPaths,
      outputBytes: Math.min(TOOL_OUTPUT_BYTES, limits.resultBytes),
    }),
    ...createTeamTools(turnOf),
  ])
  const { tools, userModule } = await loadTools(llm.tools, { builtIn })
  const servers = createMcpServers(llm.mcpServers, { workingDir: spec.workingDir, onNote })
  const toolsOf = async (context: TurnContext): Promise<ReadonlyMap<string, Tool>> => {
    turn = context
    const own = tools.map((tool): [string, Tool] => [tool.name, tool])
    const served = await servers.tools(context.signal)
    return new Map([...served.map((tool): [string, Tool] => [tool.name, tool]), ...own])
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
