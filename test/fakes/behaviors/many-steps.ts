/** A behavior whose one turn records many steps: "steps COUNT". */
import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const manySteps: Behavior = defineBehavior({
  async run(message, context) {
    const [word, count = '0'] = message.split(' ')
    if (word !== 'steps') return message
    for (let step = 1; step <= Number(count); step++) {
      await context.recordStep({ content: `step ${step} of ${count}` })
    }
    return 'walked'
  },
})

export default manySteps
