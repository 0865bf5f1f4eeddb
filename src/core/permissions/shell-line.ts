/**
 * A parser of command lines for /bin/sh, good enough to judge them by what they run.
 *
 * L1. Every simple command that the line could run is in `commands`, or the line is `unknown`: it never misses one silently.
 * L2. What dash and bash read differently is `unknown`; so are syntax errors, functions, and lines that are too long or nest
 *     too deeply.
 * L3. The time is linear in the length of the line.
 *
 * It knows: lists, pipes, `!`, subshells, groups, if, while, until, for, case, `$( )`, backticks, `${ }`, here-documents,
 * redirects, quotes, comments. An unknown line is still read on, so that a deny finds what can be found.
 */
import { announceHereDocument, readHereDocuments } from './here-documents.ts'
import { Findings, ShellScanner, TooDeep } from './shell-scanner.ts'
import type { Assignment, Redirect, ShellLine, SimpleCommand, Word } from './shell-types.ts'
import { readWord } from './shell-words.ts'

/** UTF-16 units: longer lines are unknown, unread. */
export const MAX_LINE: number = 64 * 1024

/** Keywords that end a list where it stands inside the construct that they belong to. */
const CLOSERS = ['then', 'else', 'elif', 'fi', 'do', 'done', 'esac', '}']
const REDIRECTS = ['<>', '<&', '>>', '>&', '>|', '<', '>']
/** Keywords and builtins of other shells, or of this one, that change how what follows is read. */
const STRANGE = ['[[', 'function', 'select', 'coproc', 'alias', 'unalias']

/** Never throws. */
export function parseShellLine(line: string): ShellLine {
  const findings = new Findings()
  if (line.length > MAX_LINE) findings.reject(`longer than ${MAX_LINE} characters`)
  else if (line.includes('\0')) findings.reject('a NUL character')
  else {
    const scanner = new ShellScanner(line, findings, parseSubstitution, 0)
    try {
      while (!scanner.ended) {
        parseList(scanner)
        if (scanner.ended) break
        // What no list takes: a `)` or a keyword without its beginning. Read on behind it.
        scanner.reject('a syntax error')
        if (scanner.position < line.length) skipToken(scanner)
      }
      if (scanner.pending.length > 0) scanner.reject('a here-document that is not closed')
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error
      findings.reject('nested too deeply')
    }
  }
  return findings.unknown === ''
    ? { commands: findings.commands }
    : { commands: findings.commands, unknown: findings.unknown }
}

/** `list )` behind `$(`, `<(` or `(`. */
function parseSubstitution(scanner: ShellScanner): void {
  const outside = scanner.pending
  // Some shells look for the outer document's body behind a newline in here.
  if (outside.length > 0) scanner.reject('a substitution between a here-document and its body')
  scanner.pending = []
  parseList(scanner)
  if (scanner.pending.length > 0) scanner.reject('a here-document in a substitution')
  scanner.pending = outside
  if (!scanner.take(')')) {
    scanner.reject('a ( that is not closed')
    if (!scanner.ended) skipToken(scanner)
  }
}

/** Past one character or word that fits nowhere: parsing always moves on. */
function skipToken(scanner: ShellScanner): void {
  const before = scanner.position
  if (!';&|<>()\n'.includes(scanner.peek())) readWord(scanner)
  if (scanner.position === before) scanner.position++
}

