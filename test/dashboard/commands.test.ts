import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COMMAND_FORMS, formText } from '../../src/dashboard/model/command-forms.ts'
import { quoteBeginning, quoteWord, splitWords } from '../../src/dashboard/model/command-words.ts'
import { type Command, parseCommand } from '../../src/dashboard/model/commands.ts'

function messageOf(line: string): string {
  const parsed = parseCommand(line)
  if (parsed.ok) throw new Error(`${line} is a command: ${JSON.stringify(parsed.command)}`)
  return parsed.message
}

describe('a slash command', () => {
  test.each<[string, Command]>([
    ['/sessions', { type: 'sessions-list' }],
    ['/sessions list', { type: 'sessions-list' }],
    ['/sessions list coder', { type: 'sessions-list', agentId: 'coder' }],
    ['/sessions create api', { type: 'session-create', name: 'api', description: '' }],
    ['/sessions create api the new one', { type: 'session-create', name: 'api', description: 'the new one' }],
    ['/sessions create "my api" "a  b"', { type: 'session-create', name: 'my api', description: 'a  b' }],
    ['/session load 0198', { type: 'session-load', session: '0198' }],
    ["/session load 'my api'", { type: 'session-load', session: 'my api' }],
    ['/session save', { type: 'session-save' }],
    ['/session current', { type: 'session-current' }],
    ['/session suspend', { type: 'session-suspend' }],
    ['/session resume 0198', { type: 'session-resume', session: '0198' }],
    ['/session terminate', { type: 'session-terminate' }],
    ['/session terminate 0198', { type: 'session-terminate', session: '0198' }],
    ['/session fork', { type: 'session-fork' }],
    ['/session fork try', { type: 'session-fork', name: 'try' }],
    ['/session rename my\\ name', { type: 'session-rename', name: 'my name' }],
    ['/agents', { type: 'agents' }],
    ['/agent coder', { type: 'agent-choose', agentId: 'coder' }],
    ['/spawn ops', { type: 'agent-spawn', agentId: 'ops', behavior: 'shell' }],
    ['/spawn ops ./ops.ts', { type: 'agent-spawn', agentId: 'ops', behavior: './ops.ts' }],
    [
      '/spawn coder llm ollama/qwen3',
      { type: 'agent-spawn', agentId: 'coder', behavior: 'llm', model: 'ollama/qwen3' },
    ],
    ["/steer not so fast, it's early", { type: 'steer', text: "not so fast, it's early" }],
    ['/approvals', { type: 'approvals' }],
    ['/approve', { type: 'approve' }],
    ['/approve session', { type: 'approve', scope: 'session' }],
    ['/approve 0199 session', { type: 'approve', approval: '0199', scope: 'session' }],
    ['/deny 0199 not today', { type: 'deny', approval: '0199', reason: 'not today' }],
    ['/stop', { type: 'agent-stop' }],
    ['/stop coder', { type: 'agent-stop', agentId: 'coder' }],
    ['/restart', { type: 'agent-restart' }],
    ['/restart coder', { type: 'agent-restart', agentId: 'coder' }],
    ['/cancel', { type: 'cancel' }],
    ['/cancel coder', { type: 'cancel', agentId: 'coder' }],
    ['/help', { type: 'help' }],
    ['/quit', { type: 'quit' }],
    ['/detach', { type: 'detach' }],
    ['/ help  ', { type: 'help' }],
    ['/session   load\t0198 ', { type: 'session-load', session: '0198' }],
  ])('%s', (line, command) => {
    expect(parseCommand(line)).toEqual({ ok: true, command })
  })

  test('takes a description as it was typed, unless it begins with a quote', () => {
    expect(parseCommand('/sessions create api  it\'s "broken" \\ here ')).toMatchObject({
      command: { name: 'api', description: 'it\'s "broken" \\ here' },
    })
    expect(parseCommand('/sessions create api "it\'s" broken\\ here')).toMatchObject({
      command: { name: 'api', description: "it's broken here" },
    })
  })

  test.each([
    ['/session lod x', '; did you mean "/session load"?'],
    ['/session create x', '; did you mean "/sessions create"?'],
    ['/sesions', '; did you mean "/sessions"?'],
    ['/Quit', '; did you mean "/quit"?'],
    ['/agnt coder', '; did you mean "/agent"?'],
    ['/sessions lst', '; did you mean "/sessions list"?'],
  ])('%s is answered with what it is near to', (line, hint) => {
    expect(messageOf(line)).toContain(hint)
  })

  test.each([
    ['/', 'expected a command after /, received nothing; /help lists them'],
    ['/tmp/x', 'expected a command, received "/tmp/x"; /help lists them, // begins a message with a slash'],
    ['/session load', 'expected /session load <session-id>, received no session-id'],
    ['/session load ""', 'expected /session load <session-id>, received no session-id'],
    ['/sessions create', 'expected /sessions create <name> [description], received no name'],
    ['/stop a b', 'expected /stop [agent-id], received "b" besides'],
    [
      '/session rename my name',
      'expected /session rename <name>, received "name" besides (quote a name that has spaces)',
    ],
    ['/help me', 'expected /help, received "me" besides'],
    ['/sessions coder', 'expected list or create or nothing after /sessions, received "coder"'],
    [
      '/session',
      'expected load, save, current, suspend, resume, terminate, fork or rename after /session, received nothing',
    ],
  ])('%s is refused with what was expected and what came', (line, message) => {
    expect(messageOf(line)).toBe(message)
  })

  test.each([
    [
      '/session load "my',
      'the " at column 15 is not closed: expected another ", received the end of the line',
    ],
    [
      "/session rename it's",
      "the ' at column 19 is not closed: expected another ', received the end of the line",
    ],
    ['/sessions create "my api', 'the " at column 18 is not closed'],
    ['/sessions create api "a b', 'the " at column 22 is not closed'],
  ])('%s is refused because its quote is not closed', (line, message) => {
    expect(messageOf(line)).toContain(message)
  })

  test('has an answer for any line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseCommand(`/${text}`)
        expect(parsed.ok ? parsed.command.type : parsed.message).not.toBe('')
      }),
    )
  })

  test('is made by its own form, with any names', () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text.trim() !== '')
    fc.assert(
      fc.property(
        fc.constantFrom(...COMMAND_FORMS),
        fc.array(name, { minLength: 2, maxLength: 2 }),
        (form, names) => {
          const given = names.slice(0, form.args.length)
          const line = `/${[...form.words, ...given.map(quoteWord)].join(' ')}`
          expect(parseCommand(line)).toEqual({ ok: true, command: form.make(...given) })
          expect(form.make(...given).type).toBe(form.type)
        },
      ),
    )
  })

  test('has one form for each text that the help shows', () => {
    const texts = COMMAND_FORMS.map(formText)
    expect(new Set(texts).size).toBe(texts.length)
  })
})

describe('words', () => {
  test.each([
    ['a  b', ['a', 'b']],
    [' "a b" \'c d\' e\\ f ', ['a b', 'c d', 'e f']],
    [`"a\\"b\\\\c\\d" 'e\\f'`, ['a"b\\c\\d', 'e\\f']],
    ['a"b c"d', ['ab cd']],
    ['"" a\\', ['', 'a\\']],
    ['a\nb', ['a', 'b']],
    ['', []],
  ])('of %j are %j', (line, values) => {
    const { words, open } = splitWords(line)
    expect(words.map(({ value }) => value)).toEqual(values)
    expect(open).toBeUndefined()
  })

  test('that are quoted come back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (values) => {
        const { words } = splitWords(values.map(quoteWord).join(' '))
        expect(words.map(({ value }) => value)).toEqual(values)
      }),
    )
  })

  test('that have only begun are read as far as they go', () => {
    const { words, open } = splitWords(`a ${quoteBeginning('my "api')}`)
    expect(words.at(-1)).toEqual({ value: 'my "api', start: 2, end: 11 })
    expect(open).toEqual({ quote: '"', start: 2 })
  })
})
