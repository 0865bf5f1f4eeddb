/**
 * A behavior of your own: a module whose default export says what an agent does with a message.
 *
 * This one takes the path of a text file and answers how many words it has, and how many it has seen in this session.
 */
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { type Behavior, defineBehavior } from '../../src/behavior.ts' // for you: 'agentry/behavior'

const wordCounter: Behavior = defineBehavior({
  name: 'word-counter',

  // A turn that a crash cut off is run again: this behavior changes nothing but its session.
  resumable: true,

  async run(message, context) {
    const path = resolve(context.session.workingDir, message)
    context.emit(`counting ${message} …\n`)

    // A tool call: its start is on the disk before it runs and its end before the turn goes on, so that after a crash nobody has to
    // guess. What it throws becomes its result, with the outcome `error`.
    const read = await context.runTool('read', { path }, async ({ signal }) =>
      readFile(path, { encoding: 'utf8', signal }),
    )
    if (read.outcome === 'error') return `cannot read ${message}: ${read.content}`

    const words = read.content.split(/\s+/).filter((word) => word !== '').length
    const seen = Number(context.session.metadata['words'] ?? 0) + words
    await context.updateSession({ metadata: { words: seen } })
    return `${message}: ${words} words, ${seen} in this session`
  },
})

export default wordCounter
