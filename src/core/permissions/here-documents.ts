/** Here-documents of a command line: their bodies begin behind the newline that ends the line that announces them. */
import type { ShellScanner } from './shell-scanner.ts'
import { readHereBody, readWord } from './shell-words.ts'

/** Behind `<<` or `<<-`: the delimiter. */
export function announceHereDocument(scanner: ShellScanner, stripTabs: boolean): void {
  scanner.skipBlanks()
  const before = scanner.position
  const word = readWord(scanner)
  if (scanner.position === before || word.kind !== 'static' || word.text.includes('\n'))
    scanner.reject('a here-document whose end is not known')
  scanner.pending.push({ delimiter: word.text, expands: !word.quoted, stripTabs })
}

/** Behind a newline: reads the bodies that were announced, and the commands in them. */
export function readHereDocuments(scanner: ShellScanner): void {
  const pending = scanner.pending
  scanner.pending = []
  for (const { delimiter, expands, stripTabs } of pending) {
    const body: string[] = []
    for (;;) {
      if (scanner.ended) {
        scanner.reject('a here-document that is not closed')
        break
      }
      const end = scanner.source.indexOf('\n', scanner.position)
      const raw = scanner.source.slice(scanner.position, end === -1 ? undefined : end)
      scanner.position = end === -1 ? scanner.source.length : end + 1
      const line = stripTabs ? raw.replace(/^\t+/u, '') : raw
      if (line === delimiter) break
      body.push(line)
    }
    if (!expands) continue
    const text = scanner.over(body.join('\n'))
    text.nested(() => readHereBody(text))
  }
}
