/** Specs of servers and calls of their tools, for tests and for processes that tests start. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../../src/core/json.ts'
import type { ToolResult } from '../../../src/behavior.ts'
import type { McpServerSpec } from '../../../src/llm-spec.ts'
import type { Tool, ToolContext } from '../../../src/runtime/tools/tool.ts'

const ROGUE = fileURLToPath(new URL('rogue-server.ts', import.meta.url))

export type StdioSpec = Extract<McpServerSpec, { type: 'stdio' }>

export function stdio(script: string, args: string[], changes: Partial<StdioSpec> = {}): StdioSpec {
  return {
    type: 'stdio',
    command: process.execPath,
    args: [script, ...args],
    env: {},
    envFrom: [],
    startMs: 20_000,
    ...changes,
  }
}

export function rogue(mode: string, changes: Partial<StdioSpec> = {}): StdioSpec {
  return stdio(ROGUE, [mode], changes)
}

/** The entry file of a server that is installed as a package. */
export function installed(name: string): string {
  const manifest = createRequire(import.meta.url).resolve(`@modelcontextprotocol/${name}/package.json`)
  return join(manifest, '..', 'dist', 'index.js')
}

export function call(
  tools: Tool[],
  name: string,
  input: Json = {},
  signal?: AbortSignal,
): Promise<ToolResult> {
  return callWith(tools, name, input, signal === undefined ? {} : { signal })
}

export async function callWith(
  tools: Tool[],
  name: string,
  input: Json,
  context: Partial<ToolContext>,
): Promise<ToolResult> {
  const tool = tools.find((one) => one.name === name)
  if (tool === undefined) throw new Error(`no tool ${name} in ${tools.map((one) => one.name).join(', ')}`)
  const result = await tool.execute(tool.parse(input), {
    agentId: 'a',
    sessionId: 's',
    turnId: 't',
    toolCallId: 'c',
    workingDir: '/',
    vars: {},
    metadata: {},
    signal: new AbortController().signal,
    emit: () => {},
    updateSession: () => Promise.resolve(),
    ...context,
  })
  return typeof result === 'string' ? { content: result } : result
}
