/** How a command answers: a value as JSON or as text on stdout, an error on stderr. */
import type { WireError } from '../errors.ts'
import { hintFor } from './hints.ts'
import type { CliIo } from './io.ts'
import { plainText, terminalJson } from '../core/terminal-text.ts'

export interface Report {
  readonly json: boolean
  /** The answer of a command: `value` with --json, else the text. Called once. */
  answer(value: unknown, text: () => string): void
  /** Like answer, with --json on one line: for who waits for it. */
  line(value: unknown, text: () => string): void
  /** Beside the answer: a line on stderr, `agentry: message`, with --json `{"note": message}`. */
  note(message: string): void
  /** One line, `agentry: message (code)`, and a hint where one helps; with --json one line `{"error": …}`. */
  error(error: WireError): void
}

export function createReport(io: Pick<CliIo, 'stdout' | 'stderr'>, json: boolean): Report {
  return {
    json,
    answer(value, text) {
      const answer = json ? terminalJson(value) : text()
      if (answer !== '') io.stdout.write(`${answer}\n`)
    },
    line(value, text) {
      io.stdout.write(`${json ? JSON.stringify(value) : text()}\n`)
    },
    note(message) {
      io.stderr.write(json ? `${JSON.stringify({ note: message })}\n` : `agentry: ${plainText(message)}\n`)
    },
    error(error) {
      if (json) {
        const { code, message, data } = error
        io.stderr.write(`${JSON.stringify({ error: { code, message, ...(data && { data }) } })}\n`)
        return
      }
      const [first = '', ...more] = plainText(error.message).split('\n')
      const hint = hintFor(error)
      const lines = [`agentry: ${first} (${error.code})`, ...more.map((line) => `  ${line}`)]
      if (hint !== undefined) lines.push(`hint: ${plainText(hint)}`)
      io.stderr.write(`${lines.join('\n')}\n`)
    },
  }
}
