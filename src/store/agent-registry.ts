/**
 * `.agentry/agents.json`: which agents there are, so that a start brings back all of them. Written by the supervisor alone.
 *
 *   { "formatVersion": 1, "agents": [ { "spec": {…AgentSpec…}, "stopped": false }, … ] }    in the order of their start
 *
 * Invariants:
 * G1  a change is durable when its call returns. Where the call throws, the registry is as before; the file is as before or has the
 *     change, whole, until the next write.
 * G2  a file that cannot be understood is never overwritten: it is set aside first; one of a newer format is not touched at all.
 */
import { z } from 'zod'
import type { AgentSpec } from '../agent-spec.ts'
import { PERMISSIONS } from '../core/permissions/rule-types.ts'
import { RESTART_TYPES } from '../core/restart-policy.ts'
import type { LlmSpec } from '../llm-spec.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import { type DurableFs, systemFs, writeFileAtomic } from './durable-fs.ts'
import { ownFilesOf, readOwnFile } from './own-files.ts'
import { moveAside } from './quarantine.ts'
import { type Folders, foldersOf } from './session-files.ts'
import type { SessionNote } from './session-store.ts'

/** The version that this code writes, and the highest that it reads. */
const FORMAT_VERSION = 1

export interface RegisteredAgent {
  readonly spec: AgentSpec
  /** Stopped on request: not started with the team. */
  readonly stopped: boolean
  /** Set where the agent comes from the team's configuration, not from a spawn. */
  readonly configured?: true
}

const words = z.record(z.string(), z.string())
const permission = z.enum(PERMISSIONS)
const patterns = z.array(z.string()).exactOptional()

const mcpServerSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('stdio'),
    command: z.string(),
    args: z.array(z.string()),
    env: words,
    envFrom: z.array(z.string()),
    startMs: z.number(),
  }),
  z.object({
    type: z.literal('http'),
    url: z.string(),
    headers: words,
    tokenEnv: z.string().exactOptional(),
    startMs: z.number(),
  }),
])

/** Keys in the order in which they are resolved: specs are compared as JSON. */
const llmSchema: z.ZodType<LlmSpec> = z.object({
  model: z.string(),
  fallbacks: z.array(z.string()),
  tools: z.array(z.string()),
  permissions: z.record(
    z.string(),
    z.union([
      permission,
      z.object({ allow: patterns, ask: patterns, deny: patterns, default: permission.exactOptional() }),
    ]),
  ),
  mcpServers: z.record(z.string(), mcpServerSchema),
  allowedPaths: z.array(z.string()),
  maxOutputTokens: z.number().exactOptional(),
  temperature: z.number().exactOptional(),
  contextTokens: z.number(),
  approvalMs: z.number(),
})

const specSchema: z.ZodType<AgentSpec> = z.object({
  id: z.string(),
  role: z.string(),
  behavior: z.string(),
  instructions: z.string(),
  workingDir: z.string(),
  restart: z.object({ type: z.enum(RESTART_TYPES), maxRestarts: z.number(), withinMs: z.number() }),
  limits: z.object({
    memoryMb: z.number(),
    turnMs: z.number(),
    maxSteps: z.number().exactOptional(),
    maxTokens: z.number().exactOptional(),
    maxCostUsd: z.number().exactOptional(),
    sessionTokens: z.number().exactOptional(),
    sessionCostUsd: z.number().exactOptional(),
  }),
  llm: llmSchema.exactOptional(),
})

const fileSchema = z.object({
  formatVersion: z.literal(FORMAT_VERSION),
  agents: z
    .array(z.object({ spec: specSchema, stopped: z.boolean(), configured: z.literal(true).exactOptional() }))
    .refine((agents) => new Set(agents.map(({ spec }) => spec.id)).size === agents.length, 'an id twice'),
})

const versionSchema = z.object({ formatVersion: z.int() })

export class AgentRegistry {
  readonly #fs: DurableFs
  readonly #path: string
  #agents: readonly RegisteredAgent[]
  /** What was wrong with the file when it was opened. */
  readonly notes: readonly SessionNote[]

  constructor(
    fs: DurableFs,
    path: string,
    agents: readonly RegisteredAgent[],
    notes: readonly SessionNote[],
  ) {
    this.#fs = fs
    this.#path = path
    this.#agents = agents
    this.notes = notes
  }

  /** In the order of their start. */
  all(): readonly RegisteredAgent[] {
    return this.#agents
  }

  get(agentId: string): RegisteredAgent | undefined {
    return this.#agents.find(({ spec }) => spec.id === agentId)
  }