/** The keyword at the position, or ''. */
function keyword(scanner: ShellScanner): string {
  const match = /^(?:[!{}]|[a-z]+|\[\[)(?=[ \t\n;&|<>()]|$)/u.exec(
    scanner.source.slice(scanner.position, scanner.position + 16),
  )
  return match?.[0] ?? ''
}

function takeKeyword(scanner: ShellScanner, expected: string): boolean {
  skipNewlines(scanner)
  if (keyword(scanner) === expected) return scanner.take(expected)
  scanner.reject(`expected ${expected}`)
  return false
}

function skipNewlines(scanner: ShellScanner): void {
  for (;;) {
    scanner.skipBlanks()
    if (!scanner.take('\n')) return
    readHereDocuments(scanner)
  }
}

/** Commands with operators between them, up to `)`, `;;`, a closing keyword or the end. */
function parseList(scanner: ShellScanner): void {
  let separated = true
  for (;;) {
    skipNewlines(scanner)
    if (scanner.ended || scanner.peek() === ')' || scanner.startsWith(';;')) return
    const word = keyword(scanner)
    // One that is not of this construct belongs to one outside, or to none: whoever called knows.
    if (CLOSERS.includes(word)) return
    if (!separated) scanner.reject('commands without an operator between them')
    const before = scanner.position
    parseCommand(scanner)
    separated = parseOperator(scanner)
    if (scanner.position === before) return
  }
}

/** What joins two commands. A newline is left for skipNewlines. */
function parseOperator(scanner: ShellScanner): boolean {
  scanner.skipBlanks()
  if (scanner.peek() === '\n') return true
  if (scanner.startsWith(';;')) {
    if (scanner.peek(2) === '&') scanner.reject(';;& is of bash')
    return true
  }
  if (scanner.take(';&')) {
    scanner.reject(';& is of bash')
    return true
  }
  if (scanner.take('&&') || scanner.take('||')) return true
  if (scanner.take('|')) {
    if (scanner.take('&')) scanner.reject('|& is of bash')
    return true
  }
  if (scanner.take('&')) {
    if (scanner.peek() === '>') scanner.reject('&> is read differently by different shells')
    return true
  }
  return scanner.take(';')
}

function parseCommand(scanner: ShellScanner): void {
  scanner.nested(() => {
    const word = keyword(scanner)
    switch (word) {
      case '!':
        scanner.position++
        scanner.skipBlanks()
        parseCommand(scanner)
        return
      case 'if':
        scanner.take('if')
        parseIf(scanner)
        break
      case 'while':
      case 'until':
        scanner.take(word)
        parseList(scanner)
        parseLoopBody(scanner)
        break
      case 'for':
        scanner.take('for')
        parseFor(scanner)
        break
      case 'case':
        scanner.take('case')
        parseCase(scanner)
        break
      case '{':
        scanner.position++
        parseList(scanner)
        takeKeyword(scanner, '}')
        break
      default:
        if (scanner.peek() !== '(') {
          parseSimple(scanner)
          return
        }
        scanner.position++
        if (scanner.peek() === '(') scanner.reject('(( is read differently by different shells')
        parseSubshell(scanner)
    }
    parseTrailingRedirects(scanner)
  })
}

function parseSubshell(scanner: ShellScanner): void {
  parseList(scanner)
  if (!scanner.take(')')) scanner.reject('a ( that is not closed')
}

function parseIf(scanner: ShellScanner): void {
  parseList(scanner)
  if (!takeKeyword(scanner, 'then')) return
  parseList(scanner)
  while (keyword(scanner) === 'elif') {
    scanner.take('elif')
    parseList(scanner)
    if (!takeKeyword(scanner, 'then')) return
    parseList(scanner)
  }
  if (keyword(scanner) === 'else') {
    scanner.take('else')
    parseList(scanner)
  }
  takeKeyword(scanner, 'fi')
}

function parseLoopBody(scanner: ShellScanner): void {
  if (!takeKeyword(scanner, 'do')) return
  parseList(scanner)
  takeKeyword(scanner, 'done')
}

function parseFor(scanner: ShellScanner): void {
  scanner.skipBlanks()
  const name = /^[A-Za-z_][A-Za-z0-9_]*(?=[ \t\n;])/u.exec(
    scanner.source.slice(scanner.position, scanner.position + 256),
  )?.[0]
  if (name === undefined) {
    scanner.reject('a for without a variable')
    return
  }
  scanner.position += name.length
  skipNewlines(scanner)
  if (keyword(scanner) === 'in') {
    scanner.take('in')
    for (;;) {
      scanner.skipBlanks()
      if (scanner.ended || '\n;&|<>()'.includes(scanner.peek())) break
      readWord(scanner)
    }
  }
  scanner.skipBlanks()
  if (!scanner.startsWith(';;')) scanner.take(';')
  const value: Word = { text: '', kind: 'dynamic', quoted: false }
  scanner.findings.commands.push({ assignments: [{ name, value }], words: [], redirects: [] })
  skipNewlines(scanner)
  parseLoopBody(scanner)
}

function parseCase(scanner: ShellScanner): void {
  scanner.skipBlanks()
  if (scanner.ended || '\n;&|<>()'.includes(scanner.peek())) {
    scanner.reject('a case without a word')
    return
  }
  readWord(scanner)
  if (!takeKeyword(scanner, 'in')) return
  for (;;) {
    skipNewlines(scanner)
    if (keyword(scanner) === 'esac') break
    scanner.take('(')
    do {
      scanner.skipBlanks()
      const before = scanner.position
      if (!'\n;&|<>()'.includes(scanner.peek())) readWord(scanner)
      if (scanner.position === before) {
        scanner.reject('a case without a pattern')
        return
      }
      scanner.skipBlanks()
    } while (scanner.take('|'))
    if (!scanner.take(')')) {
      scanner.reject('a case without the ) of a pattern')
      return
    }
    parseList(scanner)
    if (!scanner.take(';;')) break
  }
  takeKeyword(scanner, 'esac')
}

/** Redirects behind a construct: they count as a command without words. */
function parseTrailingRedirects(scanner: ShellScanner): void {
  const redirects: Redirect[] = []
  for (;;) {
    scanner.skipBlanks()
    if (!parseRedirect(scanner, redirects)) break
  }
  if (redirects.length > 0) scanner.findings.commands.push({ assignments: [], words: [], redirects })
}

/** `[n]<operator> word`. False, and nothing consumed, where none is. */
function parseRedirect(scanner: ShellScanner, into: Redirect[]): boolean {
  const digits =
    /^[0-9]+(?=[<>])/u.exec(scanner.source.slice(scanner.position, scanner.position + 16))?.[0] ?? ''
  const next = scanner.peek(digits.length)
  if (next !== '<' && next !== '>') return false
  scanner.position += digits.length
  if (scanner.startsWith('<(') || scanner.startsWith('>(')) {
    scanner.reject('a process substitution is of bash')
    scanner.position += 2
    scanner.nested(() => parseSubshell(scanner))
    return true
  }
  if (scanner.startsWith('<<<')) scanner.reject('<<< is of bash')
  if (scanner.take('<<')) {
    announceHereDocument(scanner, scanner.take('-'))
    return true
  }
  const operator = REDIRECTS.find((known) => scanner.take(known)) ?? '<'
  scanner.skipBlanks()
  if (scanner.ended || '\n;&|<>()'.includes(scanner.peek())) {
    scanner.reject('a redirect without its file')
    return true
  }
  into.push({ operator, target: readWord(scanner) })
  return true
}

function parseSimple(scanner: ShellScanner): void {
  const command: SimpleCommand = { assignments: [], words: [], redirects: [] }
  for (;;) {
    scanner.skipBlanks()
    if (parseRedirect(scanner, command.redirects)) continue
    const char = scanner.peek()
    if (char === '(' && command.words.length > 0) {
      // A function where `)` follows. What it is called by later means its body: no pattern can know.
      scanner.reject('a function is defined')
      scanner.position++
      scanner.nested(() => parseSubshell(scanner))
      skipNewlines(scanner)
      parseCommand(scanner)
      break
    }
    if (char === '' || '\n;&|()'.includes(char)) break
    const first = command.words.length === 0
    if (first && command.assignments.length + command.redirects.length > 0 && keyword(scanner) !== '')
      if (['!', '{', '}', ...CLOSERS, 'if', 'while', 'until', 'for', 'case'].includes(keyword(scanner)))
        scanner.reject('a keyword behind an assignment or a redirect')
    if (first && STRANGE.includes(keyword(scanner)))
      scanner.reject(`${keyword(scanner)} changes the language`)
    const assigned = first ? parseAssignment(scanner) : undefined
    if (assigned !== undefined) command.assignments.push(assigned)
    else command.words.push(readWord(scanner))
  }
  const { assignments, words, redirects } = command
  if (assignments.length + words.length + redirects.length > 0) scanner.findings.commands.push(command)
}

/** `name=value` before a command. `name+=` and `name[…]=` are of bash. */
function parseAssignment(scanner: ShellScanner): Assignment | undefined {
  const match = /^([A-Za-z_][A-Za-z0-9_]*)(=|\+=|\[)/u.exec(
    scanner.source.slice(scanner.position, scanner.position + 256),
  )
  if (match === null) return undefined
  if (match[2] !== '=') {
    scanner.reject('an assignment of bash')
    return undefined
  }
  scanner.position += match[0].length
  return { name: match[1] ?? '', value: readWord(scanner) }
}
