/** The help and the palette, made from the tables of keys and commands. Pure. */
import { COMMAND_FORMS, formText } from './command-forms.ts'
import { type Action, KEY_BINDINGS, type KeyBinding, keyText, type Scope } from './keymap.ts'
import { EDITING_KEYS } from './line-editor.ts'
import { type Line, span } from './line.ts'
import { cutToWidth, padToWidth, widthOf, wrapToWidth } from './text.ts'

const TITLES: Readonly<Record<Scope, string>> = {
  input: 'At the input line',
  panes: 'In the panes (small letters look and move, capitals change something)',
  everywhere: 'Everywhere',
}

/** All keys and commands, in rows of at most `width` columns. */
export function helpLines(width: number): readonly Line[] {
  const rows: (string | readonly [string, string])[] = []
  for (const scope of ['input', 'panes', 'everywhere'] as const) {
    rows.push(TITLES[scope])
    for (const binding of KEY_BINDINGS) {
      if (binding.scope === scope) rows.push([keysText(binding), binding.summary])
    }
    rows.push('')
  }
  rows.push('Commands (Tab completes; ids by their beginning, and names)')
  for (const form of COMMAND_FORMS) rows.push([formText(form), form.summary])
  rows.push(['//text', 'a message that begins with one slash'], '', 'Editing the line')
  for (const { keys, summary } of EDITING_KEYS) rows.push([keys.map(keyText).join(' '), summary])
  rows.push('', 'Sessions: ● active  ‖ suspended  ■ terminated  * current one of its agent')
  rows.push(
    'Agents: ● working  ? asks you  … waits for agents  ○ idle  · hibernated  ◌ starting  ↻ restarting  ✗ failed  ■ stopped',
  )

  const labels = rows.filter((row) => typeof row !== 'string').map(([label]) => widthOf(label))
  const left = Math.max(1, Math.min(Math.max(...labels), Math.floor((width - GAPS) * LABEL_SHARE)))
  return rows.flatMap((row) =>
    typeof row === 'string' ? titleLines(row, width) : rowLines(row[0], row[1], left, width),
  )
}

const INDENT = '  '
const GAPS = 2 * INDENT.length
const LABEL_SHARE = 0.45

function titleLines(title: string, width: number): Line[] {
  return wrapToWidth(title, width).map((text) => [span(text, 'strong')])
}

/** What is too long for its column goes on below: a help that leaves something out is none. */
function rowLines(label: string, summary: string, left: number, width: number): Line[] {
  const right = width - left - GAPS
  if (right < 1) return [[span(cutToWidth(label, width), 'accent')]]
  const labels = wrapToWidth(label, left)
  const summaries = wrapToWidth(summary, right)
  return Array.from({ length: Math.max(labels.length, summaries.length) }, (_, index) => [
    span(INDENT + padToWidth(labels[index] ?? '', left) + INDENT, 'accent'),
    span(summaries[index] ?? ''),
  ])
}

export interface PaletteEntry {
  readonly label: string
  readonly summary: string
  /** How to get there without the palette. */
  readonly keys: string
  /** Done at once; without one, `line` is put at the prompt. */
  readonly action?: Action
  readonly line?: string
}

/** Only of use while a line is being typed, or while the palette is closed. */
const NOT_IN_PALETTE: ReadonlySet<Action> = new Set([
  'submit',
  'allow-once',
  'allow-always',
  'deny',
  'complete',
  'newline',
  'history-previous',
  'history-next',
  'end-of-input',
  'interrupt',
  'begin-command',
  'palette',
  'open',
  'up',
  'down',
  'left',
  'right',
])

let entries: readonly PaletteEntry[] | undefined

/** The commands, then what keys do. */
export function paletteEntries(): readonly PaletteEntry[] {
  entries ??= [
    ...COMMAND_FORMS.map((form): PaletteEntry => {
      const words = `/${form.words.join(' ')}`
      const line = form.args.length === 0 ? words : `${words} `
      return { label: formText(form), summary: form.summary, keys: '', line }
    }),
    ...[...new Set(KEY_BINDINGS.map(({ action }) => action))]
      .filter((action) => !NOT_IN_PALETTE.has(action))
      .flatMap((action): PaletteEntry[] => {
        const bindings = KEY_BINDINGS.filter((binding) => binding.action === action)
        const [first] = bindings
        if (first === undefined) return []
        const keys = bindings.map(({ keys: [key = ''] }) => keyText(key)).join(' ')
        return [{ label: action.replaceAll('-', ' '), summary: first.summary, keys, action }]
      }),
  ]
  return entries
}

function keysText({ keys }: KeyBinding): string {
  return keys.map(keyText).join(' ')
}
