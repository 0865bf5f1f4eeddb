/** Commands that run other commands: what is denied is denied behind them too. */
import { parseShellLine } from './shell-line.ts'
import type { SimpleCommand, Word } from './shell-types.ts'

/** Runs its words, behind its own options. */
const PREFIXES: ReadonlySet<string> = new Set([
  'builtin',
  'chroot',
  'command',
  'doas',
  'env',
  'exec',
  'flock',
  'ionice',
  'nice',
  'nohup',
  'setsid',
  'stdbuf',
  'sudo',
  'time',
  'timeout',
  'unbuffer',
  'watch',
  'xargs',
])
const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'ash', 'su'])
const FIND_RUNS: ReadonlySet<string> = new Set(['-exec', '-execdir', '-ok', '-okdir'])
/** Lines in lines. */
const MAX_LINES = 5

/** What the command runs, as far as its words show. More than it runs may be among it, never less that shows. */
export function innerCommands(command: SimpleCommand, depth = 0): SimpleCommand[] {
  const [first, ...rest] = command.words
  if (first === undefined || depth > MAX_LINES) return []
  const name = first.text.slice(first.text.lastIndexOf('/') + 1)
  if (name === 'eval') return inLine(rest.map(({ text }) => text).join(' '))
  if (SHELLS.has(name)) return rest.flatMap(({ text }) => inLine(text))
  if (name === 'find') {
    const at = rest.findIndex(({ text }) => FIND_RUNS.has(text))
    return at === -1 ? [] : [commandOf(rest.slice(at + 1))]
  }
  if (name === 'env') {
    // -S splits a text into words.
    const split = rest.flatMap(({ text }) => inLine(text.replace(/^(?:-S|--split-string=?)/u, '')))
    return [...tails(rest), ...split]
  }
  return PREFIXES.has(name) ? tails(rest) : []
}

/** Which of the words begins the inner command depends on options that are not known here: each may. */
function tails(words: readonly Word[]): SimpleCommand[] {
  return words.map((_, index) => commandOf(words.slice(index)))
}

function commandOf(words: readonly Word[]): SimpleCommand {
  return { assignments: [], words: [...words], redirects: [] }
}

function inLine(text: string): SimpleCommand[] {
  return parseShellLine(text).commands
}
