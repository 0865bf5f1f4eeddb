import type { Behavior } from '../behavior.ts'
import { AgentryError, describeThrown } from '../errors.ts'
import type { StayOptions } from '../protocol/stay.ts'
import { echoBehavior } from './behaviors/echo.ts'
import { createShellBehavior } from './behaviors/shell.ts'
import { defaultOf, loadModule } from './load-module.ts'

export interface LoadedBehavior {
  behavior: Behavior
  /** True where code that is not Agentry's runs on the thread: it is never handed to another agent afterwards. */
  userModule: boolean
}

/** Longer output of a command is cut in the middle, and marked. */
const SHELL_OUTPUT_BYTES = 1024 * 1024

/**
 * The behavior of a stay. `onNote` is told in a sentence what goes wrong beside turns. Throws `start_failed` with the module's own error
 * where it does not load or has no `run`.
 */
export async function loadBehavior(
  stay: Pick<StayOptions, 'spec' | 'limits' | 'models' | 'store'>,
  onNote: (message: string) => void,
): Promise<LoadedBehavior> {
  const { spec, limits } = stay
  switch (spec.behavior) {
    case 'echo':
      return { behavior: echoBehavior, userModule: false }
    case 'shell':
      return {
        behavior: createShellBehavior({ outputBytes: Math.min(SHELL_OUTPUT_BYTES, limits.resultBytes) }),
        userModule: false,
      }
    case 'llm': {
      // Much code that no other behavior needs.
      const { loadLlmBehavior } = await import('./behaviors/llm/load-llm.ts')
      return loadLlmBehavior(stay, onNote)
    }
    default:
      return { behavior: await importBehavior(spec.behavior), userModule: true }
  }
}

async function importBehavior(path: string): Promise<Behavior> {
  let behavior: unknown
  try {
    behavior = defaultOf(await loadModule(path))
  } catch (error) {
    throw new AgentryError(
      'start_failed',
      `behavior module ${path} does not load: ${describeThrown(error)}`,
      { cause: error },
    )
  }
  if (!isBehavior(behavior)) {
    throw new AgentryError(
      'start_failed',
      `behavior module ${path}: expected a default export made by defineBehavior({ run }), received ${typeof behavior}`,
    )
  }
  return behavior
}

function isBehavior(value: unknown): value is Behavior {
  return typeof value === 'object' && value !== null && 'run' in value && typeof value.run === 'function'
}
