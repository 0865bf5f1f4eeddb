import { describe, expect, test } from 'vitest'
import { MAX_LINE, parseShellLine } from '../../../src/core/permissions/shell-line.ts'

/** The words of each command; `$` stands for what is not known before the line runs, `~` for a glob. */
function commandsOf(line: string): string[] {
  return parseShellLine(line).commands.map(({ words }) =>
    words
      .map(({ text, kind }) => (kind === 'static' ? text : `${text}${kind === 'names' ? '~' : '$'}`))
      .join(' '),
  )
}

describe('a line that is understood', () => {
  test.each([
    ['git status', ['git status']],
    ['  git   status  ', ['git status']],
    ['a && b || c; d & e | f\ng', ['a', 'b', 'c', 'd', 'e', 'f', 'g']],
    ["r''m 'a b' \"c d\" e\\ f", ['rm a b c d e f']],
    ['a "$(b `c`)" d', ['c', 'b $', 'a $ d']],
    ['a $x "${y:-$(b)}" $((1 + 2))', ['b', 'a $ $ $']],
    ['a *.ts b?c [x]y', ['a ~ b~ ~']],
    ['a {b,c} ~/x {} }', ['a $ $ {} }']],
    ['(a; b) > /dev/null', ['a', 'b', '']],
    ['{ a; b; }', ['a', 'b']],
    ['! a | b', ['a', 'b']],
    ['if a; then b; elif c; then d; else e; fi', ['a', 'b', 'c', 'd', 'e']],
    ['while a; do b; done; until c; do d; done', ['a', 'b', 'c', 'd']],
    ['for f in $(a) b; do c "$f"; done', ['a', '', 'c $']],
    ['case $(a) in x|y) b;; (*) c;; esac', ['a', 'b', 'c']],
    ['a # b; c\nd', ['a', 'd']],
    ['a#b', ['a#b']],
    ['a <<E\n$(b) `c`\nE\nd', ['a', 'b', 'c', 'd']],
    ["a <<'E'\n$(b)\nE\nd", ['a', 'd']],
    ['a <<-E\n\tx\n\tE\nd', ['a', 'd']],
    ['a \\\n b', ['a b']],
    ['2>/dev/null a', ['a']],
    ['if', []],
  ])('%j runs %j', (line, expected) => {
    expect(commandsOf(line)).toEqual(expected)
    expect(parseShellLine(line).unknown === undefined).toBe(line !== 'if')
  })

  test('tells assignments and redirects from words', () => {
    expect(parseShellLine('A=1 B=$x c D=2 >f 2>>"g h" <i')).toMatchObject({
      commands: [
        {
          assignments: [
            { name: 'A', value: { text: '1', kind: 'static' } },
            { name: 'B', value: { kind: 'dynamic' } },
          ],
          words: [{ text: 'c' }, { text: 'D=2' }],
          redirects: [
            { operator: '>', target: { text: 'f' } },
            { operator: '>>', target: { text: 'g h' } },
            { operator: '<', target: { text: 'i' } },
          ],
        },
      ],
    })
  })

  test('takes what ${x:=word} assigns as an assignment', () => {
    expect(parseShellLine('a ${PATH:=.}').commands[0]).toMatchObject({ assignments: [{ name: 'PATH' }] })
  })
})

describe('a line is unknown', () => {
  test.each([
    'a; )',
    "a 'b",
    'a "b',
    'a `b',
    'a $(b',
    '(a',
    'a ${b',
    'a > ',
    'a <<E\nb',
    'a() { b; }',
    'function a { b; }',
    'alias a=b',
    '[[ a ]]',
    '((a))',
    'a $((b))',
    "a $'b'",
    'a $"b"',
    'a <(b)',
    'a ${x:-<(b)}',
    'a <<<b',
    'a &> b',
    'a |& b',
    'a=(b)',
    'a+=b',
    'a\rb',
    'a\0b',
    'a\u00A0b',
    'a\u200Bb',
    'a\u001B[2K',
    'a\\\nb',
    'a; (\\\n(x))',
    'a <<E $(\nb)\nE\n',
    'for ((;;)); do a; done',
    'case a in',
    'x=1 if a; then b; fi',
    'time { a; }',
    'coproc a',
    'a ${!b}',
    'a ${b@P}',
  ])('%j', (line) => {
    expect(parseShellLine(line).unknown).toEqual(expect.any(String))
  })

  test('and still shows the commands of a function', () => {
    expect(commandsOf('f() { rm x; }; f')).toContain('rm x')
  })

  test.each([
    ['long', 'a;'.repeat(100_000)],
    ['full of substitutions', '$('.repeat(30_000)],
    ['full of parentheses', '('.repeat(60_000)],
    ['full of backticks', '`'.repeat(60_001)],
    ['full of keywords', 'if '.repeat(20_000)],
    ['full of here-documents', '<<E '.repeat(15_000)],
    ['full of ${', '${a:-'.repeat(12_000)],
  ])('where it is %s, without taking long', (_, line) => {
    const started = performance.now()
    expect(parseShellLine(line).unknown).toEqual(expect.any(String))
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('beyond MAX_LINE characters, unread', () => {
    expect(parseShellLine('a'.repeat(MAX_LINE)).unknown).toBeUndefined()
    expect(parseShellLine('a'.repeat(MAX_LINE + 1))).toEqual({
      commands: [],
      unknown: `longer than ${MAX_LINE} characters`,
    })
  })
})
