/** A team of llm agents on threads, and the model server that they ask. */
import { onTestFinished } from 'vitest'
import type { Agent, AgentSpecInput, Team } from '../../src/api.ts'
import type { MemoryEntry } from '../../src/core/session-state.ts'
import type { TurnEvent } from '../../src/protocol/from-agent.ts'
import { type ModelServer, type ModelServerOptions, startModelServer } from '../fakes/model-server.ts'
import { openTeam } from '../fakes/open-team.ts'
import { temporaryDirectory } from '../fakes/temporary-directory.ts'

type TeamOptions = NonNullable<Parameters<typeof openTeam>[0]>
type LlmInput = Partial<AgentSpecInput>

export interface LlmTeam {
  team: Team
  server: ModelServer
  /** Where all its agents work. */
  workingDir: string
  data: string
  agent: (id?: string) => Agent
  /** Of the current session. */
  memory: (id?: string) => Promise<MemoryEntry[]>
}

/** The providers `fake` and `claude` are the same server by its two protocols. */
export function providersOf({ openaiURL, anthropicURL }: ModelServer): NonNullable<TeamOptions['providers']> {
  return {
    fake: { type: 'openai-compatible', baseURL: openaiURL },
    claude: { type: 'anthropic', baseURL: anthropicURL, apiKeyEnv: 'FAKE_CLAUDE_KEY' },
  }
}

/** Closed with the running test. The only agent is `coder`, unless others are named; it may do everything. */
export async function llmTeam(
  reply: ModelServerOptions['reply'],
  agents: { [id: string]: LlmInput } = { coder: {} },
  options: TeamOptions = {},
): Promise<LlmTeam> {
  process.env['FAKE_CLAUDE_KEY'] = 'key-of-the-fake-claude'
  const server = await startModelServer({ reply })
  onTestFinished(() => server.close())
  const workingDir = temporaryDirectory()
  const data = temporaryDirectory()
  const specs = Object.entries(agents).map(([id, spec]) => specOf(id, workingDir, spec))
  const team = await openTeam({ data, providers: providersOf(server), agents: specs, ...options })
  const agent = (id = specs[0]?.id ?? ''): Agent => {
    const found = team.agent(id)
    if (found === undefined) throw new Error(`no agent ${id}`)
    return found
  }
  return {
    team,
    server,
    workingDir,
    data,
    agent,
    memory: async (id) => (await team.readSession(agent(id).currentSession()?.id ?? '')).memory,
  }
}

export function specOf(id: string, workingDir: string, spec: LlmInput = {}): AgentSpecInput {
  return { id, behavior: 'llm', model: 'fake/m', permissions: { '*': 'allow' }, workingDir, ...spec }
}

/** What was said in a conversation: role and text, and for calls their names. */
export function said(memory: readonly MemoryEntry[]): string[] {
  return memory.map(({ role, content, toolCalls = [] }) =>
    [`${role}:`, ...(content === '' ? [] : [content]), ...toolCalls.map(({ name }) => `<${name}>`)].join(' '),
  )
}

export async function eventsOf(agent: Agent, input: string): Promise<TurnEvent[]> {
  return Array.fromAsync(agent.stream(input))
}

export function call(
  name: string,
  input: unknown,
  id?: string,
): { toolCall: { name: string; input: unknown } } {
  return { toolCall: { name, input, ...(id !== undefined && { id }) } }
}
