import { type Behavior, defineBehavior } from '../../../src/behavior.ts'

const throwing: Behavior = defineBehavior({
  run(message) {
    if (message === 'throw') throw new Error('as told')
    return message
  },
})

export default throwing
