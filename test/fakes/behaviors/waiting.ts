/** A behavior whose turns wait until a file is there: "wait FILE" then ends, "crash FILE" then takes the thread down. */
import { existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const waiting: Behavior = defineBehavior({
  async run(message, { signal }) {
    const [word, file = ''] = message.split(' ')
    if (word !== 'wait' && word !== 'crash') return message
    while (!existsSync(file)) await sleep(5, undefined, { signal })
    if (word === 'crash') process.exit(1)
    return `waited for ${file}`
  },
})

export default waiting
