import { describe, expect, test } from 'vitest'
import { COMMAND_FORMS, formText } from '../../src/dashboard/model/command-forms.ts'
import { parseCommand } from '../../src/dashboard/model/commands.ts'
import { helpLines, paletteEntries } from '../../src/dashboard/model/help.ts'
import {
  type Action,
  actionFor,
  KEY_BINDINGS,
  keyHints,
  keyText,
  type Scope,
} from '../../src/dashboard/model/keymap.ts'
import { EDITING_KEYS } from '../../src/dashboard/model/line-editor.ts'
import { widthOf } from '../../src/dashboard/model/text.ts'

/** All of them: the compiler says when one is missing here. */
const ACTIONS: Readonly<Record<Action, true>> = {
  'focus-next': true,
  'focus-previous': true,
  'focus-input': true,
  'focus-panes': true,
  left: true,
  right: true,
  up: true,
  down: true,
  'page-up': true,
  'page-down': true,
  first: true,
  last: true,
  open: true,
  filter: true,
  'next-attention': true,
  'session-picker': true,
  palette: true,
  'toggle-scope': true,
  fold: true,
  'fold-all': true,
  help: true,
  'begin-command': true,
  'new-session': true,
  load: true,
  suspend: true,
  resume: true,
  terminate: true,
  cancel: true,
  quit: true,
  redraw: true,
  interrupt: true,
  'end-of-input': true,
  complete: true,
  submit: true,
  newline: true,
  'history-previous': true,
  'history-next': true,
  'allow-once': true,
  'allow-always': true,
  deny: true,
  approvals: true,
}

/** What stands where a key is pressed: the scope's own meanings, and those that hold everywhere. */
function keysIn(scope: Scope): string[] {
  return KEY_BINDINGS.filter((binding) => binding.scope === scope || binding.scope === 'everywhere').flatMap(
    ({ keys }) => keys,
  )
}

function helpText(width: number): string[] {
  return helpLines(width).map((line) => line.map(({ text }) => text).join(''))
}

describe('the key map', () => {
  test.each(['input', 'panes'] as const)('gives no key two meanings in %s', (scope) => {
    const keys = keysIn(scope)
    expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
  })

  test('has a key for every action', () => {
    const bound = new Set(KEY_BINDINGS.map(({ action }) => action))
    expect(Object.keys(ACTIONS).filter((action) => !bound.has(action as Action))).toEqual([])
  })

  test('takes no key of the text but those that move through the history from its first and last line', () => {
    const editing = new Set(EDITING_KEYS.flatMap(({ keys }) => keys))
    expect(keysIn('input').filter((key) => editing.has(key))).toEqual(['up', 'down'])
  })

  test('keeps letters for the text, but for the help and for answers to questions', () => {
    expect(keysIn('input').filter((key) => key.length === 1)).toEqual(['?', 'y', 'a', 'n'])
  })

  test('changes something by capitals only', () => {
    const changing: readonly Action[] = ['new-session', 'load', 'suspend', 'resume', 'terminate', 'cancel']
    for (const { keys, action, scope } of KEY_BINDINGS) {
      if (scope !== 'panes') continue
      const capitals = keys.filter((key) => /^[A-Z]$/.test(key) && key !== 'G')
      expect(capitals.length > 0, action).toBe(changing.includes(action))
    }
  })

  test.each<[Scope, string, Action | undefined]>([
    ['panes', 'j', 'down'],
    ['panes', 'T', 'terminate'],
    ['panes', 't', undefined],
    ['panes', 'pageup', undefined],
    ['everywhere', 'pageup', 'page-up'],
    ['everywhere', 'ctrl+p', 'palette'],
    ['input', 'j', undefined],
    ['input', 'tab', 'complete'],
  ])('in %s %s is %s', (scope, key, action) => {
    expect(actionFor(scope, key)).toBe(action)
  })

  test.each([
    ['ctrl+p', 'Ctrl-P'],
    ['ctrl+left', 'Ctrl-Left'],
    ['shift+tab', 'Shift-Tab'],
    ['alt+b', 'Alt-b'],
    ['pagedown', 'PageDown'],
    ['G', 'G'],
    ['g', 'g'],
    ['/', '/'],
  ])('writes %s as %s', (key, text) => {
    expect(keyText(key)).toBe(text)
  })

  test('says in each place what keys do there', () => {
    expect(keyHints('input')).toContain('Enter send')
    expect(keyHints('sessions')).toContain('Enter open')
    expect(keyHints('overlay')).toContain('Esc')
  })
})

describe('the help', () => {
  test.each([18, 38, 58, 78, 98])('says all of every key and command in %i columns', (width) => {
    const rows = helpText(width)
    for (const row of rows) expect(widthOf(row)).toBeLessThanOrEqual(width)
    const words = new Set(rows.join(' ').split(/\s+/))
    // But for the glyph of an agent that waits for others.
    expect(rows.join(' ')).not.toMatch(/…(?! *waits)/)
    const summaries = [...KEY_BINDINGS, ...COMMAND_FORMS, ...EDITING_KEYS].map(({ summary }) => summary)
    // In narrow columns long words are broken.
    const wanted = summaries
      .flatMap((summary) => summary.split(' '))
      .filter((word) => word.length <= width / 4)
    expect(wanted.filter((word) => !words.has(word))).toEqual([])
  })

  test('shows the form of every command as it is typed, and how a message begins with a slash', () => {
    const rows = helpText(98)
    for (const form of COMMAND_FORMS)
      expect(rows.some((row) => row.includes(`${formText(form)} `))).toBe(true)
    expect(rows.some((row) => row.includes('//'))).toBe(true)
  })
})

describe('the palette', () => {
  test('has every command, and each is one when its arguments follow', () => {
    for (const form of COMMAND_FORMS) {
      const entry = paletteEntries().find(({ label }) => label === formText(form))
      const values = form.args.filter(({ optional }) => optional === undefined).map(({ label }) => label)
      const parsed = parseCommand(`${entry?.line ?? ''}${values.join(' ')}`)
      expect(parsed).toMatchObject({ ok: true, command: { type: form.type } })
    }
  })

  test('says of every entry what it does, and of actions their keys', () => {
    for (const { label, summary, keys, action, line } of paletteEntries()) {
      expect(label).not.toBe('')
      expect(summary).not.toBe('')
      expect((action === undefined) !== (line === undefined)).toBe(true)
      expect(action === undefined || keys !== '').toBe(true)
    }
  })
})
