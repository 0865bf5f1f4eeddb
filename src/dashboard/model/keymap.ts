/**
 * The keys and what they do: the one table that dispatch, the hints of the status line and the help are made of. Pure.
 *
 * In panes, lower-case letters look and move, capitals change something.
 */

export type Action =
  | 'focus-next'
  | 'focus-previous'
  | 'focus-input'
  | 'focus-panes'
  | 'left'
  | 'right'
  | 'up'
  | 'down'
  | 'page-up'
  | 'page-down'
  | 'first'
  | 'last'
  | 'open'
  | 'filter'
  | 'next-attention'
  | 'session-picker'
  | 'palette'
  | 'toggle-scope'
  | 'fold'
  | 'fold-all'
  | 'help'
  | 'begin-command'
  | 'new-session'
  | 'load'
  | 'suspend'
  | 'resume'
  | 'terminate'
  | 'cancel'
  | 'quit'
  | 'redraw'
  | 'interrupt'
  | 'end-of-input'
  | 'complete'
  | 'submit'
  | 'newline'
  | 'history-previous'
  | 'history-next'
  | 'allow-once'
  | 'allow-always'
  | 'deny'
  | 'approvals'

/** Where a key has a meaning: at the input line, in the panes, or in both before either. */
export type Scope = 'everywhere' | 'input' | 'panes'

export interface KeyBinding {
  /** Names as in `Input` (input.ts); the first one stands in hints. */
  readonly keys: readonly string[]
  readonly scope: Scope
  readonly action: Action
  /** What it does, as the help says it. */
  readonly summary: string
  /** A word for the status line, where there is room: in the order of this table. */
  readonly hint?: string
}

export const KEY_BINDINGS: readonly KeyBinding[] = [
  {
    keys: ['enter'],
    scope: 'input',
    action: 'submit',
    summary: 'send the message, or run the command',
    hint: 'send',
  },
  {
    keys: ['tab'],
    scope: 'input',
    action: 'complete',
    summary: 'complete; on an empty line go to the next pane',
  },
  { keys: ['esc'], scope: 'input', action: 'focus-panes', summary: 'go to the panes', hint: 'panes' },
  { keys: ['?'], scope: 'input', action: 'help', summary: 'on an empty line: this help', hint: 'help' },
  {
    keys: ['y'],
    scope: 'input',
    action: 'allow-once',
    summary: 'on an empty line, while an agent asks: allow it once',
  },
  {
    keys: ['a'],
    scope: 'input',
    action: 'allow-always',
    summary: 'on an empty line, while an agent asks: allow it for the rest of the session',
  },
  {
    keys: ['n'],
    scope: 'input',
    action: 'deny',
    summary: 'on an empty line, while an agent asks: do not allow it; then a reason, if you like',
  },
  {
    keys: ['alt+enter', 'ctrl+j'],
    scope: 'input',
    action: 'newline',
    summary: 'begin a new line in the message',
  },
  { keys: ['up'], scope: 'input', action: 'history-previous', summary: 'the line entered before' },
  { keys: ['down'], scope: 'input', action: 'history-next', summary: 'the line entered after it' },
  { keys: ['ctrl+d'], scope: 'input', action: 'end-of-input', summary: 'on an empty line: quit' },

  { keys: ['tab'], scope: 'panes', action: 'focus-next', summary: 'the next pane', hint: 'next' },
  { keys: ['shift+tab'], scope: 'everywhere', action: 'focus-previous', summary: 'the pane before' },
  {
    keys: ['i', 'esc'],
    scope: 'panes',
    action: 'focus-input',
    summary: 'back to the input line',
    hint: 'input',
  },
  { keys: ['j', 'down'], scope: 'panes', action: 'down', summary: 'down', hint: 'down' },
  { keys: ['k', 'up'], scope: 'panes', action: 'up', summary: 'up', hint: 'up' },
  { keys: ['h', 'left'], scope: 'panes', action: 'left', summary: 'the pane on the left' },
  { keys: ['l', 'right'], scope: 'panes', action: 'right', summary: 'the pane on the right' },
  { keys: ['g', 'home'], scope: 'panes', action: 'first', summary: 'to the beginning' },
  { keys: ['G', 'end'], scope: 'panes', action: 'last', summary: 'to the end' },
  {
    keys: ['enter'],
    scope: 'panes',
    action: 'open',
    summary: 'open: the session, or the agent at the input line',
    hint: 'open',
  },
  {
    keys: ['f'],
    scope: 'panes',
    action: 'filter',
    summary: 'filter the list by what you type',
    hint: 'filter',
  },
  { keys: ['a'], scope: 'panes', action: 'toggle-scope', summary: 'sessions of one agent, or of all' },
  { keys: ['x', 'space'], scope: 'panes', action: 'fold', summary: 'fold or unfold the results of tools' },
  { keys: ['z'], scope: 'panes', action: 'fold-all', summary: 'fold or unfold the results of all tools' },
  { keys: ['n'], scope: 'panes', action: 'next-attention', summary: 'the next agent that needs attention' },
  { keys: ['o'], scope: 'panes', action: 'session-picker', summary: 'find a session' },
  { keys: ['p'], scope: 'panes', action: 'palette', summary: 'find a command' },
  { keys: ['/'], scope: 'panes', action: 'begin-command', summary: 'begin a command' },
  { keys: ['?'], scope: 'panes', action: 'help', summary: 'this help', hint: 'help' },
  { keys: ['N'], scope: 'panes', action: 'new-session', summary: 'create a session' },
  { keys: ['L'], scope: 'panes', action: 'load', summary: 'load the session: the agent goes on in it' },
  { keys: ['R'], scope: 'panes', action: 'resume', summary: 'resume the session' },
  { keys: ['S'], scope: 'panes', action: 'suspend', summary: "suspend the agent's current session" },
  { keys: ['T'], scope: 'panes', action: 'terminate', summary: 'terminate the session (asks)' },
  { keys: ['C'], scope: 'panes', action: 'cancel', summary: 'cancel the running turn of the agent' },
  { keys: ['q', 'ctrl+d'], scope: 'panes', action: 'quit', summary: 'quit' },

  { keys: ['pageup'], scope: 'everywhere', action: 'page-up', summary: 'a page up' },
  { keys: ['pagedown'], scope: 'everywhere', action: 'page-down', summary: 'a page down' },
  { keys: ['ctrl+p'], scope: 'everywhere', action: 'palette', summary: 'find a command', hint: 'commands' },
  {
    keys: ['ctrl+o'],
    scope: 'everywhere',
    action: 'session-picker',
    summary: 'find a session',
    hint: 'sessions',
  },
  {
    keys: ['ctrl+n'],
    scope: 'everywhere',
    action: 'next-attention',
    summary: 'the next agent that needs attention',
  },
  { keys: ['ctrl+t'], scope: 'everywhere', action: 'approvals', summary: 'all that agents ask, whole' },
  { keys: ['ctrl+l'], scope: 'everywhere', action: 'redraw', summary: 'draw the screen anew' },
  {
    keys: ['ctrl+c'],
    scope: 'everywhere',
    action: 'interrupt',
    summary: 'empty the line; twice on an empty one: quit',
  },
]

