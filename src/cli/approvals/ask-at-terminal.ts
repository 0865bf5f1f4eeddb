/** Puts questions to the person at the terminal: a key is the answer. */
import { styleText } from 'node:util'
import type { ApprovalDecision } from '../../core/session-state.ts'
import { type CliIo, hasColor } from '../io.ts'
import type { Signals } from '../signals.ts'
import { type KeySource, readKey } from './read-key.ts'
import { decisionText, questionText } from './view.ts'
import type { PutQuestion } from './watch.ts'

const DECISIONS = { y: 'once', a: 'session', n: 'deny' } as const satisfies Record<string, ApprovalDecision>
const KEYS = ['y', 'a', 'n'] as const
const CHOICES = '[y]es once / [a]lways this session / [n]o '

/** What questions can be asked and answered on: undefined where nobody is at both ends. */
export function askingTerminal({
  stderr,
  terminal,
}: Pick<CliIo, 'stderr' | 'terminal'>): KeySource | undefined {
  return stderr.isTTY === true && terminal.stdin.isTTY ? terminal.stdin : undefined
}

/** `beginLine` is called before a question is written. Ctrl-C interrupts as ever; a signal withdraws the question. */
export function askAtTerminal(
  io: CliIo,
  terminal: KeySource,
  signals: Signals,
  beginLine: () => void,
): PutQuestion {
  const strong = (text: string): string =>
    hasColor(io, io.stderr) ? styleText('bold', text, { validateStream: false }) : text
  return async (approval, withdrawn) => {
    if (signals.ending.aborted) return undefined
    beginLine()
    const [first = '', ...more] = questionText(approval).split('\n')
    io.stderr.write(`${[strong(`? ${first}`), ...more].join('\n')}\n`)
    let isShown = false
    const key = await readKey(terminal, {
      keys: KEYS,
      signal: AbortSignal.any([withdrawn, signals.ending]),
      clock: io.clock,
      onReady() {
        isShown = true
        io.stderr.write(CHOICES)
      },
    })
    if (key === 'interrupt' || key === undefined) {
      const why = withdrawn.aborted && !signals.ending.aborted ? 'no answer is needed any more' : ''
      if (isShown || why !== '') io.stderr.write(`${why}\n`)
      if (key === 'interrupt') signals.interrupt()
      return undefined
    }
    const decision = DECISIONS[key]
    io.stderr.write(`${decisionText({ decision, by: 'person' })}\n`)
    return decision
  }
}
