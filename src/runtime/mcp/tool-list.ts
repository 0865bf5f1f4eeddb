/** Reads what tools a server has: all pages, in bounded number and size. */
import type { Client, Tool as SdkTool } from '@modelcontextprotocol/client'
import { assertJson, type Json } from '../../core/json.ts'
import { AgentryError, describeThrown } from '../../errors.ts'
import { shortened } from '../../core/shortened.ts'

const MAX_TOOLS = 256
const MAX_PAGES = 64
const MAX_DESCRIPTION = 8_192
const MAX_NAME = 1_024
/** Of a name that is left out. */
const SHOWN_NAME = 100
const MAX_SCHEMA_BYTES = 64 * 1024

export interface ServerTool {
  /** As the server calls it. */
  name: string
  description: string
  inputSchema: { [key: string]: Json }
}

export interface ToolList {
  tools: ServerTool[]
  /** What was left out, and why. */
  leftOut: string[]
}

/** Rejects with what the server answered, or `tool_failed` where its list does not end. */
export async function readToolList(
  client: Client,
  options: { signal: AbortSignal; timeout: number },
): Promise<ToolList> {
  if (client.getServerCapabilities()?.tools === undefined) return { tools: [], leftOut: [] }
  const tools = new Map<string, ServerTool>()
  const leftOut: string[] = []
  let cursor: string | undefined
  for (let page = 0; page < MAX_PAGES; page++) {
    const params = cursor === undefined ? {} : { cursor }
    const answer = await client.request({ method: 'tools/list', params }, options)
    for (const tool of answer.tools) {
      const name = shortened(tool.name, SHOWN_NAME)
      if (tools.has(tool.name)) leftOut.push(`${name}: listed twice`)
      else if (tools.size >= MAX_TOOLS) leftOut.push(`${name}: more than ${MAX_TOOLS} tools`)
      else if (tool.name.length > MAX_NAME)
        leftOut.push(`${name}: a name of more than ${MAX_NAME} characters`)
      else addTool(tool, tools, leftOut)
    }
    cursor = answer.nextCursor
    if (cursor === undefined) return { tools: [...tools.values()], leftOut }
  }
  throw new AgentryError('tool_failed', `its list of tools has more than ${MAX_PAGES} pages`)
}

function addTool(tool: SdkTool, tools: Map<string, ServerTool>, leftOut: string[]): void {
  try {
    const inputSchema: unknown = tool.inputSchema
    assertJson(inputSchema, 'inputSchema')
    if (inputSchema === null || typeof inputSchema !== 'object' || Array.isArray(inputSchema)) {
      throw new AgentryError('invalid_input', 'inputSchema: expected an object')
    }
    const bytes = Buffer.byteLength(JSON.stringify(inputSchema))
    if (bytes > MAX_SCHEMA_BYTES) {
      throw new AgentryError(
        'invalid_input',
        `inputSchema: expected at most ${MAX_SCHEMA_BYTES} bytes, received ${bytes}`,
      )
    }
    tools.set(tool.name, {
      name: tool.name,
      description: shortened(tool.description ?? tool.title ?? '', MAX_DESCRIPTION),
      inputSchema,
    })
  } catch (error) {
    leftOut.push(`${shortened(tool.name, SHOWN_NAME)}: ${describeThrown(error)}`)
  }
}
