/** What must hold of all answers after a restart, as the next gateway tells it. */
import { strict as assert } from 'node:assert'
import { existsSync, readFileSync } from 'node:fs'
import type { SessionInfo } from '../../src/api.ts'
import { readEvents } from '../../src/client/event-stream.ts'
import type { MemoryEntry } from '../../src/core/session-state.ts'
import type { SessionRecord } from '../../src/core/record.ts'
import type { Outcome } from '../../src/protocol/from-agent.ts'
import type { Served } from '../e2e/built-serve.ts'
import { until } from '../fakes/until.ts'
import { type GatewayKillLedger, KILL_AGENTS, SHELL } from './gateway-kill-ledger.ts'

/** The conversation of an agent's session, page by page; pages that were full once are not read again. */
class PagedConversation {
  readonly #agentId: string
  readonly #full: MemoryEntry[] = []
  #cursor: string | undefined

  constructor(agentId: string) {
    this.#agentId = agentId
  }

  /** All of it, as of now. */
  async read(served: Served): Promise<MemoryEntry[]> {
    const { id } = await currentSession(served, this.#agentId)
    for (;;) {
      const cursor = this.#cursor === undefined ? '' : `&cursor=${this.#cursor}`
      const path = `/agents/${this.#agentId}/sessions/${id}/messages?limit=500${cursor}`
      const { messages, nextCursor } = await get<{ messages: MemoryEntry[]; nextCursor?: string }>(
        served,
        path,
      )
      if (nextCursor === undefined) return [...this.#full, ...messages]
      this.#full.push(...messages)
      this.#cursor = nextCursor
    }
  }
}

export function newConversations(): ReadonlyMap<string, PagedConversation> {
  return new Map(KILL_AGENTS.map((agentId) => [agentId, new PagedConversation(agentId)]))
}

/** Every message that was accepted ends. */
export async function checkAccepted(served: Served, ledger: GatewayKillLedger): Promise<void> {
  for (const taskId of ledger.accepted.keys()) {
    const ended = await until(`the end of ${taskId}`, async () => {
      const outcome = await get<Outcome>(served, `/tasks/${taskId}`)
      return outcome.status === 'accepted' || outcome.status === 'running' ? undefined : outcome
    })
    ledger.end(taskId, ended)
  }
}

/**
 * The turn of every answer is in the conversation, with the result that was given; no message is there twice. Holds once all that was
 * accepted has ended.
 */
export async function checkConversations(
  served: Served,
  ledger: GatewayKillLedger,
  conversations: ReadonlyMap<string, PagedConversation>,
): Promise<void> {
  const inputs = new Map<string, string[]>()
  const results = new Map<string, string>()
  for (const [agentId, conversation] of conversations) {
    for (const { turnId, role, content } of await conversation.read(served)) {
      results.set(turnId, content)
      if (role !== 'user') continue
      const key = `${agentId} ${content}`
      inputs.set(key, [...(inputs.get(key) ?? []), turnId])
    }
  }
  for (const { agentId, taskId, input } of ledger.tried.values()) {
    const turns = inputs.get(`${agentId} ${input}`) ?? []
    assert(turns.length <= 1, `${taskId} has the turns ${turns.join(', ')}`)
    const outcome = ledger.finished.get(taskId)
    if (outcome === undefined) continue
    const { status, turnId, error } = outcome
    const what = `${taskId} was answered as ${status} (${error?.code})`
    if (error?.code === 'agent_stopped') {
      // Stopped before its turn, while its client waited for the end of it.
      assert(status === 'cancelled' && turns.length === 0 && !ledger.kept.has(taskId), what)
      continue
    }
    assert.deepEqual(turns, [turnId], `${what}: turns of it`)
    if (status === 'completed') assert.equal(results.get(turnId), outcome.result)
    else assert.equal(status, 'interrupted', what)
  }
}

/** No command ran twice, and those of completed turns ran. */
export function checkEffects(ledger: GatewayKillLedger, file: string): number {
  const effects = existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : []
  const done = new Set(effects)
  assert.equal(done.size, effects.length, 'a command ran twice')
  for (const taskId of done)
    assert.equal(ledger.tried.get(taskId)?.agentId, SHELL, `${taskId} was not asked for`)
  for (const [taskId, { agentId, status }] of ledger.finished) {
    if (agentId === SHELL && status === 'completed') assert(done.has(taskId), `${taskId} did not run`)
  }
  return effects.length
}

/** The stream of each session's records, read from its beginning, has every taskId at most once; an agent has the one session. */
export async function checkRecords(served: Served): Promise<void> {
  for (const agentId of KILL_AGENTS) {
    const { sessions } = await get<{ sessions: SessionInfo[] }>(served, `/agents/${agentId}/sessions`)
    assert.equal(sessions.length, 1, `sessions of ${agentId}`)
    const { id, seq } = await currentSession(served, agentId)
    const { body } = await ask(served, `/agents/${agentId}/sessions/${id}/events`)
    assert(body !== null)
    const taskIds: string[] = []
    let next = 1
    for await (const event of readEvents(body)) {
      if (event.id === undefined) continue
      assert.equal(event.id, String(next), `records of ${agentId}`)
      const record = event.data as SessionRecord
      if (record.type === 'message.accepted') taskIds.push(record.taskId)
      if (next === seq) break
      next += 1
    }
    assert.equal(new Set(taskIds).size, taskIds.length, `a task of ${agentId} has two turns`)
  }
}

async function currentSession(served: Served, agentId: string): Promise<SessionInfo> {
  return get(served, `/agents/${agentId}/sessions/current`)
}

async function get<T>(served: Served, path: string): Promise<T> {
  const response = await ask(served, path)
  const text = await response.text()
  assert.equal(response.status, 200, `${path}: ${text}`)
  return JSON.parse(text) as T
}

async function ask({ url, token }: Served, path: string): Promise<Response> {
  return fetch(`${url}${path}`, { headers: { authorization: `Bearer ${token}` } })
}
