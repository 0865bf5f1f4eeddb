/** What the parser finds, against the shells that run it. */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { compileRules, decide } from '../../../src/core/permissions/rules.ts'
import { parseShellLine } from '../../../src/core/permissions/shell-line.ts'

const STUBS = ['alpha', 'beta', 'gamma', 'delta']
/** /bin/sh of this machine, and the one of others where it is there. */
const SHELLS = [['/bin/sh', '-c'], ...(existsSync('/bin/bash') ? [['/bin/bash', '--posix', '-c']] : [])]

const word = fc.constantFrom(
  'x',
  "'a b'",
  '"c d"',
  '$y',
  '"$y"',
  '*',
  '\\;',
  "';'",
  '"#"',
  'a#b',
  '{a,b}',
  '~',
)
const stub = fc.constantFrom(...STUBS)

/** Lines that shells take. */
const { line } = fc.letrec<{ line: string; command: string; simple: string; inner: string }>((tie) => ({
  simple: fc
    .tuple(stub, fc.array(fc.oneof(word, tie('inner')), { maxLength: 2 }))
    .map(([name, words]) => [name, ...words].join(' ')),
  inner: fc.oneof(
    tie('line').map((line) => `$(${line})`),
    tie('line').map((line) => `"$(${line})"`),
    tie('simple').map((line) => `\`${line.replaceAll(/[\\`$]/gu, '\\$&')}\``),
    tie('simple').map((line) => `\${y:-$(${line})}`),
  ),
  command: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('simple'),
    tie('line').map((line) => `(${line})`),
    tie('line').map((line) => `{ ${line}\n}`),
    tie('line').map((line) => `! { ${line}\n}`),
    fc.tuple(tie('line'), tie('line'), tie('line')).map(([a, b, c]) => `if ${a}\nthen ${b}\nelse ${c}\nfi`),
    fc.tuple(word, tie('line')).map(([word, line]) => `for v in 1 ${word}; do ${line}\ndone`),
    fc
      .tuple(word, tie('line'), tie('line'))
      .map(([word, a, b]) => `case ${word} in x) ${a}\n;; *) ${b}\nesac`),
    tie('simple').map((line) => `alpha <<E\n$(${line})\nE\n`),
    tie('simple').map((line) => `alpha <<'E'\n$(${line})\nE\n`),
    tie('simple').map((line) => `y=$(${line})`),
    tie('simple').map((line) => `${line} # beta; gamma`),
    tie('simple').map((line) => `${line} >/dev/null 2>&1`),
  ),
  line: fc
    .tuple(
      tie('command'),
      fc.array(fc.tuple(fc.constantFrom('&&', '||', '|', ';', '\n'), tie('command')), { maxLength: 2 }),
    )
    // A comment and a here-document end with their line.
    .map(([first, rest]) =>
      rest.reduce(
        (line, [operator, next]) =>
          /[#\n]/u.test(line) ? `${line}\n${next}` : `${line} ${operator} ${next}`,
        first,
      ),
    ),
}))

/** Anything, most of it not understood; nothing that runs on forever or calls itself. */
const soup = fc
  .array(
    fc.constantFrom(
      ...STUBS,
      ...STUBS,
      ' ',
      ' ',
      ' ',
      ';',
      '\n',
      '|',
      '&&',
      '||',
      '"',
      "'",
      '`',
      '$(',
      ')',
      '${y:-',
      '}',
      '$((',
      '))',
      '\\',
      '#',
      '<<E',
      '\nE\n',
      '<<<',
      '>/dev/null',
      '2>&1',
      '{',
      '{ ',
      ' }',
      '$',
      'if ',
      'then ',
      'fi',
      'case x in x) ',
      ';; esac',
      'y=',
      '!',
      '\\\n',
      "$'",
      '1',
      '<',
      '=',
    ),
    { minLength: 2, maxLength: 14 },
  )
  .map((tokens) => tokens.join(''))

