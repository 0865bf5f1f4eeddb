/**
 * Patterns over simple commands: words, of which a last ` *` stands for any further words, also none. Within a word `*` is any
 * text; in quotes it is itself. `git status` is that command without anything behind it.
 */
import { AgentryError } from '../../errors.ts'
import { quote } from '../ids.ts'
import { type Tail, endOf, wordAt } from './command-tail.ts'
import { type Glob, literal, literalOf, matchesGlob, parseGlob } from './glob.ts'
import type { Word } from './shell-types.ts'

export interface CommandPattern {
  source: string
  words: readonly Glob[]
  /** Further words may follow. */
  open: boolean
}

/** How many words behind a name are looked at for the next one of a pattern. */
const MAX_LOOKED_AT = 64

/** `maybe`: it depends on what a word becomes when the line runs. */
export type Match = 'yes' | 'maybe' | 'no'

/** Throws `invalid_config` with what was expected, and what came. */
export function parseCommandPattern(source: string): CommandPattern {
  const words: { glob: Glob; bare: string }[] = []
  let rest = source.trim()
  if (rest === '') throw refused(source, 'nothing')
  while (rest !== '') {
    const { glob, bare, length } = readPatternWord(rest, source)
    words.push({ glob, bare })
    rest = rest.slice(length).trimStart()
  }
  const star = words.findIndex(({ bare }) => bare === '*')
  if (star !== -1 && star < words.length - 1) throw refused(source, 'a * as a word before others')
  if (/^[A-Za-z_][A-Za-z0-9_]*=/u.test(words[0]?.bare ?? '')) throw refused(source, 'an assignment')
  return {
    source,
    words: (star === -1 ? words : words.slice(0, -1)).map(({ glob }) => glob),
    open: star !== -1,
  }
}

/** The word that `rest` begins with; `bare` is what of it stands outside of quotes. */
function readPatternWord(rest: string, source: string): { glob: Glob; bare: string; length: number } {
  const glob: number[] = []
  let bare = ''
  let at = 0
  while (at < rest.length && !/\s/u.test(rest.charAt(at))) {
    const char = rest.charAt(at)
    if (char === "'" || char === '"') {
      const end = rest.indexOf(char, at + 1)
      if (end === -1) throw refused(source, `a ${char} that is not closed`)
      const text = rest.slice(at + 1, end)
      if (char === '"' && /[$`\\]/u.test(text)) throw refused(source, 'an expansion')
      if (/\p{Cc}/u.test(text)) throw refused(source, 'a control character')
      glob.push(...literal(text))
      bare += char
      at = end + 1
      continue
    }
    if (';&|()'.includes(char)) throw refused(source, `the operator ${char}`)
    if (char === '<' || char === '>') throw refused(source, 'a redirect')
    if ('$`\\'.includes(char)) throw refused(source, 'an expansion')
    if (char === '#' && at === 0) throw refused(source, 'a comment')
    if (/\p{Cc}/u.test(char)) throw refused(source, 'a control character')
    glob.push(...parseGlob(char, { questionMarks: false }))
    bare += char
    at++
  }
  if (/[\n\r]/u.test(rest.slice(at, at + 1))) throw refused(source, 'several lines')
  return { glob, bare, length: at }
}

function refused(source: string, what: string): AgentryError {
  return new AgentryError(
    'invalid_config',
    `expected the words of one command, the last of which may be *, received ${what} in ${quote(source)}`,
  )
}

/**
 * True where it is certain that all of the command fits, whatever its words become: a word with expansions fits only where any
 * further words do, and never the name. `*` within a word does not stand for a `/`.
 */
export function surelyMatches(pattern: CommandPattern, words: readonly Word[]): boolean {
  if (words[0]?.kind !== 'static' || words.length < pattern.words.length) return false
  if (!pattern.open && words.length > pattern.words.length) return false
  return pattern.words.every((glob, index) => {
    const word = words[index]
    return word?.kind === 'static' && matchesGlob(glob, word.text, true)
  })
}

/**
 * Whether the command is one of those that the pattern means, however it is written: by the path of its program, in other case;
 * and perhaps with options before a word of the pattern (`git -C dir push` for `git push`), or with words that become one.
 */
export function mayMatch(pattern: CommandPattern, command: Tail): Match {
  const name = wordAt(command, 0)
  if (name === undefined) return 'no'
  if (name.kind !== 'static') return 'maybe'
  const [first] = pattern.words
  if (first === undefined) return 'yes'
  return matchesName(first, name.text) ? matchBehind(pattern, command) : 'no'
}

/**
 * True where the command may begin at any of these words, or behind the `=` of one (`--exec=rm`), and may go on with words that are
 * not among them: they are those of a program that perhaps runs others.
 */
export function mayHide(pattern: CommandPattern, words: Tail): boolean {
  const [first] = pattern.words
  if (first === undefined) return true
  for (let from = words.from; from < endOf(words); from++) {
    const word = words.words[from]
    if (word?.kind !== 'static') continue
    const value = word.text.slice(word.text.indexOf('=') + 1)
    if (!matchesName(first, word.text) && !matchesName(first, value)) continue
    if (matchBehind(pattern, { ...words, from, more: true }) !== 'no') return true
  }
  return false
}

/** What the words behind the name say. */
function matchBehind(pattern: CommandPattern, command: Tail): Match {
  let match: Match = 'yes'
  let at = 1
  for (const glob of pattern.words.slice(1)) {
    for (; !fits(glob, wordAt(command, at)); at++) {
      const word = wordAt(command, at)
      if (word === undefined) return command.more === true ? 'maybe' : 'no'
      if (word.kind === 'dynamic' || (word.kind === 'names' && couldBecome(word, glob))) return 'maybe'
      if (match === 'yes' && !word.text.startsWith('-')) return 'no'
      // Behind an option anything may belong to it.
      match = 'maybe'
      if (at > MAX_LOOKED_AT) return match
    }
    at++
  }
  if (pattern.open) return match
  const after = wordAt(command, at)
  if (after === undefined) return command.more === true ? 'maybe' : match
  return after.kind === 'static' && !after.text.startsWith('-') ? 'no' : 'maybe'
}

function fits(glob: Glob, word: Word | undefined): boolean {
  return word?.kind === 'static' && matchesGlob(glob, word.text)
}

function couldBecome(word: Word, glob: Glob): boolean {
  const text = literalOf(glob)
  return text === undefined || text.startsWith(word.text)
}

function matchesName(glob: Glob, name: string): boolean {
  const program = name.slice(name.lastIndexOf('/') + 1)
  return [name, program, name.toLowerCase(), program.toLowerCase()].some((text) => matchesGlob(glob, text))
}
