/**
 * Commands that run the command in their words: what deny and ask look behind. For allow nothing is looked behind: a wrapper
 * changes what its command may do, so that only a pattern that names the wrapper allows it.
 *
 * The programs named here are those of which it is known where their command begins, so that a deny is sure. Of every other program
 * any word may be the name of a command that it runs, or a line for a shell: see `hidden`.
 */
import { endOf, tailOf, type Tail, wordAt, wordsOf } from './command-tail.ts'
import { parseShellLine } from './shell-line.ts'
import type { Assignment, SimpleCommand, Word } from './shell-types.ts'

/** What a command comes to when it runs. */
export interface Unwrapped {
  /** Run for certain, the command itself first. */
  commands: Tail[]
  /** Perhaps run, beginning at any of their words. */
  hidden: Tail[]
  /** It may run more than these. */
  unknown: boolean
}

interface Wrapper {
  /** Options that take the next word. */
  values?: readonly string[]
  /** Words before the command that are neither options nor assignments. */
  operands?: number
}

const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map<string, Wrapper>([
  ['env', { values: ['-u', '--unset', '-C', '--chdir'] }],
  ['nice', { values: ['-n', '--adjustment'] }],
  ['ionice', { values: ['-c', '-n', '--class', '--classdata'] }],
  ['chrt', { values: ['-T', '-P', '-D'], operands: 1 }],
  ['taskset', { operands: 1 }],
  ['nohup', {}],
  ['setpriv', {}],
  ['prlimit', {}],
  ['setarch', { operands: 1 }],
  ['runcon', { values: ['-t', '-u', '-r', '-l', '--type', '--user', '--role', '--range'] }],
  ['systemd-run', { values: ['-u', '-p', '--unit', '--property'] }],
  ['gosu', { operands: 1 }],
  ['unbuffer', {}],
  ['caffeinate', {}],
  ['firejail', {}],
  ['setsid', {}],
  ['time', { values: ['-f', '-o', '--format', '--output'] }],
  ['stdbuf', { values: ['-i', '-o', '-e', '--input', '--output', '--error'] }],
  ['timeout', { values: ['-k', '-s', '--kill-after', '--signal'], operands: 1 }],
  [
    'sudo',
    { values: ['-u', '-g', '-h', '-p', '-C', '-D', '-R', '-T', '-U', '-r', '-t', '--user', '--group'] },
  ],
  ['doas', { values: ['-u', '-C'] }],
  [
    'xargs',
    { values: ['-I', '-n', '-P', '-L', '-d', '-a', '-E', '-s', '-J', '-R', '--max-args', '--max-procs'] },
  ],
  ['command', {}],
  ['builtin', {}],
  ['exec', { values: ['-a'] }],
  ['busybox', {}],
  ['toybox', {}],
  ['chroot', { operands: 1 }],
  ['flock', { values: ['-w', '-E', '--timeout'], operands: 1 }],
  ['watch', { values: ['-n', '--interval'] }],
  ['strace', { values: ['-o', '-e', '-p', '-s', '-E', '-u'] }],
  ['ltrace', { values: ['-o', '-e', '-p', '-s', '-u'] }],
  ['unshare', {}],
  ['nsenter', { values: ['-t'] }],
  ['parallel', { values: ['-j', '-n', '-a'] }],
])
/** Join their words to a line for a shell, or run other things than the command in their words. */
const MORE_THAN_THEIR_WORDS = ['watch', 'parallel', 'flock']
const SSH_VALUES = ['-i', '-l', '-o', '-p', '-F', '-J', '-b', '-c', '-D', '-E', '-L', '-R', '-S', '-W', '-w']

const SHELLS =
  /^(?:r?(?:bash|ksh|zsh)|sh|dash|ash|yash|posh|bosh|mksh|lksh|oksh|fish|t?csh|nu|elvish|xonsh|su|runuser|script)$/u
