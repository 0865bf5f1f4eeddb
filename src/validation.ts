/** Objects from outside against zod schemas: strict objects that suggest, and each problem as one readable sentence. */
import { z } from 'zod'
import { quote } from './core/ids.ts'
import { didYouMean } from './core/suggest.ts'
import { isAgentryError } from './errors.ts'

/** One thing that is wrong. */
export interface Problem {
  /** Keys and indexes from the root to the value, or to the key that should not be there. */
  path: (string | number)[]
  /** What was expected and what came. */
  message: string
}

/** An object that refuses unknown keys, each with the known key that is nearest to it. */
export function strictObject<T extends z.core.$ZodLooseShape>(shape: T): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, {
    // zod gives one issue for all unknown keys of an object: one line for each here, taken apart again by problemsOf.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => `unknown key${didYouMean(key, Object.keys(shape))}`).join('\n')
        : undefined,
  })
}

/**
 * A check or conversion that throws AgentryError, as a zod refinement or transform: what it throws becomes an issue with its
 * message.
 */
export function issueOf<In, Out>(
  convert: (value: In) => Out,
): (value: In, context: z.core.$RefinementCtx<In>) => Out {
  return (value, context) => {
    try {
      return convert(value)
    } catch (error) {
      if (!isAgentryError(error)) throw error
      context.addIssue({ code: 'custom', message: error.message, input: value })
      return z.NEVER
    }
  }
}

/** The problems of a failed `safeParse(value, { reportInput: true })`, in the order of the schema. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue) => {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? key.toString() : key))
    if (issue.code !== 'unrecognized_keys') return [{ path, message: sentence(issue) }]
    const messages = issue.message.split('\n')
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      message: messages[index] ?? 'unknown key',
    }))
  })
}

/** A path as people write it: `agents[0].limits.memoryMb`. */
export function pathText(path: Problem['path']): string {
  return path
    .map((key, index) => (typeof key === 'number' ? `[${key}]` : index === 0 ? key : `.${key}`))
    .join('')
}

function sentence(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}, received ${received(issue.input)}`
    case 'invalid_value': {
      const words = issue.values.map(String)
      const hint = typeof issue.input === 'string' ? didYouMean(issue.input, words) : ''
      return `expected one of ${words.join(', ')}, received ${received(issue.input)}${hint}`
    }
    case 'too_small':
      return `expected ${issue.inclusive ? 'at least' : 'more than'} ${issue.minimum}${unit(issue.origin)}, received ${received(issue.input)}`
    case 'too_big':
      return `expected ${issue.inclusive ? 'at most' : 'less than'} ${issue.maximum}${unit(issue.origin)}, received ${received(issue.input)}`
    default:
      return issue.message
  }
}

function unit(origin: string): string {
  if (origin === 'string') return ' characters'
  return origin === 'array' ? ' entries' : ''
}

function received(input: unknown): string {
  if (input === undefined) return 'nothing'
  if (typeof input === 'string') return quote(input)
  if (Array.isArray(input)) return 'a list'
  if (input === null || typeof input === 'number' || typeof input === 'boolean') return `${input}`
  return typeof input === 'object' ? 'an object' : `a ${typeof input}`
}
