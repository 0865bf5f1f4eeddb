/** The slash commands: what they mean, and how a line of text becomes one. Pure. */
import { quote } from '../../core/ids.ts'
import type { ApprovalDecision } from '../../core/session-state.ts'
import { nearest } from '../../core/suggest.ts'
import { type CommandForm, formOf, formText, nextWords, phrase } from './command-forms.ts'
import { splitWords, type Word, type Words } from './command-words.ts'

/** A command as parsed. References (`session`, `agentId`) are as typed: ids, unique beginnings of ids, or names. */
export type Command =
  | { readonly type: 'sessions-list'; readonly agentId?: string }
  | { readonly type: 'session-create'; readonly name: string; readonly description: string }
  | { readonly type: 'session-load'; readonly session: string }
  | { readonly type: 'session-save' }
  | { readonly type: 'session-current' }
  | { readonly type: 'session-suspend' }
  | { readonly type: 'session-resume'; readonly session: string }
  /** Without a session: the current one. */
  | { readonly type: 'session-terminate'; readonly session?: string }
  | { readonly type: 'session-fork'; readonly name?: string }
  | { readonly type: 'session-rename'; readonly name: string }
  | { readonly type: 'agents' }
  /** Choose the agent that messages go to. */
  | { readonly type: 'agent-choose'; readonly agentId: string }
  | {
      readonly type: 'agent-spawn'
      readonly agentId: string
      readonly behavior: string
      readonly model?: string
    }
  /** Without an agent: the chosen one. So for the two below. */
  | { readonly type: 'agent-stop'; readonly agentId?: string }
  | { readonly type: 'agent-restart'; readonly agentId?: string }
  | { readonly type: 'cancel'; readonly agentId?: string }
  /** Into the running turn of the chosen agent. */
  | { readonly type: 'steer'; readonly text: string }
  | { readonly type: 'approvals' }
  /** Without an id: the one question that is open. `scope` as it was typed. */
  | { readonly type: 'approve'; readonly approval?: string; readonly scope?: string }
  | { readonly type: 'deny'; readonly approval?: string; readonly reason?: string }
  /** What the two above, and keys, come to. */
  | {
      readonly type: 'answer'
      readonly approvalId: string
      readonly decision: ApprovalDecision
      readonly reason?: string
    }
  | { readonly type: 'help' }
  | { readonly type: 'quit' }
  | { readonly type: 'detach' }

export type CommandType = Command['type']

export type ParsedCommand =
  | { readonly ok: true; readonly command: Command }
  /** What was expected, and what came. */
  | { readonly ok: false; readonly message: string }

/** A line that begins with one slash. One that begins with two is no command but a message that begins with one. */
export function parseCommand(line: string): ParsedCommand {
  const text = line.slice(1)
  const split = splitWords(text)
  const form = formOf(split.words)
  if (form === undefined) return refused(unknownCommand(split.words))
  const given = valuesOf(form, text, split)
  if ('open' in given) {
    const { quote: mark, start } = given.open
    return refused(
      `the ${mark} at column ${start + 2} is not closed: expected another ${mark}, received the end of the line`,
    )
  }
  const { values } = given
  const missing = form.args.find(
    ({ optional }, index) => optional === undefined && (values[index] ?? '').trim() === '',
  )
  if (missing !== undefined) return refused(`expected ${formText(form)}, received no ${missing.label}`)
  const extra = values[form.args.length]
  if (extra !== undefined) return refused(tooMany(form, extra))
  return { ok: true, command: form.make(...values) }
}

/** The values behind the words of the form, or the quote among them that nobody closed. */
function valuesOf(
  form: CommandForm,
  text: string,
  { words, open }: Words,
): { values: string[] } | Required<Pick<Words, 'open'>> {
  const given = words.slice(form.words.length)
  const restAt = form.args.findIndex(({ kind }) => kind === 'text')
  const before = restAt === 0 ? words[form.words.length - 1] : given[restAt - 1]
  if (restAt === -1 || before === undefined || given.length <= restAt) {
    return open === undefined ? { values: given.map(({ value }) => value) } : { open }
  }
  // Prose has apostrophes: unless the rest begins with a quote, it is taken as it was typed.
  const rest = text.slice(before.end).trim()
  const plain = !/^["']/.test(rest)
  if (open !== undefined && (!plain || open.start < before.end)) return { open }
  const head = given.slice(0, restAt).map(({ value }) => value)
  const tail = given.slice(restAt).map(({ value }) => value)
  return { values: [...head, plain ? rest : tail.join(' ')] }
}

function refused(message: string): ParsedCommand {
  return { ok: false, message }
}

function unknownCommand(words: readonly Word[]): string {
  const [first, second] = words.map(({ value }) => value)
  if (first === undefined) return 'expected a command after /, received nothing; /help lists them'
  const following = nextWords([first])
  if (following.length === 0) {
    const hint = suggestion(first, second)
    return `expected a command, received ${quote(`/${first}`)}${hint}; /help lists them, // begins a message with a slash`
  }
  const received = second === undefined ? 'nothing' : quote(second)
  return `expected ${orList(following)} after /${first}, received ${received}${suggestion(first, second)}`
}

function tooMany(form: CommandForm, extra: string): string {
  const following = nextWords(form.words)
  if (following.length > 0) {
    const hint = suggestion(form.words[0] ?? '', extra)
    return `expected ${orList(following)} or nothing after ${phrase(form.words)}, received ${quote(extra)}${hint}`
  }
  const quoting = form.args.some(({ kind }) => kind === 'name') ? ' (quote a name that has spaces)' : ''
  return `expected ${formText(form)}, received ${quote(extra)} besides${quoting}`
}

/** What the words are near to, both of them where that can be: `/session create` may mean `/sessions create`. */
function suggestion(first: string, second: string | undefined): string {
  const known = nextWords([])
  const near = nearest(
    first,
    known.filter((word) => word !== first),
  )
  for (const word of [first, near]) {
    const next = word === undefined || second === undefined ? undefined : nearest(second, nextWords([word]))
    if (word !== undefined && next !== undefined) return `; did you mean "${phrase([word, next])}"?`
  }
  return near === undefined || known.includes(first) ? '' : `; did you mean "${phrase([near])}"?`
}

function orList(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`
}
