import { describe, expect, test } from 'vitest'
import type { PatternRules, Permission } from '../../../src/core/permissions/rule-types.ts'
import { compileRules, decide } from '../../../src/core/permissions/rules.ts'

function decisionOf(shell: PatternRules | undefined, text: string): Permission {
  const rules = compileRules(shell === undefined ? {} : { shell })
  return decide(rules, { tool: 'shell', readOnly: false, subject: { kind: 'command', text } }, []).decision
}

const ALLOWED = { allow: ['git status', 'npm test *'] }

describe('patterns allow', () => {
  test.each([
    'git status',
    ' git  status ',
    '\'git\' "status"',
    'npm test',
    'npm test -- --run x',
    'npm test "$file" *.ts',
    'npm test "$(git status)"',
    'git status && npm test; git status | npm test',
    'git status 2>&1 >/dev/null',
    'npm test < input.txt',
    'if git status; then npm test; fi',
    'for f in a b; do npm test $f; done',
    'git status # and a comment',
    'CI=1 npm test',
    'x=$(git status); npm test "$x"',
    "npm test <<'E'\n$(rm)\nE\n",
    'git status &',
  ])('%j', (line) => {
    expect(decisionOf(ALLOWED, line)).toBe('allow')
  })
})

describe('patterns do not allow', () => {
  const CR = '\r'
  test.each([
    '',
    '# git status',
    'git status x',
    'git',
    'gits tatus',
    'git statusx',
    'npm testing',
    ...['&&', '||', ';', '|', '&', '\n', CR, ';;', '|&', '&&\n', '\n\n'].flatMap((operator) => [
      `git status ${operator} rm x`,
      `npm test${operator}rm x`,
      `rm x ${operator} git status`,
    ]),
    'npm test $(rm x)',
    'npm test `rm x`',
    'npm test "$(rm x)"',
    'npm test "`rm x`"',
    'npm test "${x:-$(rm x)}"',
    'npm test ${x:-`rm x`}',
    'npm test $(( $(rm x) ))',
    'npm test $((x[$(rm x)]))',
    'npm test <(rm x)',
    'npm test >(rm x)',
    'npm test ${x:-<(rm x)}',
    'git status > f',
    'git status >> f',
    'git status 2>f',
    'git status 2> "$f"',
    'git status >| f',
    'git status <> f',
    'git status >& f',
    'git status &> f',
    'git status > /dev/null/../f',
    'git status > $(rm x)',
    'npm test < /dev/tcp/example.com/80',
    'npm test < "$f"',
    '> f',
    'npm test <<E\n$(rm x)\nE\n',
    'npm test <<E\n`rm x`\nE\n',
    'npm test <<E\nE\nrm x',
    'npm test <<E x\nbody\nE\nrm x',
    'npm test <<-E\n\tE\nrm x',
    '(rm x)',
    '{ rm x; }',
    '(git status; rm x)',
    '{ git status; rm x; }',
    '! rm x',
    'git() { rm x; }; git status',
    'git() (rm x)\ngit status',
    'function git { rm x; }; git status',
    'alias git=rm; git status',
    'unalias git; git status',
    'PATH=. git status',
    'PATH=.; git status',
    'export PATH=.; git status',
    'LD_PRELOAD=./x.so git status',
    'IFS=x git status',
    'ENV=x git status',
    'BASH_ENV=x git status',
    'GIT_PAGER=x git status',
    'GIT_DIR=x git status',
    'PAGER=x git status',
    'EDITOR=x git status',
    'NODE_OPTIONS=-rx npm test',
    'PYTHONPATH=x npm test',
    'HOME=. git status',
    'npm_config_script_shell=./x npm test',
    'for PATH in .; do git status; done',
    'npm test ${PATH:=.}; git status',
    'git -c core.pager=x status',
    'git -C . status',
    'git $x',
    'git "$x"',
    'git st*',
    '$x status',
    '"$(git status)"',
    'g?t status',
    '~/git status',
    '/bin/git status',
    './git status',
    'env git status',
    'env -S "git status"',
    'sudo git status',
    'command git status',
    'exec git status',
    'nice git status',
    'time git status',
    'xargs git status',
    'eval git status',
    'eval "git status"',
    'sh -c "git status"',
    'trap "rm x" EXIT; git status',
    '. ./x; git status',
    'source x; git status',
    'exec 3>f; git status',
    'cd /tmp && git status',
    "r''m x",
    '\\rm x',
    '/bin/rm x',
    "$'rm' x",
    "git $'status'",
    '{rm,x}',
    'git {status,}',
    '{git,status}',
    'git\u00A0status',
    'git status\u00A0; rm x',
    'git\u3000status',
    'git status\0',
    'git status\0; rm x',
    'git sta\\\ntus',
    'git status \\\n; rm x',
    'git status # x\nrm x',
    'git status #\\\nrm x',
    'case x in x) rm x;; esac',
    'case $(rm x) in x) git status;; esac',
    'case x in $(rm x)) git status;; esac',
    'if rm x; then git status; fi',
    'if git status; then rm x; fi',
    'if git status; then npm test; else rm x; fi',
    'while rm x; do git status; done',
    'while git status; do rm x; done',
    'until git status; do rm x; done',
    'for f in a; do rm $f; done',
    'for f in $(rm x); do npm test; done',
    'git status; x=$(rm x)',
    'x=$(rm x) npm test',
    'x=`rm x`',
    '[[ -n x ]] && git status',
    "git status; (\\\n(x='$(rm)'))",
    "npm test 'x",
    'npm test "x',
    'npm test $(git status',
    'npm test )',
    'coproc rm x',
    'select x in a; do git status; done',
    `npm test ${'x'.repeat(200_000)}`,
    `npm test ${'$('.repeat(1_000)}git status${')'.repeat(1_000)}`,
    `${'('.repeat(5_000)}git status${')'.repeat(5_000)}`,
  ])('%j', (line) => {
    const started = performance.now()
    expect(decisionOf(ALLOWED, line)).toBe('ask')
    expect(decisionOf({ ...ALLOWED, default: 'deny' }, line)).toBe('deny')
    expect(performance.now() - started).toBeLessThan(1_000)
  })

  test('a word with a / where the pattern has a *', () => {
    expect(decisionOf({ allow: ['cat src/*'] }, 'cat src/a.ts')).toBe('allow')
    expect(decisionOf({ allow: ['cat src/*'] }, 'cat src/../../secret')).toBe('ask')
  })

  test('a star in the line where the pattern has one in quotes', () => {
    expect(decisionOf({ allow: ["find . -name '*'"] }, 'find . -name "*"')).toBe('allow')
    expect(decisionOf({ allow: ["find . -name '*'"] }, 'find . -name x')).toBe('ask')
    expect(decisionOf({ allow: ["find . -name '*'"] }, 'find . -name *')).toBe('ask')
  })
})

