/**
 * A model that answers at once, in a process of its own. What it answers with is the last thing that was said to it:
 *
 *   tools N     N calls of the tool `noop`, one a step, then `done`
 *   stream N    N pieces, one each STREAM_MS, each the time at which it was sent
 *   other       `ok`
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ModelRequest, type Reply, startModelServer } from '../../test/fakes/model-server.ts'

/** As fast as large models write. */
const STREAM_MS = 20

const server = await startModelServer({ reply })
process.on('SIGTERM', () => process.exit(0))
process.stdout.write(`${JSON.stringify({ url: server.openaiURL })}\n`)

function reply({ messages }: ModelRequest): Reply {
  const last = messages.findLastIndex(({ role }) => role === 'user')
  const [what, count = '0'] = (messages[last]?.content ?? '').split(' ')
  const usage = { usage: { input: 10, output: 10 } }
  if (what === 'tools') {
    const done = messages.slice(last).filter(({ role }) => role === 'tool').length
    if (done < Number(count)) return [{ toolCall: { name: 'noop', input: { value: done } } }, usage]
    return ['done', usage]
  }
  if (what === 'stream') {
    return [
      ...Array.from({ length: Number(count) }, (_, index) => index).flatMap((index) => [
        { gate: sleep(index * STREAM_MS) },
        { text: lazyTime() },
      ]),
      usage,
    ]
  }
  return ['ok', usage]
}

/** An array whose one item is made when it is sent. */
function lazyTime(): string[] {
  const pieces: string[] = ['']
  Object.defineProperty(pieces, 0, { get: () => `${Date.now()} `, enumerable: true })
  return pieces
}