  /** Adds an agent as the last one, or replaces it where it stands. */
  put(spec: AgentSpec, stopped = false, configured = false): void {
    const agent: RegisteredAgent = { spec, stopped, ...(configured && { configured }) }
    const known = this.#agents.some((other) => other.spec.id === spec.id)
    this.#write(
      known
        ? this.#agents.map((other) => (other.spec.id === spec.id ? agent : other))
        : [...this.#agents, agent],
    )
  }

  /** False where there was no such agent. */
  remove(agentId: string): boolean {
    const left = this.#agents.filter(({ spec }) => spec.id !== agentId)
    if (left.length === this.#agents.length) return false
    this.#write(left)
    return true
  }

  /** Throws `agent_not_found`. */
  setStopped(agentId: string, stopped: boolean): void {
    const agent = this.get(agentId)
    if (agent === undefined) {
      throw new AgentryError('agent_not_found', `no agent ${agentId} is registered`, { data: { agentId } })
    }
    if (agent.stopped !== stopped) this.put(agent.spec, stopped, agent.configured)
  }

  #write(agents: readonly RegisteredAgent[]): void {
    const content = `${JSON.stringify({ formatVersion: FORMAT_VERSION, agents }, null, 2)}\n`
    writeFileAtomic(this.#fs, this.#path, content)
    this.#agents = agents
  }
}

/**
 * The registry of an owned data directory. One that cannot be understood goes to the quarantine, with a note, and an empty one takes
 * its place: sessions are not touched by that.
 *
 * Throws `unsupported_format` for a file of a newer version, `storage_failed` for one that cannot be read.
 */
export function openRegistry(directory: string, fs: DurableFs = systemFs): AgentRegistry {
  const folders = foldersOf(directory)
  const path = ownFilesOf(folders).agents
  const file = readOwnFile(fs, path)
  if (file.kind === 'missing') return new AgentRegistry(fs, path, [], [])
  const parsed = file.kind === 'file' ? parse(file.content, path) : file.reason
  if (typeof parsed === 'string') return startAgain(fs, folders, path, parsed)
  return new AgentRegistry(fs, path, parsed, [])
}

/**
 * What is wrong with the registry of a data directory; undefined where it is good or missing. Changes nothing: openRegistry sets such
 * a file aside. Throws like openRegistry.
 */
export function registryFault(directory: string, fs: DurableFs = systemFs): string | undefined {
  const path = ownFilesOf(foldersOf(directory)).agents
  const file = readOwnFile(fs, path)
  if (file.kind === 'missing') return undefined
  const parsed = file.kind === 'file' ? parse(file.content, path) : file.reason
  return typeof parsed === 'string' ? `${path} could not be understood (${parsed})` : undefined
}

/**
 * The registered agents, for who does not own the directory; none where the file is missing or not understood. Changes nothing. Throws
 * like openRegistry.
 */
export function readRegisteredAgents(
  directory: string,
  fs: DurableFs = systemFs,
): readonly RegisteredAgent[] {
  const path = ownFilesOf(foldersOf(directory)).agents
  const file = readOwnFile(fs, path)
  const parsed = file.kind === 'file' ? parse(file.content, path) : []
  return typeof parsed === 'string' ? [] : parsed
}

/** The agents in the file, or why there are none. */
function parse(content: string, path: string): RegisteredAgent[] | string {
  let json: unknown
  try {
    json = JSON.parse(content)
  } catch (error) {
    return describeThrown(error)
  }
  const version = versionSchema.safeParse(json)
  if (version.success && version.data.formatVersion > FORMAT_VERSION) {
    const message = `${path}: expected formatVersion ${FORMAT_VERSION}, found ${version.data.formatVersion}; it was left as it is`
    throw new AgentryError('unsupported_format', message, {
      data: { path, formatVersion: version.data.formatVersion },
    })
  }
  const parsed = fileSchema.safeParse(json)
  return parsed.success ? parsed.data.agents : z.prettifyError(parsed.error)
}

function startAgain(fs: DurableFs, folders: Folders, path: string, reason: string): AgentRegistry {
  const place = moveAside(fs, folders, path, 'agents.json')
  fs.syncDirectory(folders.own)
  const message =
    `${path} could not be understood (${reason}) and is now ${place}: no agent is registered until it is spawned again. ` +
    'The sessions are untouched, and an agent that is spawned under its old id has them back.'
  return new AgentRegistry(fs, path, [], [{ kind: 'damage', message }])
}
