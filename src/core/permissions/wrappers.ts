/**
 * Commands that run the command in their words: what deny and ask look behind. For allow nothing is looked behind: a wrapper
 * changes what its command may do, so that only a pattern that names the wrapper allows it.
 */
import { parseShellLine } from './shell-line.ts'
import type { SimpleCommand, Word } from './shell-types.ts'

/** What a command comes to when it runs. */
export interface Unwrapped {
  /** Run for certain, the command itself first. */
  commands: (readonly Word[])[]
  /** Perhaps run: where the options of a wrapper are not known well enough. */
  perhaps: (readonly Word[])[]
  /** It may run more than these. */
  unknown: boolean
}

interface Wrapper {
  /** Options that take the next word. */
  values: readonly string[]
  /** Words before the command that are neither options nor assignments. */
  operands?: number
}

const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ['env', { values: ['-u', '--unset', '-C', '--chdir'] }],
  ['nice', { values: ['-n', '--adjustment'] }],
  ['ionice', { values: ['-c', '-n', '--class', '--classdata'] }],
  ['chrt', { values: ['-T', '-P', '-D'], operands: 1 }],
  ['taskset', { values: [], operands: 1 }],
  ['nohup', { values: [] }],
  ['setpriv', { values: [] }],
  ['systemd-run', { values: ['-u', '-p', '--unit', '--property'] }],
  ['gosu', { values: [], operands: 1 }],
  ['unbuffer', { values: [] }],
  ['caffeinate', { values: [] }],
  ['firejail', { values: [] }],
  ['ssh', { values: ['-i', '-l', '-o', '-p', '-F', '-J'], operands: 1 }],
  ['setsid', { values: [] }],
  ['time', { values: ['-f', '-o', '--format', '--output'] }],
  ['stdbuf', { values: ['-i', '-o', '-e', '--input', '--output', '--error'] }],
  ['timeout', { values: ['-k', '-s', '--kill-after', '--signal'], operands: 1 }],
  [
    'sudo',
    { values: ['-u', '-g', '-h', '-p', '-C', '-D', '-R', '-T', '-U', '-r', '-t', '--user', '--group'] },
  ],
  ['doas', { values: ['-u', '-C'] }],
  ['xargs', { values: ['-I', '-n', '-P', '-L', '-d', '-a', '-E', '-s', '--max-args', '--max-procs'] }],
  ['command', { values: [] }],
  ['builtin', { values: [] }],
  ['exec', { values: ['-a'] }],
  ['busybox', { values: [] }],
  ['chroot', { values: [], operands: 1 }],
  ['flock', { values: ['-w', '-E', '--timeout'], operands: 1 }],
  ['watch', { values: ['-n', '--interval'] }],
  ['strace', { values: ['-o', '-e', '-p', '-s', '-E', '-u'] }],
  ['ltrace', { values: ['-o', '-e', '-p', '-s', '-u'] }],
  ['unshare', { values: [] }],
  ['nsenter', { values: ['-t'] }],
  ['parallel', { values: ['-j', '-n', '-a'] }],
])

const SHELLS = [
  'sh',
  'bash',
  'dash',
  'ash',
  'zsh',
  'ksh',
  'mksh',
  'fish',
  'csh',
  'tcsh',
  'su',
  'runuser',
  'script',
]
/** Read a file of commands into the shell, or change what names mean. */
const OPAQUE = ['.', 'source', 'alias', 'enable', 'hash', 'bind', 'complete', 'fc']

/** How many commands may stand behind each other, and how many are looked at: more is unknown. */
const MAX_WRAPPED = 8
const MAX_COMMANDS = 500

export function unwrap(command: SimpleCommand): Unwrapped {
  const found: Unwrapped = { commands: [], perhaps: [], unknown: false }
  if (command.words.length > 0) look(found, command.words, MAX_WRAPPED)
  return found
}