const ACTIONS: ReadonlyMap<string, Action> = new Map(
  KEY_BINDINGS.flatMap(({ keys, scope, action }) => keys.map((key) => [`${scope} ${key}`, action])),
)

/** What `key` does in `scope`, which is that scope alone: `everywhere` is asked for by itself, first. */
export function actionFor(scope: Scope, key: string): Action | undefined {
  return ACTIONS.get(`${scope} ${key}`)
}

/** A key as people write it: `Ctrl-P`, `Shift-Tab`, `PageUp`, `G`. */
export function keyText(key: string): string {
  const parts = key.split('+')
  const [last = ''] = parts.splice(-1)
  const modifiers = parts.map((part) => `${capital(part)}-`).join('')
  if (last.startsWith('page')) return `${modifiers}Page${capital(last.slice('page'.length))}`
  // `g` and `G` are different keys; Ctrl-P is written so, and is one key.
  return modifiers + (last.length > 1 || key.startsWith('ctrl+') ? capital(last) : last)
}

/** Between two hints. */
export const HINT_GAP = '  '

/** What can be done now, in one line. */
export function keyHints(place: 'input' | 'agents' | 'sessions' | 'conversation' | 'overlay'): string {
  if (place === 'overlay') return 'Esc close'
  const scope: Scope = place === 'input' ? 'input' : 'panes'
  const hints = KEY_BINDINGS.filter((binding) => binding.hint !== undefined && binding.scope === scope)
  const more = KEY_BINDINGS.filter((binding) => binding.hint !== undefined && binding.scope === 'everywhere')
  return [...hints, ...(place === 'input' ? more : [])]
    .map(({ keys: [key = ''], hint }) => `${keyText(key)} ${hint}`)
    .join(HINT_GAP)
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
