import { isAbsolute } from 'node:path'
import { quote } from '../../core/ids.ts'
import { didYouMean } from '../../core/suggest.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import { defaultOf, loadModule } from '../load-module.ts'
import { isTool } from './define-tool.ts'
import type { Tool } from './tool.ts'

export interface LoadToolsOptions {
  /** By name: createBuiltInTools, and whatever else the agent is offered by name. */
  builtIn: ReadonlyMap<string, Tool>
}

export interface LoadedTools {
  /** In the order of their names in the list. */
  tools: Tool[]
  /** True where code that is not Agentry's was loaded: the thread is never handed to another agent afterwards. */
  userModule: boolean
}

/**
 * The tools of a list of built-in names and absolute paths of modules whose default export is a tool of defineTool, or a list of
 * them. Throws `start_failed` for a name that is not known or comes twice, and for a module that does not load or has no tool.
 */
export async function loadTools(names: readonly string[], options: LoadToolsOptions): Promise<LoadedTools> {
  const tools = new Map<string, Tool>()
  let userModule = false
  for (const name of names) {
    const isModule = isAbsolute(name)
    userModule ||= isModule
    for (const tool of isModule ? await toolsOfModule(name) : [builtInTool(name, options.builtIn)]) {
      if (tools.has(tool.name)) {
        throw new AgentryError(
          'start_failed',
          `tools: ${quote(tool.name)} comes twice, expected each name once`,
        )
      }
      tools.set(tool.name, tool)
    }
  }
  return { tools: [...tools.values()], userModule }
}

function builtInTool(name: string, builtIn: ReadonlyMap<string, Tool>): Tool {
  const tool = builtIn.get(name)
  if (tool !== undefined) return tool
  const known = [...builtIn.keys()]
  throw new AgentryError(
    'start_failed',
    `tools: expected one of ${known.join(', ')}, or the absolute path of a module, received ${quote(name)}${didYouMean(name, known)}`,
  )
}

async function toolsOfModule(path: string): Promise<Tool[]> {
  let exported: unknown
  try {
    exported = defaultOf(await loadModule(path))
  } catch (error) {
    throw new AgentryError('start_failed', `tool module ${path} does not load: ${describeThrown(error)}`, {
      cause: error,
    })
  }
  const list: unknown[] = Array.isArray(exported) ? exported : [exported]
  if (list.length > 0 && list.every(isTool)) return list
  throw new AgentryError(
    'start_failed',
    `tool module ${path}: expected a default export made by defineTool, or a list of such, received ${typeof exported}`,
  )
}