function look(found: Unwrapped, words: readonly Word[], left: number): void {
  const [name, ...rest] = words
  if (name === undefined) return
  if (found.commands.length >= MAX_COMMANDS) {
    found.unknown = true
    return
  }
  found.commands.push(words)
  if (left === 0) {
    found.unknown = true
    return
  }
  if (name.kind !== 'static') {
    found.unknown = true
    return
  }
  const program = name.text.slice(name.text.lastIndexOf('/') + 1).toLowerCase()
  const wrapper = WRAPPERS.get(program)
  if (wrapper) lookBehind(found, program, wrapper, rest, left - 1)
  else if (program === 'eval') lookInText(found, rest, left - 1)
  else if (program === 'trap') lookInText(found, rest.slice(0, 1), left - 1)
  else if (program === 'find' || program === 'fd') lookInFind(found, rest, left - 1)
  else if (SHELLS.includes(program)) lookInShell(found, rest, left - 1)
  else if (OPAQUE.includes(program)) found.unknown = true
}

function lookBehind(
  found: Unwrapped,
  program: string,
  { values, operands = 0 }: Wrapper,
  rest: readonly Word[],
  left: number,
): void {
  let at = 0
  let skip = operands
  for (; at < rest.length; at++) {
    const word = rest[at]
    if (word === undefined || word.kind !== 'static') break
    const { text } = word
    if (program === 'env' && /^(?:-[a-zA-Z]*S|--s)/u.test(text)) {
      // The words of the command in one text, with escapes of env's own.
      found.unknown = true
      const inText = { ...word, text: text.replace(/^-[a-zA-Z]*S|^--[a-z-]+=?/u, '') }
      lookInText(found, [inText, ...rest.slice(at + 1)], left)
      return
    }
    if (values.includes(text)) at++
    else if (text.startsWith('-') || text === '!' || /^[A-Za-z_][A-Za-z0-9_]*=/u.test(text)) continue
    else if (skip > 0) skip--
    else break
  }
  // What xargs and parallel read is added to the words.
  const added: Word[] =
    program === 'xargs' || program === 'parallel' ? [{ text: '', kind: 'dynamic', quoted: false }] : []
  look(found, [...rest.slice(at), ...(at < rest.length ? added : [])], left)
  if (rest.slice(0, at + 1).some(({ kind }) => kind !== 'static')) found.unknown = true
  // Options that are not known here may take a word, or none.
  for (let index = 0; index < Math.min(rest.length, 64); index++)
    found.perhaps.push([...rest.slice(index), ...added])
  if (program === 'watch' || program === 'parallel' || program === 'flock') found.unknown = true
}

function lookInText(found: Unwrapped, words: readonly Word[], left: number): void {
  if (words.some(({ kind }) => kind !== 'static')) found.unknown = true
  const line = parseShellLine(words.map(({ text }) => text).join(' '))
  if (line.unknown !== undefined || left <= 0) found.unknown = true
  if (left > 0) for (const command of line.commands) look(found, command.words, left)
}

/** `-exec`, `-execdir`, `-ok`, `-okdir`: up to a `;` or `+`. `{}` stands for what is found. */
function lookInFind(found: Unwrapped, rest: readonly Word[], left: number): void {
  if (rest.some(({ kind }) => kind === 'dynamic')) found.unknown = true
  for (const [index, { text }] of rest.entries()) {
    if (found.unknown && found.commands.length >= MAX_COMMANDS) return
    if (!/^(?:-(?:exec|ok)(?:dir)?|-x|-X|--exec|--exec-batch)$/u.test(text)) continue
    const inner = rest.slice(index + 1)
    const end = inner.findIndex((word) => word.text === ';' || word.text === '+')
    const words = (end === -1 ? inner : inner.slice(0, end)).map((word): Word =>
      word.text.includes('{}') ? { ...word, kind: 'dynamic' } : word,
    )
    look(found, words, left)
  }
}

/** `sh -c text`; a script, and what is read from the input, is not known. */
function lookInShell(found: Unwrapped, rest: readonly Word[], left: number): void {
  const flag = rest.findIndex(({ text }) => /^-[a-zA-Z]*c$/u.test(text) || text === '--command')
  const text = flag === -1 ? undefined : rest.slice(flag + 1).find((word) => !/^[-+]/u.test(word.text))
  if (text === undefined) {
    found.unknown = true
    // The script itself is what is run.
    const script = rest.findIndex((word) => !/^[-+]/u.test(word.text))
    if (script !== -1) look(found, rest.slice(script), left)
    return
  }
  // Options before it may be of another shell, and what is behind it are the text's variables.
  if (rest.slice(0, flag).some(({ kind }) => kind !== 'static')) found.unknown = true
  lookInText(found, [text], left)
}
