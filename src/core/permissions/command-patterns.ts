/**
 * Patterns over command lines: `git status`, `npm test *`, `rm *`.
 *
 * A pattern is words, with quotes as sh has them. A word is matched whole; `*` in a word stands for any characters of that word; a
 * last word `*` alone stands for any further words, or none. Patterns know no operators: each is about one simple command.
 *
 * CM1 `covers` is for allowing: it is true only where the whole line is understood, every command in it fits a pattern, and nothing
 *     beside its commands does anything: no redirect that writes, no assignment that changes what programs do.
 * CM2 `mentions` is for denying and asking: it is true where any command in it may fit, also behind wrappers (`env`, `sudo`, `sh -c`, …)
 *     and by another path (`/bin/rm`). What is not known to be another command may be this one.
 */
import { quote } from '../ids.ts'
import { AgentryError } from '../../errors.ts'
import { parseShellLine } from './shell-line.ts'
import type { Redirect, ShellLine, SimpleCommand, Word } from './shell-types.ts'
import { innerCommands } from './wrappers.ts'

export interface CommandPattern {
  readonly source: string
  readonly words: readonly RegExp[]
  /** It ends with ` *`. */
  readonly open: boolean
}

/** Throws `invalid_config` for what is no pattern of one simple command. */
export function compileCommandPattern(source: string): CommandPattern {
  const invalid = (expected: string): AgentryError =>
    new AgentryError('invalid_config', `expected ${expected}, received ${quote(source)}`)
  if (source.trim() === '') throw invalid('a command')
  // Stars stand for themselves in quotes only: they are set aside before the words are read.
  const { commands, unknown } = parseShellLine(source)
  const [command] = commands
  if (unknown !== undefined) throw invalid(`one simple command (${unknown})`)
  if (command === undefined || commands.length > 1) throw invalid('one simple command, without operators')
  if (command.redirects.length > 0) throw invalid('a command without redirects')
  if (command.assignments.length > 0) throw invalid('a command without assignments before it')
  if (command.words.some(({ kind }) => kind === 'dynamic')) throw invalid('a command without expansions')
  const words = splitWords(source)
  const open = words.at(-1) === '*'
  const fixed = open ? words.slice(0, -1) : words
  if (fixed.includes('*')) throw invalid('`*` as a word of its own at the end only')
  return { source, words: fixed.map(wordPattern), open }
}

/** CM1 */
export function covers(line: ShellLine, patterns: readonly CommandPattern[]): boolean {
  if (line.unknown !== undefined || line.commands.length === 0) return false
  return line.commands.every(
    (command) =>
      command.redirects.every(writesNothing) &&
      command.assignments.length === 0 &&
      patterns.some((pattern) => fits(command.words, pattern)),
  )
}

/** CM2 */
export function mentions(line: ShellLine, patterns: readonly CommandPattern[]): CommandPattern | undefined {
  const commands = line.commands.flatMap(unwrapped)
  return patterns.find((pattern) => commands.some((command) => mayFit(command.words, pattern)))
}

/** The command itself and what it runs, as far as that can be seen. */
function unwrapped(command: SimpleCommand): SimpleCommand[] {
  return [command, ...innerCommands(command).flatMap(unwrapped)]
}

function fits(words: readonly Word[], { words: expected, open }: CommandPattern): boolean {
  if (words.length < expected.length || (!open && words.length > expected.length)) return false
  return words.every((word, index) => {
    const pattern = expected[index]
    // What is substituted into further words is among the line's commands, and judged there.
    if (pattern === undefined) return index > 0 || word.kind === 'static'
    return word.kind === 'static' && pattern.test(word.text)
  })
}

/** Like `fits`, in doubt true; the name of the command may be a path. */
function mayFit(words: readonly Word[], { words: expected, open }: CommandPattern): boolean {
  const uncertain = words.findIndex(({ kind }) => kind !== 'static')
  if (uncertain === -1) {
    if (words.length < expected.length || (!open && words.length > expected.length)) return false
  }
  return expected.every((pattern, index) => {
    const word = words[index]
    if (uncertain !== -1 && index >= uncertain) return true
    if (word === undefined) return false
    const text = index === 0 ? baseName(word.text) : word.text
    return pattern.test(text) || pattern.test(word.text)
  })
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Reading, copies of descriptors, and /dev/null. */
function writesNothing({ operator, target }: Redirect): boolean {
  if (operator === '<' || operator === '<&') return true
  if (target.kind !== 'static') return false
  return target.text === '/dev/null' || (operator === '>&' && /^\d$|^-$/.test(target.text))
}

function wordPattern(word: string): RegExp {
  const source = word.split('*').map(escaped).join('[\\s\\S]*')
  return new RegExp(`^${source}$`, 'u')
}

/** Of a pattern that the parser took: words at blanks, quotes removed. */
function splitWords(source: string): string[] {
  const words: string[] = []
  let word: string | undefined
  for (const [, single, double, escape, blank, plain] of source.matchAll(
    /'([^']*)'|"((?:[^"\\]|\\[\s\S])*)"|\\([\s\S])|([ \t]+)|([^ \t'"\\]+)/gu,
  )) {
    if (blank !== undefined) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else {
      word = (word ?? '') + (single ?? double?.replace(/\\([$`"\\])/gu, '$1') ?? escape ?? plain ?? '')
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

export function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/gu, '\\$&')
}
