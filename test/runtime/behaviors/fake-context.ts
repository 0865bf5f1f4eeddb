/** The context of one turn without a session store: what it is asked to record is kept in arrays. */
import type { BehaviorContext, ToolResult } from '../../../src/behavior.ts'
import { createId } from '../../../src/core/ids.ts'
import { describeThrown } from '../../../src/errors.ts'

export interface FakeSession {
  id: string
  workingDir: string
  vars: Record<string, string>
}

export interface FakeContext extends BehaviorContext {
  readonly calls: (ToolResult & { name: string; input: unknown })[]
  /** In the order in which they were asked for. */
  readonly updates: Parameters<BehaviorContext['updateSession']>[0][]
  /** All that was emitted until now. */
  readonly emitted: () => string
}

export function fakeSession(workingDir: string, vars: Record<string, string> = {}): FakeSession {
  return { id: createId(), workingDir, vars }
}

/** Follows the real one: what a tool throws becomes its result, updates change the session that comes after. */
export function fakeContext(
  session: FakeSession,
  signal: AbortSignal = new AbortController().signal,
  onEmit: (text: string) => void = () => {},
): FakeContext {
  const turnId = createId()
  const calls: FakeContext['calls'] = []
  const updates: FakeContext['updates'] = []
  let emitted = ''
  return {
    agentId: 'ops',
    session: { name: 'default', prompt: '', metadata: {}, memory: [], ...session },
    message: { turnId, taskId: turnId, input: '' },
    attempt: 1,
    signal,
    calls,
    updates,
    emitted: () => emitted,
    emit(text) {
      emitted += text
      onEmit(text)
    },
    async runTool(name, input, execute, toolCallId = createId()) {
      let result: ToolResult
      try {
        const given = await execute({ toolCallId, signal })
        result = typeof given === 'string' ? { content: given } : given
      } catch (error) {
        result = { content: describeThrown(error), outcome: 'error' }
      }
      calls.push({ name, input, ...result })
      return { ...result, toolCallId }
    },
    async recordStep() {
      throw new Error('not expected here')
    },
    async teammates() {
      throw new Error('not expected here')
    },
    async ask() {
      throw new Error('not expected here')
    },
    async tell() {
      throw new Error('not expected here')
    },
    async updateSession(changes) {
      updates.push(changes)
      session.workingDir = changes.workingDir ?? session.workingDir
      const vars = new Map(Object.entries(session.vars))
      for (const [name, value] of Object.entries(changes.vars ?? {})) {
        if (value === null) vars.delete(name)
        else vars.set(name, value)
      }
      session.vars = Object.fromEntries(vars)
    },
  }
}
