import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { complete, type CompletionNames } from '../../src/dashboard/model/complete.ts'
import type { LineEditor } from '../../src/dashboard/model/line-editor.ts'

const session = (name: string, id: string, agentId = 'coder') => ({
  id,
  name,
  agentId,
  status: 'active' as const,
})

const NAMES: CompletionNames = {
  agentId: 'coder',
  agents: [
    { id: 'coder', state: 'idle', behavior: 'shell' },
    { id: 'coder-2', state: 'failed', behavior: '/home/me/agents/coder.ts' },
    { id: 'ops', state: 'working', behavior: 'echo' },
  ],
  sessions: [
    session('api', '01990000-0001'),
    session('My project', '01990000-0002'),
    session('same', '01990000-0003'),
    session('same', '01990000-0004'),
    session('api', '01990000-0005', 'ops'),
    session('deploy "x"', '01990000-0006', 'ops'),
  ],
}

/** `|` is the cursor. */
function editorOf(text: string): LineEditor {
  return { text: text.replace('|', ''), cursor: text.indexOf('|') }
}

function completed(text: string): { line: string; offered: string[] } {
  const { input, candidates } = complete(editorOf(text), NAMES)
  return {
    line: `${input.text.slice(0, input.cursor)}|${input.text.slice(input.cursor)}`,
    offered: candidates.map((candidate) => candidate.text),
  }
}

describe('completion', () => {
  test.each([
    ['/he|', '/help |'],
    ['/ag|', '/agent|'],
    ['/session lo|', '/session load |'],
    ['/session re|', '/session re|'],
    ['/sessions c|', '/sessions create |'],
    ['/agent o|', '/agent ops |'],
    ['/agent c|', '/agent coder|'],
    ['/agent |', '/agent |'],
    ['/stop O|', '/stop ops |'],
    ['/spawn new e|', '/spawn new echo |'],
    ['/spawn new l|', '/spawn new llm |'],
    ['/spawn new llm oll|', '/spawn new llm ollama/ |'],
    ['/approve 0199 s|', '/approve 0199 session |'],
    ['/spawn new /h|', '/spawn new /home/me/agents/coder.ts |'],
    ['/session load my|', '/session load "My project" |'],
    ['/session load "My p|', '/session load "My project" |'],
    ["/session load 'My p|", '/session load "My project" |'],
    ['/session load My\\ p|', '/session load "My project" |'],
    ['/session load dep|', '/session load "deploy \\"x\\"" |'],
    ['/session load 01|', '/session load 01990000-000|'],
    ['/session load 01990000-0002|', '/session load 01990000-0002 |'],
    ['/sess| list', '/session| list'],
    ['/ag| coder', '/agent| coder'],
    ['/agent op| x', '/agent ops| x'],
  ])('of %s is %s', (before, after) => {
    expect(completed(before).line).toBe(after)
  })

  test.each([
    ['/ag|', ['/agents', '/agent']],
    ['/session re|', ['resume', 'rename']],
    ['/agent c|', ['coder', 'coder-2']],
    ['/spawn x |', ['llm', 'shell', 'echo', '/home/me/agents/coder.ts']],
    ['/sessions |', ['list', 'create']],
  ])('of %s offers %j', (before, offered) => {
    expect(completed(before).offered).toEqual(offered)
  })

  test('offers sessions by name where a name means one of them, else by id', () => {
    expect(completed('/session load |').offered).toEqual([
      'api',
      '"My project"',
      '01990000-0003',
      '01990000-0004',
      '01990000-0005',
      '"deploy \\"x\\""',
    ])
  })

  test('says what each candidate is', () => {
    expect(complete(editorOf('/agent c|'), NAMES).candidates).toEqual([
      { text: 'coder', summary: 'shell, idle' },
      { text: 'coder-2', summary: '/home/me/agents/coder.ts, failed' },
    ])
    expect(complete(editorOf('/session load a|'), NAMES).candidates).toEqual([
      { text: 'api', summary: 'active, of coder, 01990000-0001' },
    ])
    expect(complete(editorOf('/session|'), NAMES).candidates).toEqual([
      { text: '/sessions', summary: 'the sessions of all agents' },
      { text: '/session', summary: 'load, save, current, suspend, resume, terminate, fork, rename' },
    ])
  })

  test.each([
    'hello co|',
    '//he|',
    '|/help',
    '|',
    '/help |',
    '/nothing |',
    '/sessions create a|',
    '/agent x|',
  ])('has nothing for %j', (text) => {
    const editor = editorOf(text)
    expect(complete(editor, NAMES)).toEqual({ input: editor, candidates: [] })
    expect(complete(editor, NAMES).input).toBe(editor)
  })

  test('never puts control characters of a name into the line', () => {
    const names = { ...NAMES, sessions: [session('a\u001b[31mb', '01990000-0009')] }
    const { input, candidates } = complete(editorOf('/session load |'), names)
    expect(input.text).toBe('/session load 01990000-0009 ')
    expect(candidates).toEqual([{ text: '01990000-0009', summary: 'ab, active, of coder' }])
  })

  test('of a name from any beginning of it finds the name', () => {
    const name = fc.string({
      unit: fc.constantFrom('a', 'B', ' ', '"', "'", '\\', '👍'),
      minLength: 1,
      maxLength: 8,
    })
    fc.assert(
      fc.property(
        name.filter((text) => text.trim() === text && !text.includes('  ')),
        fc.nat(8),
        (text, length) => {
          const names = { ...NAMES, sessions: [session(text, '01990000-0001')] }
          const typed = `/session load "${text.slice(0, length).replaceAll(/["\\]/g, '\\$&')}`
          const { candidates } = complete({ text: typed, cursor: typed.length }, names)
          expect(candidates).toHaveLength(1)
        },
      ),
    )
  })
})