describe('the commands that a line runs are among those that are found in it', () => {
  let directory = ''
  let log = ''

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'agentry-shell-line-'))
    log = join(directory, 'log')
    mkdirSync(join(directory, 'bin'))
    mkdirSync(join(directory, 'cwd'))
    for (const [index, name] of STUBS.entries()) {
      const text = `#!/bin/sh\necho ${name} >> "$LOG"\necho x\nexit ${index % 2}\n`
      writeFileSync(join(directory, 'bin', name), text, { mode: 0o755 })
    }
  })
  afterAll(() => rmSync(directory, { recursive: true, force: true }))

  function ran(shell: readonly string[], line: string): string[] {
    writeFileSync(log, '')
    const [file = '', ...args] = shell
    spawnSync(file, [...args, line], {
      cwd: join(directory, 'cwd'),
      env: { PATH: join(directory, 'bin'), LOG: log },
      stdio: 'ignore',
      timeout: 5_000,
      killSignal: 'SIGKILL',
    })
    return [...new Set(readFileSync(log, 'utf8').split('\n').filter(Boolean))]
  }

  /** How many stubs ran at all. */
  function compare(line: string): number {
    const { commands, unknown } = parseShellLine(line)
    if (unknown !== undefined) return 0
    const found = new Set<string | undefined>()
    for (const { words } of commands) {
      if (words[0]?.kind === 'static') found.add(words[0].text)
      // Its name is not known before it runs, and so no pattern allows it.
      else if (words[0] !== undefined) return 0
    }
    let count = 0
    for (const shell of SHELLS) {
      const names = ran(shell, line)
      count += names.length
      expect(
        names.filter((name) => !found.has(name)),
        `${shell[0]} ran more of ${JSON.stringify(line)}`,
      ).toEqual([])
    }
    return count
  }

  test('of whole lines', () => {
    let count = 0
    fc.assert(
      fc.property(line, (line) => {
        count += compare(line)
      }),
      { numRuns: 60, interruptAfterTimeLimit: 20_000, markInterruptAsFailure: false },
    )
    expect(count).toBeGreaterThan(50)
  }, 60_000)

  test('of shreds', () => {
    fc.assert(
      fc.property(soup, (line) => {
        compare(line)
      }),
      { numRuns: 600, interruptAfterTimeLimit: 15_000, markInterruptAsFailure: false },
    )
  }, 60_000)
})

describe('whatever is added to an allowed line', () => {
  const rules = compileRules({ shell: { allow: ['git status', 'npm test *'] } })
  const decisionOf = (text: string) =>
    decide(rules, { tool: 'shell', readOnly: false, subject: { kind: 'command', text } }, []).decision

  const allowed = fc.constantFrom(
    'git status',
    'npm test',
    'npm test -- a "b c"',
    'npm test $x',
    'git status 2>&1',
  )
  const operator = fc.constantFrom(
    '&&',
    '||',
    ';',
    '|',
    '&',
    '\n',
    '\r',
    '|&',
    ';;',
    '\n\n',
    '& &',
    '; !',
    '&& (',
    '|| {',
    '; if',
    '; eval',
    '; exec',
  )
  const other = fc
    .tuple(fc.stringMatching(/^[a-z]{1,8}$/), fc.string({ unit: 'grapheme', maxLength: 20 }))
    .filter(([name]) => name !== 'git' && name !== 'npm')
    .map(([name, rest]) => `${name} ${rest}`)

  test('behind an operator makes it a line that is not allowed', () => {
    fc.assert(
      fc.property(allowed, operator, other, fc.boolean(), (allowed, operator, other, before) => {
        const line = before ? `${other}\n${allowed}` : `${allowed} ${operator} ${other}`
        expect(decisionOf(line)).toBe('ask')
      }),
      { numRuns: 2_000 },
    )
  })

  test('in a substitution does too', () => {
    const around = fc.constantFrom(
      ['$(', ')'],
      ['"$(', ')"'],
      ['`', '`'],
      ['${x:-$(', ')}'],
      ['<(', ')'],
      ['$((', '))'],
    )
    fc.assert(
      fc.property(around, other, ([open, close], other) => {
        expect(decisionOf(`npm test ${open}${other}${close}`)).toBe('ask')
      }),
      { numRuns: 2_000 },
    )
  })

  test('nothing at all makes the judging throw', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), soup), (line) => {
        expect(['allow', 'ask']).toContain(decisionOf(line))
      }),
      { numRuns: 2_000 },
    )
  })
})