const FINDERS = ['find', 'fd', 'fdfind', 'bfs']
/** Read commands from a file or from their input, or change what names mean. */
const OPAQUE = ['.', 'source', 'alias', 'enable', 'hash', 'bind', 'complete', 'fc', 'at', 'batch']
/** Run no command, whatever their words are: what is written there is text, or names of files. */
const QUIET =
  /^(?:echo|printf|true|false|:|pwd|cd|test|\[|ls|cat|head|tail|wc|grep|cut|tr|nl|basename|dirname|mkdir|touch)$/u
/** Options of git that take the next word, of those before its command. */
const GIT_VALUES = ['-C', '--git-dir', '--work-tree', '--namespace', '--super-prefix', '--attr-source']

/** How many commands may stand behind each other, and how many are looked at: more is unknown. */
const MAX_WRAPPED = 8
const MAX_COMMANDS = 500
const MAX_IN_FIND = 32

export function unwrap(command: SimpleCommand): Unwrapped {
  const found: Unwrapped = { commands: [], hidden: [], unknown: false }
  for (const assignment of command.assignments) lookInAssignment(found, assignment)
  if (command.words.length === 0) return found
  const all = tailOf(command.words)
  look(found, all, MAX_WRAPPED)
  hide(found, all, MAX_WRAPPED)
  return found
}

/** Any of the words behind the first may be a command's name (the first too, with `first`), and a text of several words a line. */
function hide(found: Unwrapped, all: Tail, left: number, first = false): void {
  const name = wordAt(all, 0)
  if (name === undefined || (name.kind === 'static' && QUIET.test(name.text))) return
  found.hidden.push(first ? all : { ...all, from: all.from + 1 })
  for (let index = all.from + 1; index < endOf(all); index++) hideText(found, all.words[index], left)
}

/** A prose text that is no line of a shell hides nothing: that it cannot be parsed says nothing. */
function hideText(found: Unwrapped, word: Word | undefined, left: number): void {
  if (word?.kind !== 'static' || !/[\s;&|()]/u.test(word.text) || left <= 0) return
  for (const { words } of parseShellLine(word.text).commands) hide(found, tailOf(words), left - 1, true)
}

function lookInAssignment(found: Unwrapped, { name, value }: Assignment): void {
  // Aliases of git among them.
  if (name.startsWith('GIT_CONFIG')) found.unknown = true
  if (value.kind === 'static' && value.text !== '') {
    found.hidden.push(tailOf([value]))
    hideText(found, value, MAX_WRAPPED)
  }
}

function look(found: Unwrapped, command: Tail, left: number): void {
  const name = wordAt(command, 0)
  if (name === undefined) return
  if (found.commands.length >= MAX_COMMANDS) {
    found.unknown = true
    return
  }
  found.commands.push(command)
  if (left === 0 || name.kind !== 'static') {
    found.unknown = true
    return
  }
  const rest: Tail = { ...command, from: command.from + 1 }
  const program = name.text.slice(name.text.lastIndexOf('/') + 1).toLowerCase()
  const wrapper = WRAPPERS.get(program)
  if (wrapper) lookBehind(found, program, wrapper, rest, left - 1)
  else if (program === 'ssh') lookInSsh(found, rest, left - 1)
  else if (program === 'eval') lookInText(found, withoutOptions(wordsOf(rest), ['--']), left - 1)
  else if (program === 'trap') lookInText(found, withoutOptions(wordsOf(rest)).slice(0, 1), left - 1)
  else if (program === 'git') lookInGit(found, rest)
  else if (FINDERS.includes(program)) lookInFind(found, rest, left - 1)
  else if (SHELLS.test(program)) lookInShell(found, rest, left - 1)
  else if (OPAQUE.includes(program)) found.unknown = true
}

function lookBehind(
  found: Unwrapped,
  program: string,
  { values = [], operands = 0 }: Wrapper,
  given: Tail,
  left: number,
): void {
  const rest = program === 'xargs' || program === 'parallel' ? withReplaced(given, program) : given
  const end = endOf(rest)
  let at = rest.from
  let skip = operands
  for (; at < end; at++) {
    const word = rest.words[at]
    if (word === undefined) break
    if (word.kind !== 'static') {
      found.unknown = true
      break
    }
    const { text } = word
    if (program === 'env' && /^(?:-[a-zA-Z]*S|--s)/u.test(text)) {
      // The words of the command in one text, with escapes of env's own.
      found.unknown = true
      const inText = { ...word, text: text.replace(/^-[a-zA-Z]*S|^--[a-z-]+=?/u, '') }
      lookInText(found, [inText, ...rest.words.slice(at + 1, end)], left)
      return
    }
    if (values.includes(text)) at++
    else if (text.startsWith('-') || text === '!' || /^[A-Za-z_][A-Za-z0-9_]*=/u.test(text)) continue
    else if (skip > 0) skip--
    else break
  }
  if (at < end) look(found, { ...rest, from: at }, left)
  // Without a command many run a shell, which reads its input; `env` tells of variables.
  else if (program !== 'env') found.unknown = true
  if (MORE_THAN_THEIR_WORDS.includes(program)) found.unknown = true
}

/**
 * What xargs and parallel read is added to the words, or stands in each place where they hold a text that the options say (`-I %`;
 * `{}` where they say none): such words are not known.
 */
function withReplaced(rest: Tail, program: string): Tail {
  const texts = [program === 'parallel' ? '{' : '{}']
  for (let index = rest.from; index < endOf(rest); index++) {
    const text = rest.words[index]?.text ?? ''
    const [, inNext, inSame] =
      /^(?:-[0-9A-Za-z]*?([IJ])|-[0-9A-Za-z]*?i|--rep[a-z]*=)(.*)$/su.exec(text) ?? []
    if (inSame !== undefined && inSame !== '') texts.push(inSame)
    else if (inNext !== undefined) texts.push(rest.words[index + 1]?.text || '{}')
  }
  const words = rest.words.map((word, index): Word =>
    index >= rest.from && !word.text.startsWith('-') && texts.some((text) => word.text.includes(text))
      ? { ...word, kind: 'dynamic' }
      : word,
  )
  return { ...rest, words, more: true }
}

/** The host, and then a line for a shell there; without one, a shell that reads its input. */
function lookInSsh(found: Unwrapped, rest: Tail, left: number): void {
  const words = wordsOf(rest)
  let at = 0
  while (words[at]?.text.startsWith('-') === true) at += SSH_VALUES.includes(words[at]?.text ?? '') ? 2 : 1
  const line = words.slice(at + 1)
  if (line.length === 0) found.unknown = true
  else lookInText(found, line, left)
}

/** `git -c alias.x=…` gives a command another name. */
function lookInGit(found: Unwrapped, rest: Tail): void {
  for (let at = rest.from; at < endOf(rest); at++) {
    const text = rest.words[at]?.text ?? ''
    if (/^(?:-c|--config|--exec)/u.test(text)) found.unknown = true
    if (!text.startsWith('-')) return
    if (GIT_VALUES.includes(text)) at++
  }
}

function lookInText(found: Unwrapped, words: readonly Word[], left: number): void {
  if (words.some(({ kind }) => kind !== 'static')) found.unknown = true
  const line = parseShellLine(words.map(({ text }) => text).join(' '))
  if (line.unknown !== undefined || left <= 0) found.unknown = true
  for (const command of line.commands) {
    for (const assignment of command.assignments) lookInAssignment(found, assignment)
    if (left > 0) look(found, tailOf(command.words), left)
    hide(found, tailOf(command.words), left)
  }
}

/** `-exec`, `-execdir`, `-ok`, `-okdir`: up to a `;` or `+`. `{}` stands for what is found. */
function lookInFind(found: Unwrapped, given: Tail, left: number): void {
  const words = given.words.some(({ text }) => text.includes('{}'))
    ? given.words.map((word): Word => (word.text.includes('{}') ? { ...word, kind: 'dynamic' } : word))
    : given.words
  const last = endOf(given)
  let commands = 0
  // Of the command that is looked at: where the next one begins before it, that ends there, too.
  let end = 0
  for (let index = given.from; index < last; index++) {
    const { kind, text } = given.words[index] ?? { kind: 'dynamic', text: '' }
    if (kind === 'dynamic') found.unknown = true
    if (!text.startsWith('-')) continue
    if (/^-(?:[xX].|-exec(?:-batch)?=)/su.test(text)) found.unknown = true
    if (!/^-(?:(?:exec|ok)(?:dir)?|[xX]|-exec(?:-batch)?)$/u.test(text)) continue
    if (++commands > MAX_IN_FIND) {
      found.unknown = true
      return
    }
    for (end = Math.max(end, index + 1); end < last && !/^[;+]$/u.test(words[end]?.text ?? '');) end++
    look(found, { words, from: index + 1, end }, left)
  }
}

/** `sh -c text`; a script, and what is read from the input, is not known. */
function lookInShell(found: Unwrapped, tail: Tail, left: number): void {
  const rest = wordsOf(tail)
  const flag = rest.findIndex(({ text }) => /^-[a-zA-Z]*c$/u.test(text) || text === '--command')
  const text = flag === -1 ? undefined : withoutOptions(rest.slice(flag + 1))[0]
  if (text === undefined) {
    found.unknown = true
    // The script itself is what is run.
    const script = rest.findIndex((word) => !/^[-+]/u.test(word.text))
    if (script !== -1) look(found, { ...tail, from: tail.from + script }, left)
    return
  }
  // Options before it may be of another shell, and what is behind it are the text's variables.
  if (rest.slice(0, flag).some(({ kind }) => kind !== 'static')) found.unknown = true
  lookInText(found, [text], left)
}

/** From the first word on that is none of the options at the beginning; `only`: those that count as options. */
function withoutOptions(words: readonly Word[], only?: readonly string[]): readonly Word[] {
  const first = words.findIndex(({ text }) => (only ? !only.includes(text) : !/^[-+]/u.test(text)))
  return first === -1 ? [] : words.slice(first)
}