describe('patterns deny', () => {
  const RULES = {
    allow: ['*'],
    deny: ['rm *', 'git push *'],
    ask: ['npm publish'],
    default: 'allow',
  } as const
  const rules = {
    allow: [...RULES.allow],
    ask: [...RULES.ask],
    deny: [...RULES.deny],
    default: RULES.default,
  }

  test.each([
    'rm',
    'rm -rf x',
    '/bin/rm x',
    './rm x',
    'RM x',
    '\\rm x',
    "r''m x",
    'ls && rm x',
    'echo $(rm x)',
    'f() { rm x; }; f',
    'rm x; "',
    'rm $x > f',
    'env rm x',
    'env -i A=1 -u B rm x',
    "env -S 'rm x'",
    'nice -n 5 rm x',
    'nohup rm x',
    'timeout -k 1 5 rm x',
    'sudo -u root rm x',
    'sudo env nice rm x',
    'ls | xargs -n 1 rm',
    'command rm x',
    'builtin rm x',
    'exec -a y rm x',
    'time -p rm x',
    'setsid rm x',
    'stdbuf -o L rm x',
    "sh -c 'rm x'",
    "bash -euc 'ls; rm x'",
    'sh -c "sh -c \'rm x\'"',
    "eval 'rm x'",
    'eval rm x',
    "trap 'rm x' EXIT",
    'find . -name x -exec rm {} +',
    'find . -execdir sh -c "rm x" \\;',
    "trap -- 'rm x' EXIT",
    "rbash -c 'rm x'",
    "sh -c -- 'rm x'",
    "eval -- 'rm x'",
    'prlimit rm x',
    'prlimit --nofile=9 rm x',
    'setarch x86_64 rm x',
    'runcon -t y rm x',
    'toybox rm x',
    'fdfind x -x rm',
    'fd x --exec rm',
    'chroot / rm x',
    "ssh host 'rm x'",
    'ssh -p 1 host rm x',
    "ssh host 'cd y; rm x'",
    'ls | xargs -I % rm %',
    'ls | xargs -i rm {}',
    'git push -c x',
    'git push',
    'git push origin main',
    'if ls; then git push; fi',
  ])('%j', (line) => {
    expect(decisionOf(rules, line)).toBe('deny')
  })

  test('before they ask, and ask before they allow', () => {
    expect(decisionOf(rules, 'npm publish')).toBe('ask')
    expect(decisionOf(rules, 'npm publish; rm x')).toBe('deny')
    expect(decisionOf(rules, 'npm run x')).toBe('allow')
  })

  test.each([
    '$x y',
    '"$(echo rm)" x',
    'git $x',
    'git -C dir push',
    '. ./script',
    'source script',
    'sh script',
    'echo rm x | sh',
    'sh -c "$x"',
    'eval "$x"',
    'sudo $x',
    'sudo --unheard-of y rm x',
    "git $'push'",
    'echo push | xargs git',
    'alias x=rm',
    "echo 'rm x' | sudo -s",
    "sudo -s <<'E'\nrm x\nE",
    "doas -s <<'E'\nrm x\nE",
    "echo 'rm x' | unshare",
    "chroot / <<'E'\nrm x\nE",
    "ssh host <<'E'\nrm x\nE",
    'nice -n 5 <<E',
    "at now <<'E'\nrm x\nE",
    "batch <<'E'\nrm x\nE",
    'trap -- "$x" EXIT',
    "echo 'rm x' | xargs -I % sh -c %",
    "echo 'rm x' | xargs -I% sh -c '%'",
    "echo 'rm x' | xargs -0I % sh -c %",
    'echo rm | xargs -I % % x',
    "echo 'rm x' | xargs --replace sh -c '{}'",
    "echo 'rm x' | xargs --replace=% sh -c %",
    "echo 'rm x' | xargs -i sh -c '{}'",
    "echo rm | parallel '{} x'",
    'fd x --exec=rm',
    'fd x -Xrm',
    'git -c alias.p=push p',
    'git --no-pager -C y -c alias.p=push p',
    'git --config-env=alias.p=X p',
    'GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=alias.p GIT_CONFIG_VALUE_0=push git p',
    "EDITOR='rm x' git commit",
    'PAGER=rm git log',
    'unheard-of rm x',
    'unheard-of --run=/bin/rm x',
    "unheard-of 'ls; rm x'",
    'unheard-of "sh -c \'rm x\'"',
    'unheard-of git',
    'unheard-of git --no-pager push',
    './echo rm x',
    'start-stop-daemon -S -x /bin/rm -- x',
    "tmux new 'rm x'",
    `${'env '.repeat(20)}rm x`,
    `find ${'-exec find '.repeat(5_000)}`,
  ])('perhaps %j: it is not allowed', (line) => {
    expect(decisionOf(rules, line)).toBe('ask')
    expect(decisionOf({ ...rules, default: 'deny' }, line)).toBe('deny')
  })

  test.each([
    'ls',
    'rmdir x',
    'echo rm x',
    'git status',
    'git commit -m push',
    'git log push',
    'nice ls',
    "sh -c 'ls'",
    "sh -c 'echo rm x'",
    'unheard-of git status',
    'git commit -m "don\'t push; it is (not) done"',
    'env',
    'timeout 5 git status',
    'ls | xargs -I % cat %',
    'git -C dir switch -c branch',
    'trap - EXIT',
    'CI=1 X="a b" ls',
  ])('not %j', (line) => {
    expect(decisionOf(rules, line)).toBe('allow')
  })
})

