/** A small model of a session that knows nothing of `fold`: it knows what may be recorded next, and records it. */
import * as fc from 'fast-check'
import type { Json, JsonObject } from '../../src/core/json.ts'
import type { BodyOf, Patch, RecordBody, SessionChanges, SessionRecord } from '../../src/core/record.ts'
import { APPROVAL_DECISIONS, type MemoryEntry } from '../../src/core/session-state.ts'
import type { Usage } from '../../src/core/usage.ts'

export const SESSION_ID = '01890a5d-ac96-774b-bcce-b302099a8057'
export const AGENT_ID = 'coder'

/** Keys that have gone wrong in other programs: names on Object.prototype, numbers (which objects reorder), nothing at all. */
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a', 'b', '10', '2', ''),
  fc.string({ maxLength: 4, unit: 'grapheme' }),
)
const text = fc.string({ maxLength: 12, unit: 'grapheme' })

/** An object with exactly these keys as its own, whatever their names. */
function objectOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<{ [key: string]: T }> {
  return fc.array(fc.tuple(key, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries))
}

/** Fit for assertJson but for the keys, and without -0, which JSON does not keep. */
const json: fc.Arbitrary<Json> = fc
  .jsonValue({ maxDepth: 2, noUnicodeString: false })
  .map((value) => JSON.parse(JSON.stringify(value, (_, item: unknown) => (item === 0 ? 0 : item))) as Json)

function patchOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<Patch<T>> {
  return objectOf(fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) }))
}

const changes: fc.Arbitrary<SessionChanges> = fc.record(
  {
    name: text,
    description: text,
    status: fc.constantFrom('active', 'suspended', 'terminated'),
    activation: fc.nat(),
    workingDir: text,
    prompt: text,
    vars: patchOf(text),
    metadata: patchOf(json),
  },
  { requiredKeys: [] },
)

/** What a step of the model does: `pick` chooses among what is possible then, `which` among the calls or messages it is about. */
export interface Step {
  pick: number
  which: number
  newEpoch: boolean
  text: string
  optional: boolean
  changes: SessionChanges
  metadata: JsonObject
  toolCalls: number
}

export const step: fc.Arbitrary<Step> = fc.record({
  pick: fc.nat(),
  which: fc.nat(),
  newEpoch: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
  text,
  optional: fc.boolean(),
  changes,
  metadata: objectOf(json),
  toolCalls: fc.integer({ min: 0, max: 3 }),
})

interface Call {
  toolCallId: string
  running: boolean
  /** The approvalId of a question without an answer. */
  question?: string
  asked?: true
}

interface Turn {
  turnId: string
  attempt: number
  /** Without those that ended. */
  calls: Call[]
  /** Ids of calls that ended: a model may use them again. */
  ended: string[]
}

/** What is known of the session so far, and what may come next. */
export class SessionModel {
  readonly records: SessionRecord[] = []
  #epoch = 1
  #ids = 0
  #trashed = false
  #turn: Turn | undefined
  #queue: string[] = []
  #summedUpTo = 0

