/** Writes the tables of docs/dashboard.md from those that the dashboard itself works by, so that the two cannot differ. */
import { readFileSync, writeFileSync } from 'node:fs'
import { COMMAND_FORMS, formText } from '../src/dashboard/model/command-forms.ts'
import { KEY_BINDINGS, keyText, type Scope } from '../src/dashboard/model/keymap.ts'
import { EDITING_KEYS } from '../src/dashboard/model/line-editor.ts'

export const DASHBOARD_PAGE: URL = new URL('../docs/dashboard.md', import.meta.url)

const SECTIONS: Readonly<Record<string, () => string>> = {
  'keys at the input line': () => bindingsIn('input'),
  'keys in the panes': () => bindingsIn('panes'),
  'keys everywhere': () => bindingsIn('everywhere'),
  'editing keys': () => keyTable(EDITING_KEYS),
  commands: () =>
    table('command', [
      ...COMMAND_FORMS.map((form) => [code(formText(form)), form.summary] as const),
      [code('//text'), 'a message that begins with one slash'],
    ]),
}

/** `page` with the tables between `<!-- begin … -->` and `<!-- end -->` as they should be. Throws where one of them has no place. */
export function dashboardPage(page: string): string {
  return Object.entries(SECTIONS).reduce((text, [name, section]) => {
    const begin = `<!-- begin ${name} -->\n`
    const start = text.indexOf(begin)
    const end = text.indexOf('<!-- end -->', start)
    if (start === -1 || end === -1) throw new Error(`expected a place for the ${name} in docs/dashboard.md`)
    return `${text.slice(0, start + begin.length)}\n${section()}\n\n${text.slice(end)}`
  }, page)
}

function bindingsIn(scope: Scope): string {
  return keyTable(KEY_BINDINGS.filter((binding) => binding.scope === scope))
}

function keyTable(rows: readonly { keys: readonly string[]; summary: string }[]): string {
  return table(
    'key',
    rows.map(({ keys, summary }) => [keys.map((key) => code(keyText(key))).join(' '), summary]),
  )
}

function table(head: string, rows: readonly (readonly [string, string])[]): string {
  return [`| ${head} | does |`, '|---|---|', ...rows.map(([left, right]) => `| ${left} | ${right} |`)].join(
    '\n',
  )
}

function code(text: string): string {
  return `\`${text}\``
}

if (import.meta.main) writeFileSync(DASHBOARD_PAGE, dashboardPage(readFileSync(DASHBOARD_PAGE, 'utf8')))
