/**
 * Words of /bin/sh: quotes, expansions, and the commands in their substitutions. What dash and bash read differently is
 * rejected, since /bin/sh may be either.
 */
import type { ShellScanner } from './shell-scanner.ts'
import type { Word } from './shell-types.ts'

const META = ' \t\n;&|<>()'
const NAME = /^[A-Za-z_][A-Za-z0-9_]*/u
/** What sh does not know as a blank but people see as one, and what terminals act upon. */
const DECEPTIVE = /[\p{Cc}\p{Zs}\p{Zl}\p{Zp}\p{Cf}]/u

class WordBuilder {
  text = ''
  kind: Word['kind'] = 'static'
  quoted = false

  add(text: string): void {
    if (this.kind === 'static') this.text += text
  }

  expands(kind: 'names' | 'dynamic'): void {
    if (this.kind !== 'dynamic') this.kind = kind
  }

  build(): Word {
    return { text: this.text, kind: this.kind, quoted: this.quoted }
  }
}

/** The word at the position, which is no blank, operator or end. */
export function readWord(scanner: ShellScanner): Word {
  const word = new WordBuilder()
  const start = scanner.position
  while (!scanner.ended && !META.includes(scanner.peek())) readPart(scanner, word, start)
  return word.build()
}

function readPart(scanner: ShellScanner, word: WordBuilder, start: number): void {
  const char = scanner.peek()
  switch (char) {
    case "'":
      scanner.position++
      word.quoted = true
      word.add(readSingleQuoted(scanner))
      return
    case '"':
      scanner.position++
      word.quoted = true
      readDoubleQuoted(scanner, word)
      return
    case '\\':
      readEscape(scanner, word)
      return
    case '$':
    case '`':
      readExpansion(scanner, word, false)
      return
    case '{':
      // bash expands braces, dash does not; `{}` by itself is plain in both (`{},b}` is not).
      if (scanner.position === start && scanner.peek(1) === '}' && isWordEnd(scanner.peek(2))) {
        scanner.position += 2
        word.add('{}')
        return
      }
      if (word.text !== '' || !isWordEnd(scanner.peek(1))) word.expands('dynamic')
      break
    case '*':
    case '?':
      word.expands('names')
      break
    case '[':
      if (scanner.position !== start || !isWordEnd(scanner.peek(1))) word.expands('names')
      break
    case '~':
      if (scanner.position === start || ':='.includes(scanner.peek(-1))) word.expands('dynamic')
      break
    default:
      if (char !== '\t' && DECEPTIVE.test(char)) scanner.reject('a control character or an unusual blank')
  }
  word.add(scanner.next())
}

function isWordEnd(char: string): boolean {
  return char === '' || META.includes(char)
}

/** The rest of a text in single quotes. */
function readSingleQuoted(scanner: ShellScanner): string {
  const end = scanner.source.indexOf("'", scanner.position)
  if (end === -1) scanner.reject("a ' that is not closed")
  const text = scanner.source.slice(scanner.position, end === -1 ? undefined : end)
  if (/[\p{Cc}--[\t\n]]/v.test(text)) scanner.reject('a control character')
  scanner.position = end === -1 ? scanner.source.length : end + 1
  return text
}

/** A backslash outside of quotes. */
function readEscape(scanner: ShellScanner, word: WordBuilder): void {
  scanner.position++
  if (scanner.ended) {
    scanner.reject('a backslash at the end')
    return
  }
  const char = scanner.next()
  if (char === '\n') {
    // Within a token: shells disagree on what it may split.
    scanner.reject('a line continued within a word')
    return
  }
  if (DECEPTIVE.test(char) && char !== ' ' && char !== '\t') scanner.reject('a control character')
  word.quoted = true
  word.add(char)
}

function readDoubleQuoted(scanner: ShellScanner, word: WordBuilder): void {
  for (;;) {
    if (scanner.ended) {
      scanner.reject('a " that is not closed')
      return
    }
    const char = scanner.peek()
    if (char === '"') {
      scanner.position++
      return
    }
    if (char === '$' || char === '`') readExpansion(scanner, word, true)
    else if (char === '\\' && '$`"\\\n'.includes(scanner.peek(1)) && scanner.peek(1) !== '') {
      scanner.position++
      const escaped = scanner.next()
      if (escaped === '\n') scanner.reject('a line continued within quotes')
      else word.add(escaped)
    } else {
      if (/[\p{Cc}--[\t\n]]/v.test(char)) scanner.reject('a control character')
      word.add(scanner.next())
    }
  }
}

/** The body of a here-document whose delimiter was not quoted: commands in it run. */
export function readHereBody(scanner: ShellScanner): void {
  const ignored = new WordBuilder()
  while (!scanner.ended) {
    const start = scanner.position
    const char = scanner.peek()
    if (char === '\\') {
      if (scanner.peek(1) === '\n') scanner.reject('a line continued within a here-document')
      scanner.position += 2
    } else if (char === '$' || char === '`') {
      readExpansion(scanner, ignored, true)
      // One shell ends the document at the delimiter in it, the other does not.
      if (scanner.source.slice(start, scanner.position).includes('\n'))
        scanner.reject('an expansion over several lines of a here-document')
    } else scanner.position++
  }
}