  create(first: Step): void {
    this.#add({
      type: 'session.created',
      sessionId: SESSION_ID,
      agentId: AGENT_ID,
      name: first.text,
      description: '',
      status: 'active',
      activation: 1,
      workingDir: '/home/me/project',
      prompt: '',
      vars: Object.fromEntries(Object.entries(first.changes.vars ?? {}).filter(isSet)),
      metadata: first.metadata,
      ...(first.optional && { forkedFrom: { sessionId: SESSION_ID, seq: 7 } }),
      ...(first.optional && { memory: [userEntry('fork', first.text)] }),
    })
  }

  take(step: Step): void {
    if (step.newEpoch) this.#epoch += 1
    const ofTurn = this.#turn ? this.#turnSteps(step, this.#turn) : []
    const possible = [this.#sessionStep(step), ...this.#queueSteps(step), ...ofTurn]
    possible[step.pick % possible.length]?.()
  }

  #sessionStep({ changes, optional, which }: Step): () => void {
    if (which % 3 > 0) {
      return () =>
        this.#add({ type: 'session.changed', changes, ...(optional && { accessed: true as const }) })
    }
    return () => {
      this.#add({ type: this.#trashed ? 'session.restored' : 'session.trashed' })
      this.#trashed = !this.#trashed
    }
  }

  #queueSteps({ text, optional, metadata, toolCalls }: Step): (() => void)[] {
    const accept = () => {
      const turnId = this.#newId('turn')
      this.#queue.push(turnId)
      this.#add({
        type: 'message.accepted',
        turnId,
        taskId: optional ? this.#newId('task') : turnId,
        input: text,
        ...(optional && { from: 'a friend', metadata }),
        ...(toolCalls > 1 && { mode: 'steer' as const }),
        ...(toolCalls === 3 && { askedBy: { agentId: 'lead', turnId: 'turn-0', depth: 1 } }),
      })
    }
    const next = [accept]
    const [first] = this.#queue
    if (first !== undefined && this.#turn === undefined) {
      next.push(() => {
        this.#queue.shift()
        this.#turn = { turnId: first, attempt: 1, calls: [], ended: [] }
        this.#add({ type: 'turn.started', turnId: first, attempt: 1 })
      })
    }
    const last = this.#queue.at(-1)
    if (last !== undefined) {
      next.push(() => {
        this.#queue.pop()
        this.#add({ type: 'turn.finished', turnId: last, status: 'cancelled' })
      })
    }
    return next
  }

  #turnSteps(step: Step, turn: Turn): (() => void)[] {
    const { text, which, optional } = step
    const { turnId, calls } = turn
    const next: (() => void)[] = [
      () => {
        turn.attempt += 1
        this.#add({ type: 'turn.started', turnId, attempt: turn.attempt })
      },
      () => this.#announce(step, turn),
      () => {
        const toolCallId = this.#newId('call')
        calls.push({ toolCallId, running: true })
        this.#add({ type: 'tool.started', turnId, toolCallId, name: 'read', input: text })
      },
      () => {
        const { length } = this.records
        this.#summedUpTo += 1 + (which % (length - this.#summedUpTo))
        const usage = optional ? { usage: usageOf(step) } : {}
        this.#add({
          type: 'memory.compacted',
          turnId,
          summary: text,
          throughSeq: this.#summedUpTo,
          ...usage,
        })
      },
    ]
    const messageTurnId = chosen(this.#queue, which)
    if (messageTurnId !== undefined) {
      next.push(() => {
        this.#queue = this.#queue.filter((id) => id !== messageTurnId)
        this.#add({ type: 'message.steered', turnId, messageTurnId })
      })
    }
    if (!calls.some(({ running }) => running)) {
      next.push(() => {
        this.#turn = undefined
        this.#add(finished(turnId, step))
      })
    }
    const call = chosen(calls, which)
    // What becomes of calls has the longest ways: it comes three times as often.
    const ofCall = call ? this.#callSteps(step, turn, call) : []
    return [...next, ...ofCall, ...ofCall, ...ofCall]
  }

  #announce(step: Step, turn: Turn): void {
    const { turnId, calls, ended } = turn
    const toolCalls = Array.from({ length: step.toolCalls }, () => {
      const again = step.optional ? ended.shift() : undefined
      return {
        toolCallId: again ?? this.#newId('call'),
        name: 'read',
        input: step.metadata,
        ...(step.toolCalls === 3 && { problem: 'its arguments are cut off' }),
      }
    })
    calls.push(...toolCalls.map(({ toolCallId }) => ({ toolCallId, running: false })))
    this.#add({
      type: 'step.model',
      turnId,
      content: step.text,
      ...(toolCalls.length > 0 && { toolCalls }),
      ...(step.optional && { model: 'fake/m', reasoning: step.text, usage: usageOf(step) }),
    })
  }

  #callSteps({ text, toolCalls, optional, metadata }: Step, turn: Turn, call: Call): (() => void)[] {
    const { turnId } = turn
    const { toolCallId, running, question } = call
    const next: (() => void)[] = [
      () => {
        turn.calls = turn.calls.filter((one) => one !== call)
        turn.ended.push(toolCallId)
        const outcome = (['ok', 'error', 'unknown'] as const)[toolCalls % 3] ?? 'ok'
        this.#add({ type: 'tool.finished', turnId, toolCallId, outcome, content: text })
      },
    ]
    if (!running) {
      next.push(() => {
        // Also where its question is open: a grant that was given meanwhile allows it.
        delete call.question
        call.running = true
        this.#add({ type: 'tool.started', turnId, toolCallId, name: 'read', input: metadata })
      })
    }
    if (running && !call.asked) {
      next.push(() => {
        call.asked = true
        this.#add({ type: 'agent.asked', turnId, toolCallId, agentId: 'tester', taskId: this.#newId('task') })
      })
    }
    if (!running && question === undefined) {
      next.push(() => {
        call.question = this.#newId('approval')
        this.#add({
          type: 'approval.asked',
          approvalId: call.question,
          turnId,
          toolCallId,
          tool: 'read',
          subject: text,
          reason: 'rules',
          grant: { tool: 'read', ...(optional && { pattern: text }) },
          expiresAt: '2026-01-02T00:00:00.000Z',
        })
      })
    }
    if (question !== undefined) {
      next.push(() => {
        delete call.question
        this.#add({
          type: 'approval.answered',
          turnId,
          approvalId: question,
          decision: APPROVAL_DECISIONS[toolCalls % 3] ?? 'deny',
          by: optional ? 'person' : 'timeout',
          ...(optional && { reason: text }),
        })
      })
    }
    return next
  }

  #add(body: RecordBody): void {
    const seq = this.records.length + 1
    // Wall time falls now and then: order is by seq.
    const at = new Date(Date.UTC(2026, 0, 1) + (seq % 7) * 1_000 + seq).toISOString()
    this.records.push({ seq, epoch: this.#epoch, at, ...body })
  }

  #newId(kind: string): string {
    this.#ids += 1
    return `${kind}-${this.#ids}`
  }
}

function chosen<T>(items: readonly T[], which: number): T | undefined {
  return items[which % items.length]
}

function isSet(entry: [string, string | null]): entry is [string, string] {
  return entry[1] !== null
}

/** Costs are sums of halves: exact, in whatever order they are added up. */
function usageOf({ text, toolCalls }: Step): Usage {
  return {
    inputTokens: text.length,
    outputTokens: 3,
    ...(toolCalls > 0 && { costUsd: toolCalls / 2 }),
    ...(toolCalls > 1 && { cachedInputTokens: 1, reasoningTokens: 2 }),
  }
}

function finished(turnId: string, step: Step): BodyOf<'turn.finished'> {
  return step.optional
    ? { type: 'turn.finished', turnId, status: 'completed', result: step.text, exitCode: step.toolCalls }
    : { type: 'turn.finished', turnId, status: 'failed', error: { code: 'turn_failed', message: step.text } }
}

function userEntry(turnId: string, content: string): MemoryEntry {
  return { seq: 1, at: '2026-01-01T00:00:00.000Z', turnId, role: 'user', content }
}
