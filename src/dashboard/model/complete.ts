/** Tab in a slash command: the rest of the word before the cursor, as far as there is one way to go on. Pure. */
import { BEHAVIOR_NAMES, isBuiltIn } from '../../agent-spec.ts'
import type { AgentInfo, ApprovalInfo, SessionInfo } from '../../api.ts'
import { plainLine } from '../../core/terminal-text.ts'
import { assertNever } from '../../errors.ts'
import { BUILT_IN_PROVIDERS } from '../../llm-spec.ts'
import { type ArgumentKind, COMMAND_FORMS, formOf, nextWords } from './command-forms.ts'
import { quoteBeginning, quoteWord, splitWords } from './command-words.ts'
import { type LineEditor, replaceBefore } from './line-editor.ts'

export interface Candidate {
  /** As it stands in the line. */
  readonly text: string
  readonly summary: string
}

/** What there is to choose from; lists are offered in their order. */
export interface CompletionNames {
  /** Whose sessions may be named by their names alone. */
  readonly agentId?: string | undefined
  readonly agents: readonly (Pick<AgentInfo, 'id' | 'state' | 'behavior'> & {
    readonly spec?: Pick<AgentInfo['spec'], 'llm'>
  })[]
  /** Those of the chosen agent first. */
  readonly sessions: readonly Pick<SessionInfo, 'id' | 'name' | 'agentId' | 'status'>[]
  /** Oldest first. */
  readonly approvals?: readonly Pick<ApprovalInfo, 'approvalId' | 'agentId' | 'tool' | 'subject'>[]
}

/** A value that a word can have. */
interface Choice {
  readonly value: string
  readonly summary: string
}

/**
 * The line with as much more of the word before the cursor as all that fits has in common, and what fits. One that fits alone is put in whole,
 * with a space. The line is the same value where nothing was added: with no candidates there is nothing to complete.
 */
export function complete(
  input: LineEditor,
  names: CompletionNames,
): { input: LineEditor; candidates: readonly Candidate[] } {
  const { text, cursor } = input
  if (!text.startsWith('/') || text.startsWith('//') || cursor === 0) return { input, candidates: [] }
  const before = text.slice(1, cursor)
  const { words } = splitWords(before)
  const last = words.at(-1)
  const current = last?.end === before.length ? last : undefined
  const earlier = current === undefined ? words : words.slice(0, -1)
  const typed = current?.value ?? ''
  const values = earlier.map(({ value }) => value)
  const form = formOf(earlier)
  const argument = form?.args[earlier.length - form.words.length]
  const choices = fitting(typed, [
    ...wordChoices(values),
    ...(argument === undefined ? [] : argumentChoices(argument.kind, names, typed)),
  ])
  const [only] = choices
  if (only === undefined) return { input, candidates: [] }
  const slash = earlier.length === 0 ? '/' : ''
  const candidates = choices.map(({ value, summary }) => ({
    text: plainLine(slash + quoteWord(value)),
    summary: plainLine(summary),
  }))
  const start = 1 + (current?.start ?? before.length)
  const after = text.slice(cursor)
  if (choices.length === 1) {
    return {
      input: replaceBefore(input, start, quoteWord(only.value) + (/^\s/.test(after) ? '' : ' ')),
      candidates,
    }
  }
  const common = commonBeginning(choices.map(({ value }) => value))
  if (common.length <= typed.length) return { input, candidates }
  return { input: replaceBefore(input, start, quoteBeginning(common)), candidates }
}

/** Exactly as typed, else in upper or lower case. */
function fitting(typed: string, choices: readonly Choice[]): readonly Choice[] {
  const exact = choices.filter(({ value }) => value.startsWith(typed))
  if (exact.length > 0) return exact
  const folded = typed.toLowerCase()
  return choices.filter(({ value }) => value.toLowerCase().startsWith(folded))
}

/** The words of commands that can follow. */
function wordChoices(earlier: readonly string[]): Choice[] {
  return nextWords(earlier).map((word) => {
    const words = [...earlier, word]
    const form = COMMAND_FORMS.find(
      (one) => one.words.length === words.length && one.words.join(' ') === words.join(' '),
    )
    return { value: word, summary: form?.summary ?? nextWords(words).join(', ') }
  })
}

function argumentChoices(kind: ArgumentKind, names: CompletionNames, typed: string): Choice[] {
  switch (kind) {
    case 'agent':
      return names.agents.map(({ id, state, behavior }) => ({ value: id, summary: `${behavior}, ${state}` }))
    case 'behavior':
      return behaviorChoices(names)
    case 'model':
      return modelChoices(names)
    case 'approval':
      return (names.approvals ?? []).map(({ approvalId, agentId, tool, subject }) => ({
        value: approvalId,
        summary: `${agentId} asks for ${tool} ${plainLine(subject)}`,
      }))
    case 'scope':
      return [{ value: 'session', summary: 'for the rest of the session' }]
    case 'session':
      return sessionChoices(names, typed)
    case 'name':
    case 'text':
      return []
    default:
      return assertNever(kind)
  }
}

/** The built-in ones, and those of the agents that are there. */
function behaviorChoices({ agents }: CompletionNames): Choice[] {
  const used = agents.map(({ behavior }) => behavior).filter((behavior) => !isBuiltIn(behavior))
  return [
    ...BEHAVIOR_NAMES.map((value) => ({ value, summary: 'built in' })),
    ...[...new Set(used)].map((value) => ({ value, summary: 'used in this team' })),
  ]
}

/** The models of the agents that are there, then the providers that are known by name. */
function modelChoices({ agents }: CompletionNames): Choice[] {
  const used = agents.flatMap(({ spec }) =>
    spec?.llm === undefined ? [] : [spec.llm.model, ...spec.llm.fallbacks],
  )
  return [
    ...[...new Set(used)].map((value) => ({ value, summary: 'used in this team' })),
    ...Object.keys(BUILT_IN_PROVIDERS).map((name) => ({ value: `${name}/`, summary: `a model of ${name}` })),
  ]
}

/** By name where that means one session, else by id; by id also where one is being typed. */
function sessionChoices({ sessions, agentId }: CompletionNames, typed: string): Choice[] {
  const ofName = Map.groupBy(sessions, ({ name }) => name)
  return sessions.flatMap(({ id, name, status, agentId: owner }) => {
    const same = ofName.get(name) ?? []
    const rivals = owner === agentId ? same.filter((session) => session.agentId === owner) : same
    // A name that cannot be typed as it is does not find its session.
    const named = rivals.length === 1 && name !== '' && plainLine(name, name.length) === name
    const shown = plainLine(name)
    const choices: Choice[] = named
      ? [{ value: name, summary: `${status}, of ${owner}, ${id.slice(0, 13)}` }]
      : []
    if (!named || (typed !== '' && id.startsWith(typed))) {
      choices.push({ value: id, summary: `${shown}, ${status}, of ${owner}` })
    }
    return choices
  })
}

/** The longest beginning of all, of whole graphemes. */
function commonBeginning(values: readonly string[]): string {
  const [first = '', ...others] = values
  let common = first
  for (const other of others) {
    let length = 0
    while (length < common.length && common[length] === other[length]) length++
    common = common.slice(0, length)
  }
  // A letter without the mark that belongs to it is none of the beginning.
  return first.slice(0, GRAPHEMES.segment(first).containing(common.length)?.index)
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
