/**
 * Command lines that read and do nothing else: what the tool `shell` runs without asking where no rule names it. They reach no
 * file outside of the working directory and none in the data directory by a name in the line (a link in it may lead there),
 * write no file, and start no program. What is not known here is not harmless. git is not: what its repository's settings and
 * attributes name is run by its reading commands too.
 */
import { lineProblem } from './command-rules.ts'
import { parseShellLine } from './shell-line.ts'
import type { Word } from './shell-types.ts'

/** Whatever words they are given, as far as those stay in the working directory. */
const READERS = ['ls', 'cat', 'head', 'tail', 'wc', 'cut', 'tr', 'nl', 'basename', 'dirname']
/** Whatever words they are given, as far as those are known: no variable, and no name of a file that is not in the line. */
const SPEAKERS = ['echo', 'true', 'false', ':']
/** Without any words. */
const BARE = ['date', 'whoami', 'id', 'uname', 'hostname', 'pwd']

const FIND_TESTS =
  /^(?:-(?:i?name|i?path|i?regex|type|maxdepth|mindepth|size|[amc]time|[amc]min|newer|empty|not|o|or|a|and|print0?|prune)|[!()]|[^-].*)$/su

/** None that reads folders, or patterns from a file. GNU takes long options by their beginnings: these are whole. */
const GREP_WORDS =
  /^(?:-(?:[abcEFGHhiLlnoPqsTUvwxyzZ]*(?:e|[ABCm]?[0-9]*))?|--(?:|count|ignore-case|invert-match|line-number|files-with(?:out-match|-matches)|only-matching|quiet|silent|no-messages|word-regexp|line-regexp|(?:with|no)-filename|(?:fixed|extended|basic|perl)-(?:strings|regexp)|text|null|colou?r(?:=[a-z]+)?|(?:max-count|(?:after-|before-)?context)=[0-9]+|regexp=.*)|[^-].*)?$/su

export interface Surroundings {
  /** The data directory as seen from the working directory: `sessions`; `.` where all is in it. Left out: nothing of it is below. */
  dataPath?: string
}

/** Why it may do more than read; undefined: it does not. */
export function harmProblem(text: string, { dataPath }: Surroundings = {}): string | undefined {
  const dataNames = dataPath === undefined ? undefined : namesOf(dataPath)
  const isInside = (word: Word): boolean => staysInside(word, dataNames)
  return lineProblem(parseShellLine(text), (words) => isHarmlessCommand(words, isInside), isInside)
}

type IsInside = (word: Word) => boolean

function isHarmlessCommand([name, ...rest]: readonly Word[], isInside: IsInside): boolean {
  if (name?.kind !== 'static') return false
  if (SPEAKERS.includes(name.text)) return rest.every(({ kind }) => kind === 'static')
  if (BARE.includes(name.text)) return rest.length === 0
  if (!rest.every(isInside)) return false
  if (READERS.includes(name.text)) return true
  if (name.text === 'grep') return rest.every(({ text }) => GREP_WORDS.test(text))
  if (name.text === 'sort') return rest.every(isSortWord)
  return name.text === 'find' && rest.every(({ text }) => FIND_TESTS.test(text))
}

/** A file's name below the working directory, as far as its text says; an option, or any other word. */
function staysInside({ kind, text }: Word, dataNames: readonly string[] | undefined): boolean {
  // A glob may lead out (`s*/../..`), or become an option.
  if (kind !== 'static' || /^[/~]/u.test(text)) return false
  if (text.startsWith('-') && text.includes('/')) return false
  // Where Agentry keeps what is nobody's to read, the token of its gateway among it.
  if (text.includes('.agentry')) return false
  if (dataNames !== undefined && mayReach(dataNames, text)) return false
  return !text.split(/[/:=]/u).includes('..') && !/[:=][/~]/u.test(text)
}

/** Also as the value of an option, and in other case: some file systems take that for the same. */
function mayReach(dataNames: readonly string[], text: string): boolean {
  const first = dataNames[0]
  if (first === undefined) return true
  if (text.startsWith('-')) return text.toLowerCase().includes(first)
  const names = namesOf(text)
  return dataNames.every((name, index) => names[index] === name)
}

function namesOf(path: string): string[] {
  return path
    .toLowerCase()
    .split('/')
    .filter((name) => name !== '' && name !== '.')
}

function isSortWord({ text }: Word): boolean {
  return !text.startsWith('-') || /^-(?:[bdfghinruVzcsM]*|[kt].*)$/u.test(text)
}
