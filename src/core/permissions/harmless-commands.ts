/**
 * Command lines that read and do nothing else: what the tool `shell` runs without asking where no rule names it. They reach no
 * file outside of the working directory by a name in the line (a link in it may lead out), write no file, and start no program.
 * What is not known here is not harmless.
 */
import { lineProblem } from './command-rules.ts'
import { parseShellLine } from './shell-line.ts'
import type { Word } from './shell-types.ts'

/** Whatever words they are given, as far as those stay in the working directory. */
const READERS = ['ls', 'cat', 'head', 'tail', 'wc', 'grep', 'cut', 'tr', 'nl', 'basename', 'dirname']
/** Whatever words they are given. */
const SPEAKERS = ['echo', 'pwd', 'true', 'false', ':']
/** Without any words. */
const BARE = ['date', 'whoami', 'id', 'uname', 'hostname']

const FIND_TESTS =
  /^(?:-(?:i?name|i?path|i?regex|type|maxdepth|mindepth|size|[amc]time|[amc]min|newer|empty|not|o|or|a|and|print0?|prune)|[!()]|[^-].*)$/su

const GIT_OPTIONS: { readonly [command: string]: RegExp } = {
  status:
    /^(?:-[sbvz]+|--(?:short|branch|porcelain(?:=v[12])?|long|verbose|ignored|untracked-files(?:=\w+)?))$/u,
  diff: /^(?:-[pbwMs]+|-U[0-9]+|--(?:cached|staged|merge-base))$/u,
  log: /^(?:-[pbwMs]+|-[0-9]+|-n[0-9]*|--(?:all|graph|follow|reverse|(?:no-)?merges|first-parent|(?:max-count|since|until|after|before|author|grep|skip)=.*))$/u,
  show: /^-[pbwMs]+$/u,
  branch: /^(?:-[arv]+|--(?:list|all|remotes|show-current|verbose))$/u,
  'rev-parse': /^--(?:short|abbrev-ref|verify|show-toplevel|show-prefix|git-dir|is-inside-work-tree)$/u,
  'ls-files': /^(?:-[cdmosz]+|--(?:cached|deleted|modified|others|stage|exclude-standard))$/u,
  blame: /^(?:-[wlste]+|-L[0-9]*,?[0-9]*)$/u,
}
/** Of all that show changes. */
const GIT_DISPLAY =
  /^--(?:stat|numstat|shortstat|summary|name-only|name-status|oneline|patch|no-patch|raw|(?:no-)?decorate|abbrev-commit|color=never|no-color|no-ext-diff|no-textconv|word-diff|ignore-all-space|(?:format|pretty|date)=.*)$/u

export function isHarmless(text: string): boolean {
  return harmProblem(text) === undefined
}

/** Why it may do more than read; undefined: it does not. */
export function harmProblem(text: string): string | undefined {
  return lineProblem(parseShellLine(text), isHarmlessCommand, staysInside)
}

function isHarmlessCommand([name, ...rest]: readonly Word[]): boolean {
  if (name?.kind !== 'static') return false
  if (SPEAKERS.includes(name.text)) return true
  if (BARE.includes(name.text)) return rest.length === 0
  if (name.text === 'grep' && rest.some(isRecursive)) return false
  if (READERS.includes(name.text)) return rest.every(staysInside)
  if (name.text === 'sort') return rest.every((word) => staysInside(word) && isSortWord(word))
  if (name.text === 'find') return isHarmlessFind(rest)
  return name.text === 'git' && isHarmlessGit(rest)
}

/** `grep` that reads whatever it finds, the folders of programs among it. */
function isRecursive({ text }: Word): boolean {
  return /^-[A-Za-z0-9]*[rRd]|^--(?:rec|deref|dir)/u.test(text)
}

/** A file's name below the working directory, as far as its text says; an option, or any other word. */
function staysInside({ kind, text }: Word): boolean {
  // A glob may lead out (`s*/../..`), or become an option.
  if (kind !== 'static' || /^[/~]/u.test(text)) return false
  if (text.startsWith('-') && text.includes('/')) return false
  // Where Agentry keeps what is nobody's to read, the token of its gateway among it.
  if (text.includes('.agentry')) return false
  return !text.split(/[/:=]/u).includes('..') && !/[:=][/~]/u.test(text)
}

function isSortWord({ text }: Word): boolean {
  return !text.startsWith('-') || /^-(?:[bdfghinruVzcsM]*|[kt].*)$/u.test(text)
}

function isHarmlessFind(words: readonly Word[]): boolean {
  return words.every((word) => staysInside(word) && FIND_TESTS.test(word.text))
}

function isHarmlessGit([command, ...rest]: readonly Word[]): boolean {
  if (command?.kind !== 'static' || !Object.hasOwn(GIT_OPTIONS, command.text)) return false
  const options = GIT_OPTIONS[command.text]
  if (options === undefined) return false
  const shows = ['diff', 'log', 'show'].includes(command.text)
  const isOption = ({ text }: Word): boolean => options.test(text) || (shows && GIT_DISPLAY.test(text))
  if (!rest.every((word) => staysInside(word) && isGitWord(word, isOption))) return false
  // A name alone makes a branch.
  if (command.text !== 'branch' || rest.every(({ text }) => text.startsWith('-') && text !== '--'))
    return true
  return rest.some(({ text }) => text === '--list')
}

function isGitWord(word: Word, isOption: (word: Word) => boolean): boolean {
  return !word.text.startsWith('-') || word.text === '--' || isOption(word)
}
