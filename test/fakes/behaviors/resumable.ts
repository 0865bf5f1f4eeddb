/** A behavior whose turns are run again after a crash. "exit" ends the thread each time, "exit until N" up to attempt N - 1. */
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const resumable: Behavior = defineBehavior({
  resumable: true,
  run(message, context) {
    const [word, , attempt = '99'] = message.split(' ')
    if (word === 'exit' && context.attempt < Number(attempt)) process.exit(1)
    return `${message}, attempt ${context.attempt}`
  },
})

export default resumable
