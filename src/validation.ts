/** Objects from outside against zod schemas: strict objects that suggest, and each problem as one readable sentence. */
import { resolve } from 'node:path'
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

/**
 * An object that refuses unknown keys, each with the known key that is nearest to it. `refusals` says more of keys that people are
 * likely to try.
 */
export function strictObject<T extends z.core.$ZodLooseShape>(
  shape: T,
  refusals: ReadonlyMap<string, string> = new Map(),
): z.ZodObject<T, z.core.$strict> {
  return z.strictObject(shape, {
    // zod gives one issue for all unknown keys of an object: one line for each here, taken apart again by problemsOf.
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys
            .map((key) => refusals.get(key) ?? `unknown key${didYouMean(key, Object.keys(shape))}`)
            .join('\n')
        : undefined,
  })
}

/** The form of a path, made absolute from `baseDir`. */
export function pathSchema(baseDir: string): z.ZodType<string> {
  return z
    .string()
    .min(1)
    .refine((path) => path.isWellFormed() && !path.includes('\0'), 'expected a path, without NUL')
    .transform((path) => resolve(baseDir, path))
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
  return error.issues.flatMap((issue) => problemsOfIssue(issue, []))
}

function problemsOfIssue(issue: z.core.$ZodIssue, parent: Problem['path']): Problem[] {
  const path = [...parent, ...issue.path.map((key) => (typeof key === 'symbol' ? key.toString() : key))]
  switch (issue.code) {
    case 'unrecognized_keys': {
      const messages = issue.message.split('\n')
      return issue.keys.map((key, index) => ({
        path: [...path, key],
        message: messages[index] ?? 'unknown key',
      }))
    }
    case 'invalid_key':
      // The key itself is what is wrong: its path ends with it.
      return issue.issues.map((inner) => ({ path, message: sentence(inner) }))
    case 'invalid_union': {
      // Of one form only the value has at least the kind: what is wrong inside is the point, not which other forms there are.
      const near = issue.errors.filter((issues) => !issues.some(isOfAnotherKind))
      const [only] = near
      if (only !== undefined && near.length === 1) {
        return only.flatMap((inner) => problemsOfIssue(inner, path))
      }
      return [{ path, message: unionSentence(issue) }]
    }
    default:
      return [{ path, message: sentence(issue) }]
  }
}

function isOfAnotherKind({ code, path }: z.core.$ZodIssue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value')
}

function unionSentence(issue: z.core.$ZodIssueInvalidUnion): string {
  const words: string[] = []
  const kinds: string[] = []
  for (const inner of issue.errors.flat()) {
    if (inner.code === 'invalid_value') words.push(...inner.values.map(String))
    else if (inner.code === 'invalid_type') kinds.push(inner.expected)
  }
  if (words.length + kinds.length === 0) return issue.message
  const hint = typeof issue.input === 'string' ? didYouMean(issue.input, words) : ''
  return `expected ${[...words, ...kinds].join(' or ')}, received ${received(issue.input)}${hint}`
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
