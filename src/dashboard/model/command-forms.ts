/** The forms of the slash commands: parsing, completion, help and palette come from this one table. Pure. */
import type { Word } from './command-words.ts'
import type { Command, CommandType } from './commands.ts'

/** What an argument names; completion offers what there is of it. */
export type ArgumentKind = 'session' | 'agent' | 'behavior' | 'model' | 'approval' | 'scope' | 'name' | 'text'

export interface CommandArgument {
  /** As forms and errors name it. */
  readonly label: string
  /** `text` is the rest of the line, of any number of words; it comes last. */
  readonly kind: ArgumentKind
  readonly optional?: true
}

export interface CommandForm {
  readonly type: CommandType
  /** Without the slash. */
  readonly words: readonly string[]
  readonly args: readonly CommandArgument[]
  readonly summary: string
  /** Of the values of `args`, in order; those that are optional and were left out are missing. */
  readonly make: (...values: string[]) => Command
}

const SESSION: CommandArgument = { label: 'session-id', kind: 'session' }
const AGENT: CommandArgument = { label: 'agent-id', kind: 'agent' }
const APPROVAL: CommandArgument = { label: 'id', kind: 'approval', optional: true }
const NAME: CommandArgument = { label: 'name', kind: 'name' }

/** In the order of the help. */
export const COMMAND_FORMS: readonly CommandForm[] = [
  {
    type: 'sessions-list',
    words: ['sessions'],
    args: [],
    summary: 'the sessions of all agents',
    make: () => ({ type: 'sessions-list' }),
  },
  {
    type: 'sessions-list',
    words: ['sessions', 'list'],
    args: [{ ...AGENT, optional: true }],
    summary: 'the sessions of one agent, or of all',
    make: (agentId?: string) => ({ type: 'sessions-list', ...(agentId !== undefined && { agentId }) }),
  },
  {
    type: 'session-create',
    words: ['sessions', 'create'],
    args: [NAME, { label: 'description', kind: 'text', optional: true }],
    summary: 'begin a session; the description is the rest of the line',
    make: (name, description = '') => ({ type: 'session-create', name, description }),
  },
  {
    type: 'session-load',
    words: ['session', 'load'],
    args: [SESSION],
    summary: 'make a session the current one of its agent',
    make: (session) => ({ type: 'session-load', session }),
  },
  {
    type: 'session-save',
    words: ['session', 'save'],
    args: [],
    summary: 'write the snapshot of the current session now',
    make: () => ({ type: 'session-save' }),
  },
  {
    type: 'session-current',
    words: ['session', 'current'],
    args: [],
    summary: 'say which session is current',
    make: () => ({ type: 'session-current' }),
  },
  {
    type: 'session-suspend',
    words: ['session', 'suspend'],
    args: [],
    summary: 'suspend the current session',
    make: () => ({ type: 'session-suspend' }),
  },
  {
    type: 'session-resume',
    words: ['session', 'resume'],
    args: [SESSION],
    summary: 'go on with a suspended session',
    make: (session) => ({ type: 'session-resume', session }),
  },
  {
    type: 'session-terminate',
    words: ['session', 'terminate'],
    args: [{ ...SESSION, optional: true }],
    summary: 'end a session for good, or the current one; it can still be read and forked',
    make: (session?: string) => ({ type: 'session-terminate', ...(session !== undefined && { session }) }),
  },
  {
    type: 'session-fork',
    words: ['session', 'fork'],
    args: [{ ...NAME, optional: true }],
    summary: 'begin a session with what the current one has',
    make: (name?: string) => ({ type: 'session-fork', ...(name !== undefined && { name }) }),
  },
  {
    type: 'session-rename',
    words: ['session', 'rename'],
    args: [NAME],
    summary: 'give the current session another name',
    make: (name) => ({ type: 'session-rename', name }),
  },
  {
    type: 'agents',
    words: ['agents'],
    args: [],
    summary: 'go to the agents',
    make: () => ({ type: 'agents' }),
  },
  {
    type: 'agent-choose',
    words: ['agent'],
    args: [AGENT],
    summary: 'choose the agent that messages go to',
    make: (agentId) => ({ type: 'agent-choose', agentId }),
  },
  {
    type: 'agent-spawn',
    words: ['spawn'],
    args: [
      { label: 'agent-id', kind: 'name' },
      { label: 'behavior', kind: 'behavior', optional: true },
      { label: 'model', kind: 'model', optional: true },
    ],
    summary:
      'add an agent; its behavior is shell where none is given, and llm needs a model: /spawn coder llm ollama/qwen3',
    make: (agentId, behavior = 'shell', model?: string) => ({
      type: 'agent-spawn',
      agentId,
      behavior,
      ...(model !== undefined && { model }),
    }),
  },
  {
    type: 'agent-stop',
    words: ['stop'],
    args: [{ ...AGENT, optional: true }],
    summary: 'stop an agent, or the chosen one',
    make: (agentId?: string) => ({ type: 'agent-stop', ...(agentId !== undefined && { agentId }) }),
  },
  {
    type: 'agent-restart',
    words: ['restart'],
    args: [{ ...AGENT, optional: true }],
    summary: 'start an agent anew, or the chosen one',
    make: (agentId?: string) => ({ type: 'agent-restart', ...(agentId !== undefined && { agentId }) }),
  },
  {
    type: 'cancel',
    words: ['cancel'],
    args: [{ ...AGENT, optional: true }],
    summary: 'cancel the running turn of an agent, or of the chosen one',
    make: (agentId?: string) => ({ type: 'cancel', ...(agentId !== undefined && { agentId }) }),
  },
  {
    type: 'steer',
    words: ['steer'],
    args: [{ label: 'text', kind: 'text' }],
    summary: 'say something into the running turn of the chosen agent, between two of its steps',
    make: (text) => ({ type: 'steer', text }),
  },
  {
    type: 'approvals',
    words: ['approvals'],
    args: [],
    summary: 'all that agents ask, whole',
    make: () => ({ type: 'approvals' }),
  },
  {
    type: 'approve',
    words: ['approve'],
    args: [APPROVAL, { label: 'session', kind: 'scope', optional: true }],
    summary:
      'allow what an agent asks for, once or for the rest of the session; the one question where no id is given',
    make: approve,
  },
  {
    type: 'deny',
    words: ['deny'],
    args: [APPROVAL, { label: 'reason', kind: 'text', optional: true }],
    summary: 'do not allow what an agent asks for; the reason, for the agent, is the rest of the line',
    make: (approval?: string, reason?: string) => ({
      type: 'deny',
      ...(approval !== undefined && { approval }),
      ...(reason !== undefined && { reason }),
    }),
  },
  {
    type: 'help',
    words: ['help'],
    args: [],
    summary: 'all keys and commands',
    make: () => ({ type: 'help' }),
  },
  {
    type: 'quit',
    words: ['quit'],
    args: [],
    summary: 'save everything, stop the supervisor that was started here, and leave',
    make: () => ({ type: 'quit' }),
  },
  {
    type: 'detach',
    words: ['detach'],
    args: [],
    summary: 'leave; the supervisor goes on',
    make: () => ({ type: 'detach' }),
  },
]