describe('a line that is full of', () => {
  const deny = { deny: ['rm *', 'git push *', '-a b *'], default: 'allow' } as const
  const rules = compileRules({ shell: { ...deny, deny: [...deny.deny] } })
  test.each([
    ['options', `${'env '.repeat(8)}${'-a '.repeat(21_000)}`],
    ['words', `${'env '.repeat(8)}${'a '.repeat(32_000)}`],
    ['wrappers', 'env env env env env env env a;'.repeat(2_200)],
    ['wrappers in a text', `env -S "${'env '.repeat(8_000)}"`],
    ['replacements', `${'xargs -I % '.repeat(8)}${'% '.repeat(32_000)}`],
    ['commands of find', `find ${'-exec '.repeat(10_000)}`],
    ['finds', `find ${'-exec env find '.repeat(4_000)}`],
    ['texts', `a ${'"b c" '.repeat(10_000)}`],
    ['assignments', 'a="b c" '.repeat(8_000)],
  ])('%s is judged without taking long', (_, text) => {
    const started = performance.now()
    decide(rules, { tool: 'shell', readOnly: false, subject: { kind: 'command', text } }, [])
    expect(performance.now() - started).toBeLessThan(1_000)
  })
})

describe('without a rule for it, a command line', () => {
  test.each([
    'ls',
    'ls -la src',
    'pwd',
    'cat a | grep -n b | head -5 | wc -l',
    "grep -A3 -ine 'a b' -C 2 -m1 a",
    "grep --count --max-count=3 --color=never '' a",
    'echo a "b c" -- \'*\'',
    'find . -name "*.ts" -not -path "./x/*"',
    'sort -u a',
    'ls 2>/dev/null && true',
  ])('that only reads runs: %j', (line) => {
    expect(decisionOf(undefined, line)).toBe('allow')
  })

  test.each([
    'rm x',
    'npm test',
    'ls > f',
    'ls; rm x',
    'cat /etc/passwd',
    'cat ~/.ssh/id',
    'cat ../x',
    'cat a/../../x',
    'cat "$f"',
    'cat < /etc/passwd',
    'cat s*/../../x',
    'echo $HOME',
    'echo *',
    'echo /etc/* ~root/.ssh/*',
    'grep -f/etc/passwd x',
    'grep -f patterns x',
    'grep -if patterns x',
    'grep -r x .',
    'grep -in -R x src',
    'grep -d recurse x src',
    'grep -drecurse x src',
    'grep -Dread x src',
    'grep --recursive x src',
    'grep --recu x src',
    'grep --dereference-recursive x src',
    "grep --der '' src",
    'grep --directories=recurse x src',
    "grep --di=recurse '' src",
    'grep --devices=read x src',
    'grep --fi=patterns x src',
    'grep --exclude-from=x y src',
    'cat sessions/.agentry/token',
    'cut -c1-9 sessions/.agentry/token',
    'grep --file=/etc/passwd x',
    'git status',
    'git status --short',
    'git diff --cached src',
    'git log --oneline -5',
    'git show HEAD~1 --stat',
    'git blame x',
    'git branch',
    'git rev-parse HEAD',
    'git ls-files',
    'git -c core.pager=x log',
    'git push',
    'find . -delete',
    'find . -exec rm {} +',
    'find . -ok rm {} +',
    'find . -fprint x',
    'find . -fprintf x y',
    'find . -fls x',
    'find . $x',
    'sort -o x y',
    'sort -uo x y',
    'sort --output=x y',
    'sort --compress-program=x y',
    'sort --files0-from=x',
    'tar tf x',
    'sed -n p x',
    'awk 1 x',
    'xargs ls',
    'env ls',
    'PATH=. ls',
    'LD_PRELOAD=x ls',
    'date -s x',
    './ls',
    'ls() { rm x; }; ls',
  ])('that may do more is asked about: %j', (line) => {
    expect(decisionOf(undefined, line)).toBe('ask')
  })
})

