/**
 * The session as a behavior sees it. A behavior reads the state itself, not a copy: what it could change would be in the next
 * snapshot and in no record, so everything that is handed out is frozen.
 */
import type { SessionView } from '../behavior.ts'
import type { MemoryEntry } from '../core/session-state.ts'
import type { Session } from './session.ts'

/** A view that follows the state; what was read from it before stays as it was. */
export function viewOf({ state }: Session): SessionView {
  return {
    id: state.id,
    get name() {
      return state.name
    },
    get workingDir() {
      return state.workingDir
    },
    get prompt() {
      return state.prompt
    },
    get vars() {
      return deepFreeze(state.vars)
    },
    get metadata() {
      return deepFreeze(state.metadata)
    },
    get memory() {
      return frozenMemory(state.memory)
    },
  }
}

/** Freezes a JSON value and gives it back. What is frozen already is taken to be so to its depth. */
export function deepFreeze<T>(value: T): Readonly<T> {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  for (const item of Object.values(value)) deepFreeze(item)
  return Object.freeze(value)
}

/** The last view of each memory. */
const memoryViews = new WeakMap<MemoryEntry[], readonly MemoryEntry[]>()

/**
 * The reducer pushes to the array, so it cannot be frozen itself: a copy of its references is (10,000 entries: some microseconds),
 * once for each length at which it is read. Entries are frozen once.
 */
function frozenMemory(memory: MemoryEntry[]): readonly MemoryEntry[] {
  const known = memoryViews.get(memory)
  if (known?.length === memory.length) return known
  for (let index = known?.length ?? 0; index < memory.length; index++) deepFreeze(memory[index])
  const view = Object.freeze(memory.slice())
  memoryViews.set(memory, view)
  return view
}