/** `$…` or a backtick. */
function readExpansion(scanner: ShellScanner, word: WordBuilder, inQuotes: boolean): void {
  if (scanner.next() === '`') {
    word.expands('dynamic')
    readBackticks(scanner, inQuotes)
    return
  }
  const char = scanner.peek()
  if (char === '(') {
    word.expands('dynamic')
    scanner.position++
    if (scanner.peek() === '(' && takeArithmetic(scanner)) return
    scanner.nested(() => scanner.substitution(scanner))
    return
  }
  if (char === '{') {
    word.expands('dynamic')
    scanner.position++
    scanner.nested(() => readParameter(scanner))
    return
  }
  if ((!inQuotes && (char === "'" || char === '"')) || char === '[' || char === '\\') {
    scanner.reject(`a $${char} is read differently by different shells`)
    word.add('$')
    return
  }
  const name = NAME.exec(scanner.source.slice(scanner.position, scanner.position + 256))?.[0]
  if (name !== undefined) scanner.position += name.length
  else if (char !== '' && /[0-9@*#?\-$!]/u.test(char)) scanner.position++
  else {
    word.add('$')
    return
  }
  word.expands('dynamic')
}

/**
 * `$((…))` of numbers and signs alone. Names are left out: a shell evaluates what they hold once more, and runs the
 * substitutions in it. What is not taken here is read as `$( ( … ) )`, to find the commands in it.
 */
function takeArithmetic(scanner: ShellScanner): boolean {
  const rest = scanner.source.slice(scanner.position, scanner.position + 256)
  const match = /^\([0-9 +\-*/%()]*\)\)/u.exec(rest)?.[0]
  const end = rest.indexOf('))')
  if (match !== undefined && balanced(match.slice(0, -1))) {
    scanner.position += match.length
    return true
  }
  scanner.reject(end === -1 ? 'a $(( that is not closed' : 'an arithmetic expansion of more than numbers')
  return false
}

function balanced(text: string): boolean {
  let open = 0
  for (const char of text) {
    if (char === '(') open++
    else if (char === ')' && --open < 0) return false
  }
  return open === 0
}

/** Behind `` ` ``: up to the next one that no backslash protects; what is between is a line of its own. */
function readBackticks(scanner: ShellScanner, inQuotes: boolean): void {
  let inner = ''
  for (;;) {
    if (scanner.ended) {
      scanner.reject('a ` that is not closed')
      break
    }
    const char = scanner.next()
    if (char === '`') break
    if (char !== '\\') inner += char
    else {
      const escaped = scanner.next()
      if (inQuotes && escaped === '"') scanner.reject('a quote escaped in backticks within quotes')
      inner += '$`\\'.includes(escaped) && escaped !== '' ? escaped : `\\${escaped}`
    }
  }
  const line = scanner.over(`${inner}\n)`)
  line.nested(() => line.substitution(line))
  if (!line.ended) scanner.reject('backticks that end early')
}

/** Behind `${`: a name, perhaps an operator and a word, `}`. */
function readParameter(scanner: ShellScanner): void {
  const length = scanner.peek() === '#' && scanner.peek(1) !== '}'
  if (length) scanner.position++
  const rest = scanner.source.slice(scanner.position, scanner.position + 256)
  const name = NAME.exec(rest)?.[0] ?? /^(?:[0-9]+|[@*#?\-$!])/u.exec(rest)?.[0]
  if (name === undefined) scanner.reject('a ${ that names no variable')
  else scanner.position += name.length
  if (scanner.take('}')) return
  const operator = ['%%', '##', ':-', ':+', ':?', ':=', '-', '+', '?', '=', '%', '#'].find((known) =>
    scanner.startsWith(known),
  )
  if (operator === undefined || length) scanner.reject('a form of ${…} that is not known')
  else scanner.position += operator.length
  const value = new WordBuilder()
  while (!scanner.ended && scanner.peek() !== '}') {
    const char = scanner.peek()
    if (char === "'" || char === '"' || char === '\\') {
      scanner.reject('quotes within ${…}')
      if (char === '"') {
        scanner.position++
        readDoubleQuoted(scanner, value)
      } else scanner.position += char === '\\' ? 2 : 1
    } else if (char === '$' || char === '`') readExpansion(scanner, value, true)
    else if ((char === '<' || char === '>') && scanner.peek(1) === '(') {
      scanner.reject('a process substitution is of bash')
      scanner.position += 2
      scanner.nested(() => scanner.substitution(scanner))
    } else if (char === '\n') {
      scanner.reject('a newline within ${…}')
      scanner.position++
    } else value.add(scanner.next())
  }
  if (!scanner.take('}')) scanner.reject('a ${ that is not closed')
  if (name !== undefined && (operator === '=' || operator === ':=')) {
    const assigned = { name, value: value.build() }
    scanner.findings.commands.push({ assignments: [assigned], words: [], redirects: [] })
  }
}
