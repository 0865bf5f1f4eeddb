/** Legal journals for property tests, built by a small model of a session that knows nothing of `fold`. */
import * as fc from 'fast-check'
import type { Json, JsonObject } from '../../src/core/json.ts'
import type { BodyOf, Patch, RecordBody, SessionChanges, SessionRecord } from '../../src/core/record.ts'
import { foldFirst, fold } from '../../src/core/fold.ts'
import type { SessionState } from '../../src/core/session-state.ts'

export const SESSION_ID = '01890a5d-ac96-774b-bcce-b302099a8057'
export const AGENT_ID = 'coder'

/** Keys that have gone wrong in other programs: names on Object.prototype, numbers (which objects reorder), nothing at all. */
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'a', 'b', '10', '2', ''),
  fc.string({ maxLength: 4, unit: 'grapheme' }),
)
const text = fc.string({ maxLength: 12, unit: 'grapheme' })

/** An object with exactly these keys as its own, whatever their names. */
export function objectOf<T>(value: fc.Arbitrary<T>): fc.Arbitrary<{ [key: string]: T }> {
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

/** What a step of the model may do next; `pick` chooses among what is possible then. */
const step = fc.record({
  pick: fc.nat(),
  newEpoch: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
  text,
  optional: fc.boolean(),
  changes,
  metadata: objectOf(json),
  toolCalls: fc.integer({ min: 0, max: 3 }),
})
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

/** What is known of the session so far, and what may come next. */
class Model {
  readonly records: SessionRecord[] = []
  #epoch = 1
  #ids = 0
  #trashed = false
  #turn: { turnId: string; attempt: number; announced: string[]; running: string[] } | undefined
  #queue: string[] = []

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
    const possible = this.#possible(step)
    possible[step.pick % possible.length]?.()
  }

  #possible(step: Step): (() => void)[] {
    const { text, optional } = step
    const next: (() => void)[] = [
      () =>
        this.#add({
          type: 'session.changed',
          changes: step.changes,
          ...(optional && { accessed: true as const }),
        }),
      () => {
        this.#add({ type: this.#trashed ? 'session.restored' : 'session.trashed' })
        this.#trashed = !this.#trashed
      },
      () => {
        const turnId = this.#newId('turn')
        this.#queue.push(turnId)
        this.#add({
          type: 'message.accepted',
          turnId,
          taskId: optional ? this.#newId('task') : turnId,
          input: text,
          ...(optional && { from: 'a friend', metadata: step.metadata }),
        })
      },
    ]
    const turn = this.#turn
    if (turn === undefined) {
      const queued = this.#queue[0]
      if (queued !== undefined) {
        next.push(() => {
          this.#queue.shift()
          this.#turn = { turnId: queued, attempt: 1, announced: [], running: [] }
          this.#add({ type: 'turn.started', turnId: queued, attempt: 1 })
        })
      }
    } else {
      const { turnId } = turn
      next.push(() => {
        turn.attempt += 1
        this.#add({ type: 'turn.started', turnId, attempt: turn.attempt })
      })
      next.push(() => {
        const toolCalls = Array.from({ length: step.toolCalls }, () => this.#newId('call'))
        turn.announced.push(...toolCalls)
        this.#add({
          type: 'step.model',
          turnId,
          content: text,
          ...(toolCalls.length > 0 && {
            toolCalls: toolCalls.map((toolCallId) => ({ toolCallId, name: 'read', input: step.metadata })),
          }),
          ...(optional && { usage: { inputTokens: text.length, outputTokens: 3 } }),
        })
      })
      next.push(() => {
        const toolCallId = (optional ? turn.announced.shift() : undefined) ?? this.#newId('call')
        turn.running.push(toolCallId)
        this.#add({ type: 'tool.started', turnId, toolCallId, name: 'read', input: text })
      })
      const call = optional ? (turn.announced[0] ?? turn.running[0]) : (turn.running[0] ?? turn.announced[0])
      if (call !== undefined) {
        next.push(() => {
          turn.announced = turn.announced.filter((id) => id !== call)
          turn.running = turn.running.filter((id) => id !== call)
          const outcome = (['ok', 'error', 'unknown'] as const)[step.toolCalls % 3] ?? 'ok'
          this.#add({ type: 'tool.finished', turnId, toolCallId: call, outcome, content: text })
        })
      }
      if (turn.running.length === 0) {
        next.push(() => {
          this.#turn = undefined
          this.#add(finished(turnId, step))
        })
      }
    }
    const waiting = this.#queue.at(-1)
    if (waiting !== undefined) {
      next.push(() => {
        this.#queue.pop()
        this.#add({ type: 'turn.finished', turnId: waiting, status: 'cancelled' })
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

function isSet(entry: [string, string | null]): entry is [string, string] {
  return entry[1] !== null
}

function finished(turnId: string, step: Step): BodyOf<'turn.finished'> {
  return step.optional
    ? { type: 'turn.finished', turnId, status: 'completed', result: step.text, exitCode: step.toolCalls }
    : { type: 'turn.finished', turnId, status: 'failed', error: { code: 'turn_failed', message: step.text } }
}

function userEntry(turnId: string, content: string): SessionState['memory'][number] {
  return { seq: 1, at: '2026-01-01T00:00:00.000Z', turnId, role: 'user', content }
}

/** A legal journal of 1 to about 60 records, session.created first. */
export const journal: fc.Arbitrary<SessionRecord[]> = fc
  .array(step, { minLength: 1, maxLength: 60, size: 'max' })
  .map(([first, ...rest]) => {
    const model = new Model()
    if (first) model.create(first)
    for (const next of rest) model.take(next)
    return model.records
  })

/** The state that records add up to. */
export function replay(records: readonly SessionRecord[]): SessionState {
  const [first, ...rest] = records
  if (first === undefined) throw new Error('a journal has at least one record')
  let state = foldFirst(first)
  for (const record of rest) state = fold(state, record)
  return state
}

/** Session.created and what follows it, enveloped: for tests of single cases. */
export function journalOf(
  bodies: RecordBody[],
  created: Partial<BodyOf<'session.created'>> = {},
): SessionRecord[] {
  const first: RecordBody = {
    type: 'session.created',
    sessionId: SESSION_ID,
    agentId: AGENT_ID,
    name: 'work',
    description: '',
    status: 'active',
    activation: 1,
    workingDir: '/home/me/project',
    prompt: '',
    vars: {},
    metadata: {} satisfies JsonObject,
    ...created,
  }
  return [first, ...bodies].map((body, index) => ({
    seq: index + 1,
    epoch: 1,
    at: new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString(),
    ...body,
  }))
}
