import { createContext, Script } from 'node:vm'
import { AgentryError } from '../../errors.ts'

/** What one call of a matcher may take, ms: nothing else of the thread runs meanwhile, no heartbeat is answered. */
const LIMIT_MS = 500

const SCRIPT = new Script(`texts.map((text) => expression.test(text))`)

/** Which of the texts an expression matches. */
export type Matcher = (texts: readonly string[]) => boolean[]

/**
 * An expression that a model wrote may take for ever on one line (`(a+)+b`): a call is stopped after `limitMs`, and throws
 * `invalid_input` then. Who makes many calls gives the thread back in between. A call costs 0.4 ms: give it many texts at once.
 */
export function createMatcher(expression: RegExp, limitMs: number = LIMIT_MS): Matcher {
  const globals: { expression: RegExp; texts: readonly string[] } = { expression, texts: [] }
  const context = createContext(globals)
  return (texts) => {
    globals.texts = texts
    try {
      const found: unknown = SCRIPT.runInContext(context, { timeout: limitMs })
      return Array.isArray(found) ? found.map(Boolean) : []
    } catch (error) {
      if (!isTimeout(error)) throw error
      throw new AgentryError(
        'invalid_input',
        `the pattern takes more than ${limitMs} ms: expected one without nested repetitions such as (a+)+`,
        { cause: error },
      )
    } finally {
      globals.texts = []
    }
  }
}

/** It is an error of the other context: no instance of this one's Error. */
function isTimeout(error: unknown): boolean {
  const isObject = typeof error === 'object' && error !== null
  return isObject && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