describe('the data directory in the working directory', () => {
  const at = (dataPath: string, text: string): Permission => {
    const subject = { kind: 'command', text } as const
    return decide(compileRules({}), { tool: 'shell', readOnly: false, subject, dataPath }, []).decision
  }

  test.each([
    ['sessions', 'cat sessions/a.json'],
    ['sessions', 'cat ./sessions//a.json'],
    ['sessions', 'cat Sessions/a.json'],
    ['sessions', 'cat < sessions/a.json'],
    ['sessions', 'wc --files0-from=sessions'],
    ['sessions', 'ls sessions'],
    ['sessions', 'ls -- sessions'],
    ['sessions', "grep '' sessions/a.json"],
    ['state/sessions', 'cat state/./sessions/a.json'],
    ['.', 'cat a.json'],
    ['.', 'ls -l'],
  ])("at %j is nobody's to read: %j", (dataPath, line) => {
    expect(at(dataPath, line)).toBe('ask')
  })

  test.each([
    ['sessions', 'cat a/sessions'],
    ['sessions', 'cat sessions.md'],
    ['sessions', 'ls -l'],
    ['state/sessions', 'cat state/other'],
    ['.', 'echo a'],
  ])('at %j does not keep from the rest: %j', (dataPath, line) => {
    expect(at(dataPath, line)).toBe('allow')
  })
})
