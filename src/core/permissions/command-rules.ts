/**
 * What patterns say to a command line.
 *
 * P1. deny and ask: where any simple command fits, also behind a wrapper, by the path of its program, in a line that is not
 *     understood. Where one only might fit, the line is never allowed: also where what is denied stands among the words of a
 *     program of which it is not known whether it runs them.
 * P2. allow: only where the line is understood, and every simple command in it fits for certain, whatever its words become; no
 *     file is written by a redirect, and no variable is set that commands act upon.
 */
import { type CommandPattern, mayHide, mayMatch, surelyMatches } from './command-pattern.ts'
import { parseShellLine } from './shell-line.ts'
import type { Assignment, Redirect, ShellLine, Word } from './shell-types.ts'
import { type Unwrapped, unwrap } from './wrappers.ts'

/** Variables that change nothing but how results look. */
const HARMLESS_VARIABLES = [
  'CI',
  'COLUMNS',
  'DEBUG',
  'FORCE_COLOR',
  'LANG',
  'LINES',
  'NODE_ENV',
  'NO_COLOR',
  'TERM',
]
const EXTRA_VARIABLES = /^(?:LC_[A-Z]+|[a-z][a-z0-9]{0,31})$/u

export interface CommandRules {
  allow: readonly CommandPattern[]
  ask: readonly CommandPattern[]
  deny: readonly CommandPattern[]
}

/** `fits`: by which list. `unsure`: no list allows it, and one of deny or ask might fit. `none`: none fits; `why` says why not allow. */
export type CommandOpinion =
  | { fits: 'deny' | 'ask' | 'allow'; pattern: string }
  | { fits: 'unsure' | 'none'; why: string }

export function judgeCommand(rules: CommandRules, text: string): CommandOpinion {
  const line = parseShellLine(text)
  const unwrapped = rules.deny.length + rules.ask.length > 0 ? line.commands.map(unwrap) : []
  let unsure = line.unknown
  for (const fits of ['deny', 'ask'] as const) {
    for (const pattern of rules[fits]) {
      const match = anyMatch(pattern, unwrapped)
      if (match === 'yes') return { fits, pattern: pattern.source }
      if (match === 'maybe') unsure ??= `it might be ${pattern.source}`
    }
  }
  if (unsure !== undefined) return { fits: 'unsure', why: unsure }
  const why = lineProblem(
    line,
    (words) => rules.allow.some((pattern) => surelyMatches(pattern, words)),
    isReadable,
  )
  if (why !== undefined) return { fits: 'none', why }
  return { fits: 'allow', pattern: rules.allow.map(({ source }) => source).join(', ') }
}

function anyMatch(pattern: CommandPattern, all: readonly Unwrapped[]): 'yes' | 'maybe' | 'no' {
  let match: 'maybe' | 'no' = 'no'
  for (const { commands, hidden, unknown } of all) {
    if (unknown) match = 'maybe'
    for (const command of commands) {
      const one = mayMatch(pattern, command)
      if (one === 'yes') return one
      if (one === 'maybe') match = one
    }
    if (match === 'no' && hidden.some((words) => mayHide(pattern, words))) match = 'maybe'
  }
  return match
}

/**
 * Why the line is not sure to run just commands that `isAllowed`; undefined: it is. `isReadable`: of a file that the input is
 * taken from.
 */
export function lineProblem(
  { commands, unknown }: ShellLine,
  isAllowed: (words: readonly Word[]) => boolean,
  isReadable: (file: Word) => boolean,
): string | undefined {
  if (unknown !== undefined) return `it is not understood: ${unknown}`
  if (commands.length === 0) return 'it has no command'
  for (const { assignments, words, redirects } of commands) {
    const redirect = redirects.find((one) => !isHarmlessRedirect(one, isReadable))
    if (redirect) return `a redirect: ${redirect.operator} ${redirect.target.text}`
    const assignment = assignments.find((one) => !isHarmlessAssignment(one))
    if (assignment) return `it sets ${assignment.name}`
    if (words.length > 0 && !isAllowed(words)) return `it runs ${describe(words)}`
  }
  return undefined
}

/** Also what bash takes for a connection is no file to read. */
export function isReadable({ kind, text }: Word): boolean {
  return kind === 'static' && (text === '/dev/null' || !/^\/+dev\//u.test(text))
}

function isHarmlessRedirect({ operator, target }: Redirect, isReadable: (file: Word) => boolean): boolean {
  if (target.kind !== 'static') return false
  if (operator === '>&' || operator === '<&') return /^(?:[0-9]|-)$/u.test(target.text)
  if (operator === '<') return isReadable(target)
  return operator !== '<>' && target.text === '/dev/null'
}

function isHarmlessAssignment({ name }: Assignment): boolean {
  return HARMLESS_VARIABLES.includes(name) || EXTRA_VARIABLES.test(name)
}

function describe(words: readonly Word[]): string {
  const text = words.map(({ kind, text }) => (kind === 'static' ? text : `${text}…`)).join(' ')
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}
