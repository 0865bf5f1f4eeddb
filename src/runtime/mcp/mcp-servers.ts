/** The MCP servers of one agent, and their tools as tools of the agent. */
import { type Clock, systemClock } from '../../core/clock.ts'
import { assertJson, type JsonObject } from '../../core/json.ts'
import { AgentryError } from '../../errors.ts'
import type { McpServerSpec } from '../../llm-spec.ts'
import { Reaper } from '../processes/reaper.ts'
import type { Tool } from '../tools/tool.ts'
import { McpServer } from './mcp-server.ts'
import { toolNames } from './tool-names.ts'
import type { ServerTool } from './tool-list.ts'

export interface McpServersOptions {
  /** Where servers that are processes run, absolute. */
  workingDir: string
  /** The supervisor's: tokens and what `envFrom` names are read from it. Default: this process's. */
  environment?: NodeJS.ProcessEnv
  clock?: Clock
  /** Told in a sentence what went wrong with a server. May hold what the server said, at length: redact and cut it. */
  onNote?: (message: string) => void
  /** How long a call may take until it is cancelled. Default 300,000. */
  callMs?: number
  /** How long a server that is a process may take to end once its input is closed, and again after SIGTERM. Default 1,000. */
  graceMs?: number
  /** A number in [0, 1). Default Math.random. */
  random?: () => number
}

export interface McpServers {
  /**
   * The tools of all servers, in the order of the servers. The first call starts them all at once; each has its own deadline.
   * The tools of a server that is not there are left out, and `onNote` is told why. Ask again at each turn: servers are
   * tried again, and lists that have changed are read again. Rejects with the signal's reason only.
   */
  tools(signal?: AbortSignal): Promise<Tool[]>
  /** What `onNote` was told of the servers that are not there now, by their names: for looks at a state, as tests need them. */
  failures(): Map<string, string>
  /** Ends all servers; resolves when nothing is left of those that are processes. Idempotent. */
  close(): Promise<void>
}

/** Starts nothing yet. */
export function createMcpServers(
  specs: Readonly<Record<string, McpServerSpec>>,
  options: McpServersOptions,
): McpServers {
  const reaper = new Reaper()
  const { environment = process.env, clock = systemClock, onNote = () => {} } = options
  const { workingDir, callMs = 300_000, random = Math.random, graceMs = 1_000 } = options
  const servers = Object.entries(specs).map(
    ([name, spec]) =>
      new McpServer(name, spec, { workingDir, environment, clock, onNote, callMs, random, graceMs, reaper }),
  )
  return {
    async tools(signal = new AbortController().signal) {
      const lists = await Promise.all(servers.map((server) => server.tools(signal)))
      return toTools(
        servers.flatMap((server, index) => (lists[index] ?? []).map((tool) => ({ server, tool }))),
      )
    },
    failures: () =>
      new Map(
        servers.flatMap(({ name, failure }): [string, string][] =>
          failure === undefined ? [] : [[name, failure]],
        ),
      ),
    async close() {
      await Promise.all(servers.map((server) => server.close()))
      await reaper.close()
    },
  }
}

function toTools(all: readonly { server: McpServer; tool: ServerTool }[]): Tool[] {
  const names = toolNames(all.map(({ server, tool }) => ({ server: server.name, tool: tool.name })))
  const tools = all.map(({ server, tool }, index) => toTool(server, tool, names[index] ?? ''))
  // A name with a hash can be another's real one, were it made to be: the first keeps it.
  return [...Map.groupBy(tools, ({ name }) => name).values()].flatMap((same) => same.slice(0, 1))
}

function toTool(server: McpServer, tool: ServerTool, name: string): Tool<JsonObject> {
  return {
    name,
    description: tool.description,
    inputSchema: tool.inputSchema,
    // The server checks what it is given by its own schema.
    parse: (input) => parseInput(input, name),
    // Servers may call a tool read-only; nobody vouches for it.
    readOnly: false,
    execute: (input, context) =>
      server.call(tool.name, input, {
        signal: context.signal,
        emit: (text) => context.emit(`${text}\n`),
      }),
  }
}

function parseInput(input: unknown, name: string): JsonObject {
  const value = input ?? {}
  assertJson(value, name)
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new AgentryError(
    'invalid_input',
    `${name}: expected an object, received ${JSON.stringify(value).slice(0, 100)}`,
  )
}
