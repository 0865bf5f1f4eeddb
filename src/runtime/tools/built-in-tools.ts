import type { Clock } from '../../core/clock.ts'
import type { Reaper } from '../processes/reaper.ts'
import { createEditTool } from './edit.ts'
import { createFetchTool } from './fetch.ts'
import type { FileToolOptions } from './file-tool-options.ts'
import { Confinement } from './files/confinement.ts'
import { createGlobTool } from './glob.ts'
import { createGrepTool } from './grep.ts'
import { createListTool } from './list.ts'
import { recallTool, rememberTool } from './memo.ts'
import { createReadTool } from './read.ts'
import { createShellTool } from './shell.ts'
import { todoTool } from './todo.ts'
import type { Tool } from './tool.ts'
import { createWriteTool } from './write.ts'

export interface BuiltInToolOptions {
  /** Ends what `shell` runs where the thread ends; its owner closes it with the stay. */
  reaper: Reaper
  clock?: Clock
  /** Where sessions are kept: no file tool reaches it. Undefined: none is kept in files. */
  dataDirectory?: string | undefined
  /** Absolute paths beside the working directory that file tools may reach. */
  allowedPaths: readonly string[]
  /** Most bytes of one result, at least 1,024: more is cut, and marked. */
  outputBytes: number
}

/**
 * The tools that come with Agentry and need nothing of the team, by name. One set for each stay of an agent.
 */
export function createBuiltInTools(options: BuiltInToolOptions): Map<string, Tool> {
  const { reaper, clock, dataDirectory, allowedPaths, outputBytes } = options
  const files: FileToolOptions = {
    confinement: new Confinement({ allowedPaths, dataDirectory }),
    outputBytes,
    clock,
  }
  const tools = [
    createReadTool(files),
    createWriteTool(files),
    createEditTool(files),
    createListTool(files),
    createGlobTool(files),
    createGrepTool(files),
    createShellTool({ reaper, outputBytes, clock }),
    createFetchTool({ outputBytes, clock }),
    rememberTool,
    recallTool,
    todoTool,
  ]
  return new Map(tools.map((tool) => [tool.name, tool]))
}