/** The word `session` is no id. */
function approve(approval?: string, scope?: string): Command {
  if (approval === 'session' && scope === undefined) return { type: 'approve', scope: approval }
  return {
    type: 'approve',
    ...(approval !== undefined && { approval }),
    ...(scope !== undefined && { scope }),
  }
}

/** The form with the most words that `words` begins with. */
export function formOf(words: readonly Word[]): CommandForm | undefined {
  return COMMAND_FORMS.filter((form) => form.words.every((word, index) => words[index]?.value === word))
    .toSorted((a, b) => b.words.length - a.words.length)
    .at(0)
}

/** The words that can follow after `words`, in the order of the help; none where all words of a command are there. */
export function nextWords(words: readonly string[]): readonly string[] {
  const longer = COMMAND_FORMS.filter((form) => words.every((word, index) => form.words[index] === word))
  return [...new Set(longer.map((form) => form.words[words.length]).filter((word) => word !== undefined))]
}

/** A form as people read it: `/session load <session-id>`. */
export function formText({ words, args }: CommandForm): string {
  const shown = args.map(({ label, optional }) => (optional === true ? `[${label}]` : `<${label}>`))
  return [phrase(words), ...shown].join(' ')
}

/** Words as they are typed. */
export function phrase(words: readonly string[]): string {
  return `/${words.join(' ')}`
}
